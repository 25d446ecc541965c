"""The whole server is killed, at random moments and at fault points, while it changes the registry."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import psutil

from scripts.torture.databases import count_active, open_database
from scripts.torture.ledger import Ledger, Pending
from scripts.torture.plan import Plan, Timer
from scripts.torture.report import FamilyReport
from scripts.torture.server import LABELS, PATIENCE, Client, Server, find_misattribution, run_server
from scripts.torture.unique_model import make_unique_model

_REGISTRY = "understudy.registry"
_DESIRED = f"{_REGISTRY}.deployment.desired_state"
_SERVING = "understudy.serving"
_STORE = "understudy.compiler.compiled_store:CompiledStore.add"
FAULT_POINTS = (
    ("register", f"{_REGISTRY}.models.table.rows:insert:after"),
    ("activate", f"{_REGISTRY}.database.database:Database._commit:after"),
    ("upload", f"{_REGISTRY}.files.uploads:_publish:before"),
    ("register", f"{_STORE}:before"),
    ("activate", f"{_DESIRED}:_mark_active:after"),
    ("register", f"{_REGISTRY}.database.database:Database._commit:before"),
    ("register", f"{_REGISTRY}.registry:add_details:before"),
    ("register", f"{_REGISTRY}.models.history.model_history:record:before"),
    ("register", f"{_SERVING}.compilation.compilation:Compilation._compile_now:before"),
    ("register", f"{_SERVING}.compilation.compilation:Compilation._note:before"),
    ("register", f"{_STORE}:after"),
    ("upload", f"{_REGISTRY}.files.uploads:_sync:after"),
    ("upload", f"{_REGISTRY}.files.uploads:_publish:after"),
    ("activate", f"{_SERVING}.activation.preparation:Preparation.prepare_activation:after"),
    ("activate", f"{_DESIRED}:switch:before"),
    ("activate", f"{_DESIRED}:switch:after"),
    ("activate", f"{_REGISTRY}.models.file_records:take_over_spec:after"),
    ("activate", f"{_SERVING}.sync.live_model:LiveModelReference.swap:before"),
    ("activate", f"{_SERVING}.sync.live_model:LiveModelReference.swap:after"),
    ("delete", f"{_REGISTRY}.models.table.rows:delete:before"),
    ("delete", f"{_REGISTRY}.models.table.rows:delete:after"),
    ("rename", f"{_REGISTRY}.models.table.rows:change:after"),
)
"""Operations, and places in them where the server's process is killed."""
_LEFT_OVER = (".upload-*", ".new-*")


def run_on_sqlite(plan: Plan) -> FamilyReport:
    """Each kill is an attempt."""
    return _run(plan, "sqlite", "crashes on SQLite")


def run_on_postgresql(plan: Plan) -> FamilyReport:
    """Each kill is an attempt. Raises PostgresMissing."""
    return _run(plan, "postgresql", "crashes on PostgreSQL")


@dataclass(frozen=True)
class _Kill:
    """At a fault point of an operation; without one at a random moment of random operations."""

    operation: str
    point: str | None = None

    def describe(self) -> str:
        return self.point or "a random moment"


@dataclass
class _Scene:
    home: Path
    environment: dict[str, str]
    report: FamilyReport
    random_: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def armed(self) -> Path:
        return self.home / "armed"


def _run(plan: Plan, kind: str, family: str) -> FamilyReport:
    report = FamilyReport(family, "kills")
    points = FAULT_POINTS[: plan.choose(1, len(FAULT_POINTS))]
    kills = [_Kill(operation, point) for operation, point in points]
    kills += [_Kill("any") for _ in range(plan.choose(int(kind == "sqlite"), 40))]
    with open_database(kind) as environment:
        scene = _Scene(
            plan.make_home(f"crashes-{kind}", share_compiled=False), environment, report, plan.make_random(family)
        )
        _kill_in_turn(scene, kills, plan.start_timer(30))
    return report


def _kill_in_turn(scene: _Scene, kills: list[_Kill], timer: Timer) -> None:
    """Start a server for each kill; the next one shows what the crash has left."""
    before: _Kill | None = None
    for kill in [*kills, None]:
        if timer.is_over:
            kill = None
        program = "understudy.cli" if kill is None or kill.point is None else "scripts.torture.killed_program"
        environment = {**scene.environment, "TORTURE_ARMED": str(scene.armed)}
        if kill is not None and kill.point is not None:
            environment["TORTURE_FAULT"] = kill.point
        with run_server(scene.home, program=program, **environment) as server:
            asyncio.run(_examine_and_kill(scene, server, before, kill))
        before = kill
        if kill is None:
            return


async def _examine_and_kill(scene: _Scene, server: Server, before: _Kill | None, kill: _Kill | None) -> None:
    """Check what the crash `before` has left, then crash the server by `kill`."""
    async with Client(server.url, scene.report) as client:
        if before is None:
            await _set_up(scene, client)
        else:
            faults = [sentence async for sentence in _find_faults(scene, client)]
            scene.report.check(not faults, f"after a kill at {before.describe()} ({before.operation}): {faults}")
        if kill is None:
            return
        family = server.list_processes()
        if kill.point is None:
            await _kill_at_random(scene, client, server)
        else:
            await _kill_at_point(scene, client, server, kill)
    _await_end(scene, family)


async def _set_up(scene: _Scene, client: Client) -> None:
    """Make two models, one of them active."""
    for _ in range(2):
        await _change(scene, client, "upload")
        await _change(scene, client, "register")
    await _change(scene, client, "activate")


