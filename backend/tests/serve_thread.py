"""A server in a thread of this process, behind a real socket: it starts in a fraction of a process's time."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from understudy.main import create_app
from understudy.settings import Settings

_START_SECONDS = 60.0
_STOP_SECONDS = 60.0


@contextmanager
def run_in_thread(settings: Settings) -> Iterator[str]:
    """Run the application under uvicorn in a thread and yield host and port, such as `127.0.0.1:41234`."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(settings), loop="asyncio", lifespan="on", log_config=None))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not server.started:
            assert thread.is_alive(), "the server ended while it started"
            assert time.monotonic() < deadline, f"the server did not start within {_START_SECONDS:g} seconds"
            time.sleep(0.01)
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(_STOP_SECONDS)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"
