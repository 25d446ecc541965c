"""A server that is tortured: `understudy serve` in a process of its own, asked over HTTP."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from scripts.torture.report import FamilyReport
from tests.sample_files import tone, write_classifier
from tests.serve_process import run_serve_process

LABELS = ("a", "b", "c")
CLIP = tone(1.0)
PATIENCE = 60.0
"""Seconds in which a server must be ready, compile a small model, or follow the registry."""

_TRACEBACK_LINES = 40
_SETTINGS = {"UNDERSTUDY_WORKERS": "2", "UNDERSTUDY_POLL_SECONDS": "0.1", "UNDERSTUDY_LOG_LEVEL": "warning"}


@dataclass(frozen=True)
class Server:
    """A running server. Its workers and helpers are its descendants."""

    url: str
    pid: int
    log: Path

    def kill(self) -> None:
        """End the server's own process at once; its descendants must end by themselves."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def list_processes(self) -> list[psutil.Process]:
        """Return the server's process and its descendants."""
        try:
            own = psutil.Process(self.pid)
            return [own, *own.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def find_tracebacks(self) -> list[str]:
        """Return the event and the end of each traceback in the log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [_shorten_traceback(lines[at:]) for at, line in enumerate(lines) if "Traceback" in line]


def _shorten_traceback(lines: Sequence[str]) -> str:
    """Return what the first line tells; an interpreter without a log writes a traceback over many lines."""
    try:
        entry = json.loads(lines[0])
        return f"{entry['event']}: …{entry['exception'][-500:]}"
    except (ValueError, KeyError, TypeError):
        return "\n".join(lines[:_TRACEBACK_LINES])[-2000:]


@contextmanager
def run_server(home: Path, *, program: str = "understudy.cli", **environment: str) -> Iterator[Server]:
    """Run a server on `home` until the block ends. It is stopped by SIGTERM, if nothing else has ended it."""
    path = home / "server.log"
    settings: dict[str, Any] = {**_SETTINGS, **environment}
    with (
        path.open("ab") as log,
        run_serve_process(home, stderr=log.fileno(), program=program, **settings) as running,
    ):
        yield Server(running.url, running.process.pid, path)


def write_models(home: Path) -> None:
    """Write `a.onnx`, `b.onnx` and `c.onnx`, each of which answers its own name."""
    for index, label in enumerate(LABELS):
        write_classifier(home / "models" / f"{label}.onnx", winner=index)


def find_untyped(answer: httpx.Response) -> str | None:
    """Return what is wrong with an error's form; None for a success and for an error with code, detail and remedy."""
    if answer.is_success:
        return None
    request = f"{answer.request.method} {answer.request.url.path}"
    try:
        problem = answer.json()
    except ValueError:
        return f"{request} answered {answer.status_code} without a JSON document: {answer.text[:100]!r}"
    if not isinstance(problem, dict) or not all(problem.get(field) for field in ("code", "detail", "remedy")):
        return f"{request} answered {answer.status_code} without code, detail and remedy: {answer.text[:200]}"
    if problem["code"] == "internal_error":
        return f"{request} answered an internal error: {problem['detail']}"
    return None


class Client:
    """Sends requests to one server, and reports untyped answers and times to a family's report."""

    def __init__(self, url: str, report: FamilyReport, *, timeout: float = PATIENCE) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, timeout=timeout, limits=httpx.Limits(max_connections=40), trust_env=False
        )
        self._report = report

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Return the answer; raises httpx.TransportError where none arrived."""
        started = time.monotonic()
        answer = await self._client.request(method, path, **content)
        self._report.measure(seconds=time.monotonic() - started)
        if (wrong := find_untyped(answer)) is not None:
            self._report.check(False, wrong)
        return answer

    async def read(self, path: str) -> Any:
        """Return the document at `path`; raises httpx.HTTPStatusError."""
        return (await self.send("GET", path)).raise_for_status().json()

    async def predict(self, **params: str | int) -> httpx.Response:
        """Send a tone of one second."""
        return await self.send(
            "POST", "/api/v1/predict", content=CLIP, headers={"content-type": "audio/wav"}, params=params
        )

    async def register(self, name: str, file: str) -> httpx.Response:
        return await self.send("POST", "/api/v1/models", json={"model_name": name, "file_path": f"models/{file}"})

    async def upload(self, name: str, body: bytes) -> httpx.Response:
        """Store a model file under `name`."""
        kind = {"content-type": "application/octet-stream"}
        return await self.send("POST", "/api/v1/models/upload", params={"filename": name}, content=body, headers=kind)

    async def activate(self, model_id: int) -> httpx.Response:
        """Activate a model and wait for the outcome."""
        return await self.send("POST", f"/api/v1/models/{model_id}/activate", params={"wait": "true"})

    async def set_up(self) -> dict[int, str]:
        """Register the files of `write_models`, activate the first; return the label that each model answers."""
        labels: dict[int, str] = {}
        for label in LABELS:
            answer = (await self.register(label, f"{label}.onnx")).raise_for_status().json()
            labels[answer["model_id"]] = label
        (await self.activate(min(labels))).raise_for_status()
        return labels

    async def list_models(self) -> list[dict[str, Any]]:
        """Return all models."""
        found: list[dict[str, Any]] = []
        params: dict[str, str | int] = {"limit": 100}
        while True:
            page = (await self.send("GET", "/api/v1/models", params=params)).raise_for_status().json()
            found += page["models"]
            if page["next_cursor"] is None:
                return found
            params["cursor"] = page["next_cursor"]

    async def await_ready(self) -> bool:
        """Return whether the server is ready within the patience."""
        return await self._await_status("/health/ready", lambda answer: answer.status_code == httpx.codes.OK)

    async def await_sync(self) -> bool:
        """Return whether the server serves what the registry says within the patience."""
        return await self._await_status("/api/v1/status", lambda answer: answer.is_success and answer.json()["in_sync"])

    async def _await_status(self, path: str, holds: Any) -> bool:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            with suppress(httpx.TransportError):
                if holds(await self._client.get(path)):
                    return True
            await asyncio.sleep(0.05)
        return False


def find_misattribution(prediction: Mapping[str, Any], labels: Mapping[int, str]) -> str | None:
    """Return what is wrong where a prediction's label is not that of the model it names."""
    model_id, label = prediction["model"]["model_id"], prediction["label"]
    expected = labels.get(model_id)
    if expected is None or label == expected:
        return None
    return f"a prediction names model {model_id}, which answers {expected}, with the label {label}"
