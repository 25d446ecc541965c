"""The disk under a server's home is full, again and again, and has room again."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from scripts.torture.plan import Plan, Timer
from scripts.torture.report import FamilyReport
from scripts.torture.server import Client, find_misattribution, run_server, write_models
from tests.sample_files import write_classifier

_SIZE_MIB = 96
_LONGEST = 15.0
"""Seconds in which every request must be answered while nothing can be written."""
_REFUSED = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.INSUFFICIENT_STORAGE, httpx.codes.CONFLICT)


class CannotMount(RuntimeError):
    """A file system in memory cannot be mounted here."""


@contextmanager
def mount_memory(folder: Path, mebibytes: int) -> Iterator[None]:
    """Mount a file system of `mebibytes` on `folder`. Raises CannotMount where this user may not."""
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None:
        raise CannotMount("There is no mount command.")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={mebibytes}m", "none", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        raise CannotMount(f"A file system in memory cannot be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run([unmount, "--lazy", str(folder)], check=True)


def run(plan: Plan) -> FamilyReport:
    """Each answer on a full disk, and each recovery, is an attempt."""
    report = FamilyReport("full disk", "answers")
    folder = plan.folder / "full-disk"
    folder.mkdir()
    try:
        with mount_memory(folder, _SIZE_MIB):
            home = plan.make_home("full-disk/home", share_compiled=False)
            write_models(home)
            with run_server(home) as server:
                disk = _FullDisk(home, report)
                asyncio.run(disk.run(server.url, plan.choose(1, 60), plan.start_timer(8)))
    except CannotMount as refused:
        report.skipped = str(refused)
    return report


@dataclass
class _FullDisk:
    home: Path
    report: FamilyReport
    number: int = 0

    async def run(self, url: str, rounds: int, timer: Timer) -> None:
        """Fill the disk, ask for everything that writes, make room, and look at what is left."""
        filler = self.home / "filler"
        async with Client(url, self.report) as client:
            labels = await client.set_up()
            for _ in range(rounds):
                self.number += 1
                _fill(filler)
                await self._ask(client, labels)
                filler.unlink()
                await self._check_recovery(client, labels)
                if timer.is_over:
                    return

    async def _ask(self, client: Client, labels: dict[int, str]) -> None:
        file = f"late{self.number}.onnx"
        first, *others = sorted(labels)
        changes: list[tuple[str, str, dict[str, Any]]] = [
            ("PATCH", f"/api/v1/models/{others[0]}", {"json": {"description": "x" * 5000}}),
            ("POST", f"/api/v1/models/{others[self.number % len(others)]}/activate", {"params": {"wait": "true"}}),
            ("POST", "/api/v1/models/upload", {"params": {"filename": file}, "content": bytes(4 << 20)}),
            ("POST", f"/api/v1/models/{first}/activate", {"params": {"wait": "true"}}),
        ]
        async with asyncio.TaskGroup() as group:
            for method, path, content in changes:
                group.create_task(self._change(client, method, path, content))
            for _ in range(3):
                group.create_task(self._predict(client, labels))

    async def _change(self, client: Client, method: str, path: str, content: dict[str, Any]) -> None:
        began = time.monotonic()
        answer = await client.send(method, path, **content)
        seconds = time.monotonic() - began
        fits = not path.endswith("/upload")
        held = (answer.is_success and fits) or answer.status_code in _REFUSED
        said = f"{method} {path} answered {answer.status_code} {answer.text[:200]}"
        self.report.check(held, f"on a full disk, {said}")
        self.report.check(seconds <= _LONGEST, f"on a full disk, {method} {path} was answered after {seconds:.1f} s")

    async def _predict(self, client: Client, labels: dict[int, str]) -> None:
        for _ in range(5):
            answer = await client.predict()
            wrong = find_misattribution(answer.json(), labels) if answer.is_success else answer.text[:200]
            self.report.check(wrong is None, f"on a full disk, a prediction: {wrong}")

    async def _check_recovery(self, client: Client, labels: dict[int, str]) -> None:
        """With room again everything works: a new model goes live, and no half-written file is left."""
        self.report.check(
            await client.await_ready() and await client.await_sync(), "with room again, the server does not recover"
        )
        left = [path.name for path in (self.home / "models").iterdir() if path.name.startswith(".")]
        self.report.check(not left, f"half-written files are left in models/: {left}")
        name = f"new{self.number}"
        write_classifier(self.home / "models" / f"{name}.onnx", winner=self.number % 3, labels=("a", "b", "c"))
        answer = await client.register(name, f"{name}.onnx")
        if not self.report.check(answer.is_success, f"with room again, registering answered {answer.text[:200]}"):
            return
        model_id = answer.json()["model_id"]
        labels[model_id] = "abc"[self.number % 3]
        answer = await client.activate(model_id)
        self.report.check(answer.is_success, f"with room again, an activation answered {answer.text[:200]}")
        served = (await client.predict()).json().get("model", {}).get("model_id")
        active = [each["model_id"] for each in await client.list_models() if each["is_active"]]
        self.report.check(active == [served] == [model_id], f"model {served} answers, {active} are active")
        await client.send("POST", f"/api/v1/models/{min(labels)}/activate", params={"wait": "true"})
        await client.send("DELETE", f"/api/v1/models/{model_id}")
        del labels[model_id]


def _fill(filler: Path) -> None:
    """Write to `filler` until the disk has no byte left."""
    with filler.open("wb", buffering=0) as file:
        piece = bytes(1 << 20)
        while piece:
            try:
                file.write(piece)
            except OSError:
                piece = piece[: len(piece) // 2]