async def _kill_at_random(scene: _Scene, client: Client, server: Server) -> None:
    async def kill_later() -> None:
        await asyncio.sleep(scene.random_.uniform(0.05, 1.5))
        server.kill()

    killing = asyncio.create_task(kill_later())
    operations = ("upload", "register", "register", "activate", "activate", "delete", "rename")
    try:
        while True:
            await _change(scene, client, scene.random_.choice(operations))
    except httpx.TransportError:
        await killing


async def _kill_at_point(scene: _Scene, client: Client, server: Server, kill: _Kill) -> None:
    """Do the operation while its fault point is armed."""
    await _settle(client)
    if kill.operation in ("register", "delete"):
        await _change(scene, client, "upload")
    if kill.operation == "delete":
        await _change(scene, client, "register")
    scene.armed.touch()
    try:
        await _change(scene, client, kill.operation)
        ends = asyncio.get_running_loop().time() + 20
        while psutil.pid_exists(server.pid) and asyncio.get_running_loop().time() < ends:
            await client.send("GET", "/health/live")
            await asyncio.sleep(0.05)
        scene.report.check(False, f"the fault point {kill.point} was not reached by {kill.operation}")
        server.kill()
    except httpx.TransportError:
        pass
    finally:
        scene.armed.unlink()


def _await_end(scene: _Scene, family: list[psutil.Process]) -> None:
    """Check that the descendants of a killed server end by themselves."""
    _, alive = psutil.wait_procs([each for each in family[1:] if each.is_running()], timeout=15)
    left = [each.pid for each in alive if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    if left:
        scene.report.check(False, f"{len(left)} processes outlived the server that was killed")


async def _change(scene: _Scene, client: Client, operation: str) -> None:
    """Ask for one change and enter it into the ledger; raises httpx.TransportError where no answer arrives."""
    ledger, number = scene.ledger, next(scene.numbers)
    if operation == "upload":
        winner = number % len(LABELS)
        name, body = f"file-{number}.onnx", make_unique_model(winner, number)
        digest = hashlib.sha256(body).hexdigest()
        ledger.file_labels[f"models/{name}"] = LABELS[winner]
        ledger.pending = Pending("upload", name=name, digest=digest)
        if (await client.upload(name, body)).is_success:
            ledger.uploads[name] = digest
    elif operation == "register":
        name, file = f"model-{number}", list(ledger.uploads)[-1]
        ledger.pending = Pending("register", name=name)
        answer = await client.register(name, file)
        if answer.is_success:
            model_id = answer.json()["model_id"]
            ledger.names[model_id] = name
            ledger.labels[model_id] = ledger.file_labels[f"models/{file}"]
    else:
        await _change_model(scene, client, operation, scene.random_.choice(sorted(ledger.names)), f"renamed-{number}")
    ledger.pending = None


async def _change_model(scene: _Scene, client: Client, operation: str, model_id: int, name: str) -> None:
    ledger = scene.ledger
    if operation == "activate":
        others = [each for each in sorted(ledger.names) if each != ledger.active]
        model_id = scene.random_.choice(others or [model_id])
        ledger.pending = Pending("activate", model_id)
        if (await client.activate(model_id)).is_success:
            ledger.active = model_id
    elif operation == "rename":
        ledger.pending = Pending("rename", model_id, name)
        if (await client.send("PATCH", f"/api/v1/models/{model_id}", json={"model_name": name})).is_success:
            ledger.names[model_id] = name
    else:
        others = [each for each in sorted(ledger.names) if each != ledger.active]
        if not others:
            return
        ledger.pending = Pending("delete", others[-1])
        if (await client.send("DELETE", f"/api/v1/models/{others[-1]}")).is_success:
            del ledger.names[others[-1]]
            ledger.deleted.add(others[-1])


async def _find_faults(scene: _Scene, client: Client) -> AsyncIterator[str]:
    """Yield a sentence for everything that a crash must not leave."""
    if not await client.await_ready():
        yield "the server is not ready"
        return
    if (active := count_active(scene.home, scene.environment)) > 1:
        yield f"{active} rows are active"
    if unsettled := await _settle(client):
        yield f"the compilations of {unsettled} do not end"
    for sentence in scene.ledger.find_faults(await client.list_models(), scene.home / "models"):
        yield sentence
    if not await client.await_sync():
        yield "the server does not serve what the registry says"
    live = (await client.read("/api/v1/status"))["live"]
    served = live and live["model"]["model_id"]
    if served != scene.ledger.active:
        yield f"model {served} is live, and the row of {scene.ledger.active} is active"
    if scene.ledger.active is not None:
        answer = await client.predict()
        wrong = find_misattribution(answer.json(), scene.ledger.labels) if answer.is_success else answer.text
        if wrong:
            yield f"the first prediction: {wrong}"
    left = [str(path.relative_to(scene.home)) for pattern in _LEFT_OVER for path in scene.home.rglob(pattern)]
    left += [f"var/scratch/{path.name}" for path in (scene.home / "var" / "scratch").glob("*")]
    if left:
        yield f"left over: {left[:3]}"


async def _settle(client: Client) -> list[int]:
    """Wait until nothing is being compiled; return the models that still are after the patience."""
    ends = asyncio.get_running_loop().time() + PATIENCE
    while True:
        models = await client.list_models()
        waiting = [each["model_id"] for each in models if each["compile_state"] in ("compiling", "not_compiled")]
        if not waiting or asyncio.get_running_loop().time() > ends:
            return waiting
        await asyncio.sleep(0.05)
