"""The server that the clients ask over a socket."""

from tests.api.conftest import server

__all__ = ["server"]
