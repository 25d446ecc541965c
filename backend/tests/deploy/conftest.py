"""A server in this process, asked over ASGI."""

from tests.api.conftest import client

__all__ = ["client"]
