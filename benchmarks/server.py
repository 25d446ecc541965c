"""A server under measurement: its process tree from start to stop."""

import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

_POLL = 0.005
_GRACE = 15.0
_LEFT_BEHIND = 3.0
_IDLE_CORES = 0.05
_IDLE_LOOK = 0.25


class ServerError(Exception):
    """A server that did not start or does not answer; the text ends with what it wrote last."""


class Server:
    """A context manager around one process and everything it starts.

    `ready_seconds` is the time from the start of the process to the first 200 on `ready_path`.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: dict[str, str],
        *,
        port: int,
        ready_path: str,
        log: Path,
        patience: float = 120.0,
    ) -> None:
        self._command = [str(part) for part in command]
        self._environment = environment
        self._log = log
        self._patience = patience
        self._known: dict[int, psutil.Process] = {}
        self.url = f"http://127.0.0.1:{port}"
        self._ready_url = self.url + ready_path
        self.ready_seconds = 0.0

    def __enter__(self) -> Self:
        """Raises ServerError when the server ends or is not ready in time."""
        started = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait(started + self._patience)
        except BaseException:
            self.stop()
            raise
        self.ready_seconds = time.perf_counter() - started
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process politely, then whatever it left behind."""
        self._look()
        self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for end in (psutil.Process.terminate, psutil.Process.kill):
            for process in self._look():
                with suppress(psutil.NoSuchProcess):
                    end(process)
            deadline = time.monotonic() + _LEFT_BEHIND
            while self._look() and time.monotonic() < deadline:
                time.sleep(_POLL)

    def cpu_seconds(self) -> float:
        """CPU time of the tree so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self._look())

    def settle(self, patience: float = 30.0) -> None:
        """Wait until the tree computes next to nothing, so that no run pays for the answers of the run before.

        wrk leaves its last requests unanswered; some servers compute them to the end. Raises ServerError after
        `patience` seconds.
        """
        deadline = time.monotonic() + patience
        used = self.cpu_seconds()
        while time.monotonic() < deadline:
            began = time.monotonic()
            time.sleep(_IDLE_LOOK)
            before, used = used, self.cpu_seconds()
            if used - before < _IDLE_CORES * (time.monotonic() - began):
                return
        raise ServerError(f"still computed {patience:g} s after the last request: {self.tail()}")

    def memory(self) -> tuple[float, float]:
        """Resident and proportional set size of the tree in MB; the first counts shared pages once a process."""
        infos = [process.memory_full_info() for process in self._look()]
        return sum(info.rss for info in infos) / 1e6, sum(info.pss for info in infos) / 1e6

    def tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").strip().splitlines()[-8:])

    def _look(self) -> list[psutil.Process]:
        """The processes that are alive. Those seen earlier stay known when their parent has gone."""
        try:
            root = psutil.Process(self._process.pid)
            found = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            found = []
        self._known |= {process.pid: process for process in found}
        return [process for process in self._known.values() if process.is_running() and not _undead(process)]

    def _wait(self, deadline: float) -> None:
        with httpx.Client(timeout=5.0) as client:
            while time.perf_counter() < deadline:
                if self._process.poll() is not None:
                    raise ServerError(f"ended with {self._process.returncode}: {self.tail()}")
                try:
                    if client.get(self._ready_url).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass  # nobody listens yet
                time.sleep(_POLL)
        raise ServerError(f"not ready within {self._patience:g} s: {self.tail()}")


def _undead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
