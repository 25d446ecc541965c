"""Faults to inject: a network that goes silent, is cut or slow, and files that are no files.

Everything here is real: sockets, pipes, modes. `make torture` uses it too.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Self

_CHUNK = 1 << 16


class TcpProxy:
    """Forwards TCP connections on a free port of `address` to `target`: a Unix socket's path, or host and port.

    It works on threads of its own, so that it serves the test's own event loop as well as other processes.
    """

    def __init__(self, target: str | tuple[str, int], address: str = "127.0.0.1") -> None:
        self._target = target
        self._listener = socket.create_server((address, 0), backlog=128)
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._closed = False
        self._swallowed: bytes | None = None
        self.delay = 0.0
        """Seconds by which each chunk is held back, in each direction."""
        self.accepted = 0
        """Connections that were accepted so far."""
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def silence(self) -> None:
        """Forward nothing from now on. Connections stay open and new ones are accepted, as behind a firewall."""
        self._flowing.clear()

    def resume(self) -> None:
        """Forward again, also what was held back."""
        self._flowing.set()

    def cut(self) -> None:
        """End every connection; new ones are forwarded."""
        with self._guard:
            cut, self._sockets = self._sockets, set()
        for each in cut:
            _shut(each)

    def lose_answer(self, statement: bytes) -> None:
        """Forward the next chunk of a client that holds `statement`, and end its connection instead of the answer."""
        self._swallowed = statement

    def close(self) -> None:
        """End everything and wait until nothing is accepted any more."""
        self._closed = True
        _shut(self._listener)
        self._flowing.set()
        self.cut()
        self._accepting.join(10)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.accepted += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), ExitStack() as stack:
            stack.enter_context(client)
            server = stack.enter_context(_connect(self._target))
            with self._guard:
                self._sockets |= {client, server}
            lost = threading.Event()
            answers = threading.Thread(target=self._pump, args=(server, client, lost), daemon=True)
            answers.start()
            self._pump(client, server, lost, requests=True)
            answers.join(60)
            with self._guard:
                self._sockets -= {client, server}

    def _pump(
        self, source: socket.socket, target: socket.socket, lost: threading.Event, *, requests: bool = False
    ) -> None:
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                self._flowing.wait()
                if self.delay:
                    time.sleep(self.delay)
                if requests and self._swallowed is not None and self._swallowed in chunk:
                    self._swallowed = None
                    lost.set()
                elif lost.is_set() and not requests:
                    break  # the server has done it, and nobody hears so
                target.sendall(chunk)
        _shut(source)
        _shut(target)


def _connect(target: str | tuple[str, int]) -> socket.socket:
    if isinstance(target, tuple):
        return socket.create_connection(target, timeout=10)
    server = socket.socket(socket.AF_UNIX)
    server.connect(target)
    return server


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def make_socket_file(path: Path) -> Iterator[None]:
    """A Unix socket at `path`, on which nobody listens."""
    with socket.socket(socket.AF_UNIX) as bound:
        before = Path.cwd()
        os.chdir(path.parent)  # a socket's name may have 107 bytes
        try:
            bound.bind(path.name)
        finally:
            os.chdir(before)
        try:
            yield
        finally:
            path.unlink()


@contextmanager
def make_unusual(path: Path, kind: str) -> Iterator[None]:
    """Something at `path` that is no regular file: `fifo`, `socket` or `device`."""
    if kind == "socket":
        with make_socket_file(path):
            yield
        return
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    try:
        yield
    finally:
        path.unlink()
