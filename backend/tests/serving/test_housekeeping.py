"""A start takes up what a crash interrupted, and sweeps what it left, but nothing of a live process."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from tests.serving.conftest import Opener, Register
from understudy.compiler.compile_lock import make_slow_lock
from understudy.compiler.isolation.sandbox import Sandbox
from understudy.container import Services, run_background_tasks
from understudy.files.file_ownership import create_owned
from understudy.models import CompileState
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


async def read_state(services: Services, model_id: int) -> str:
    return (await services.registry.get(model_id)).compile_state


async def wait_until_ready(services: Services, *ids: int) -> None:
    async with asyncio.timeout(60):
        while {await read_state(services, model_id) for model_id in ids} != {CompileState.READY}:
            await asyncio.sleep(0.02)


async def set_state(services: Services, model_id: int, state: CompileState) -> None:
    await services.registry.set_compile_state(await services.registry.ensure_file_record(model_id), state)


async def test_interrupted_compilations_are_taken_up_at_the_next_start(
    services: Services, register: Register, open_process: Opener
) -> None:
    interrupted, waiting, gone = await register("one"), await register("two", 1), await register("gone", 2)
    await set_state(services, interrupted, CompileState.COMPILING)
    (services.settings.models_dir / "gone.onnx").unlink()
    restarted = await open_process()
    async with run_background_tasks(restarted):
        await wait_until_ready(restarted, interrupted, waiting)
    assert await read_state(restarted, gone) == CompileState.NOT_COMPILED


async def test_new_models_are_compiled_before_those_that_were_left_over(services: Services, register: Register) -> None:
    old, new = await register("old"), await register("new", 1)
    await services.housekeeping.queue_uncompiled()
    services.compile_queue.add(new)
    queue = services.compile_queue
    assert [await queue._take() for _ in range(3)] == [new, new, old]


async def test_a_state_that_an_attempt_leaves_late_does_not_replace_a_success(
    services: Services, register: Register
) -> None:
    model_id = await register("head")
    stale = (await services.registry.read_spec_now(model_id)).model
    await services.compilation.compile(stale)
    await services.compilation._note_safely(stale, CompileState.NOT_COMPILED)
    assert await read_state(services, model_id) == CompileState.READY


def leave(path: Path, *, folder: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if folder:
        path.mkdir()
        (path / "model.onnx").write_bytes(b"x")
    else:
        path.write_bytes(b"x")
    return path


async def test_what_was_left_over_is_swept_and_what_is_in_use_stays(services: Services, register: Register) -> None:
    settings = services.settings
    var, models = settings.var_dir, settings.models_dir
    model = await services.compilation.compile((await services.registry.read_spec_now(await register("one"))).model)
    async with services.housekeeping._clips.lock():
        pass
    left = [
        leave(models / ".upload-dead"),
        leave(settings.compiled_dir / ".new-dead", folder=True),
        leave(var / "examples" / ("0" * 64) / ".new-dead"),
        leave(var / "scratch" / "dead", folder=True),
        leave(var / "scratch" / "dead.lock"),
    ]
    with create_owned(models / ".upload-live"), Sandbox(settings).open_scratch() as scratch:
        left += [leave(var / "scratch" / "late", folder=True)]
        await services.housekeeping.run()
        assert [path for path in left if path.exists()] == []
        assert (models / ".upload-live").exists()
        assert scratch.exists()
    assert model.folder.exists()


def test_a_server_that_compiles_leaves_the_scratch_of_another_alone(settings: Settings) -> None:
    with Sandbox(settings).open_scratch() as first:
        (first / "out" / "model.onnx").write_bytes(b"x")
        with Sandbox(settings).open_scratch() as second:
            assert first != second
        assert (first / "out" / "model.onnx").exists()
    assert not (settings.var_dir / "scratch").exists()


async def test_kept_backbones_that_nothing_uses_are_swept(services: Services) -> None:
    pytest.importorskip("fcntl", reason="workers are Linux's")
    from understudy.engine.engine import BackboneFile
    from understudy.engine.workers.backbone_store import KeptBackbones

    settings = services.settings
    installed = leave(settings.models_dir / "yamnet.onnx")
    kept = KeptBackbones(settings.backbones_dir)
    used = kept.keep(BackboneFile(installed, "a" * 64)).path
    unused = leave(settings.backbones_dir / f"{'b' * 64}.onnx")
    folder = leave(settings.backbones_dir / ("c" * 64), folder=True)
    variant = leave(settings.backbones_dir / f"int8-{'d' * 40}.onnx")
    async with make_slow_lock(settings.var_dir):  # a variant is being made: its backbone may be this one
        await services.housekeeping.run()
    assert [path.exists() for path in (used, unused, folder, variant)] == [True, False, False, True]
    await services.housekeeping.run()
    assert [path.exists() for path in (used, variant)] == [True, False]
    kept.close()
    await services.housekeeping.run()
    assert not used.exists()
    assert installed.exists()


def test_a_kept_backbone_that_was_changed_gives_way_to_the_installed_one(settings: Settings) -> None:
    """It is a link: who writes into the installed file changes it too, and a worker would refuse it for ever."""
    pytest.importorskip("fcntl", reason="workers are Linux's")
    from understudy.engine.engine import BackboneFile
    from understudy.engine.workers.backbone_store import KeptBackbones

    installed, right = settings.models_dir / "yamnet.onnx", b"the graph"
    installed.write_bytes(right)
    backbone = BackboneFile(installed, hashlib.sha256(right).hexdigest())
    kept = KeptBackbones(settings.backbones_dir)
    path = kept.keep(backbone).path
    installed.write_bytes(b"something")
    installed.unlink()
    installed.write_bytes(right)
    assert path.read_bytes() == b"something"
    assert kept.keep(backbone).path == path
    assert path.read_bytes() == right
    kept.close()
