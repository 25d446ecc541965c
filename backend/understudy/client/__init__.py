"""A typed client of the REST API, synchronous and asynchronous.

from understudy import Client

with Client("http://127.0.0.1:8000") as understudy:
    print(understudy.predict(Path("clip.wav")).label)
"""

from understudy.client.async_client import AsyncClient
from understudy.client.sync_client import Client

__all__ = ["AsyncClient", "Client"]
