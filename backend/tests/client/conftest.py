"""The server that the clients ask: one of its own process, over a socket."""

from tests.api.conftest import server

__all__ = ["server"]
