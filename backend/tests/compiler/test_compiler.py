"""A source is compiled through the real child process."""

import asyncio
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import psutil
import pytest
from onnx import TensorProto, helper

from tests.hostile_files import write_endless, write_many_fields
from understudy import errors
from understudy.audio.opening import AudioLimits, open_clip
from understudy.compiler.compile_lock import make_compile_lock, make_slow_lock
from understudy.compiler.compiled_store import MODEL_FILE, PROBES_FILE
from understudy.compiler.compiler import Compiler
from understudy.compiler.isolation import landlock
from understudy.compiler.model_source import compute_digest
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import InputKind, OutputActivation, PartialSpec
from understudy.settings import Settings


def write_onnx(path: Path, *nodes: onnx.NodeProto, width: int = 1024) -> Path:
    """x [N, width] -> y [N, width]; without nodes y = softmax(x)."""
    made = list(nodes) or [helper.make_node("Softmax", ["x"], ["y"], axis=-1)]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", width])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", width])]
    model = helper.make_model(
        helper.make_graph(made, "g", inputs, outputs), opset_imports=[helper.make_opsetid("", 18)], ir_version=9
    )
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def model(home: Path) -> Path:
    return write_onnx(home / "models" / "soft.onnx")


@pytest.mark.anyio
async def test_a_file_is_compiled_once_and_then_found(settings: Settings, model: Path) -> None:
    compiler = Compiler(settings)
    steps: list[str] = []
    made = await compiler.compile(model, compute_digest(model), None, steps.append)
    assert steps == ["queue", "copy", "probe", "load", "convert", "parity", "store"]
    report = made.report
    assert (report.format, report.graph_activation) == ("onnx", OutputActivation.SOFTMAX)
    assert (report.spec.input, report.spec.activation) == (InputKind.EMBEDDING, OutputActivation.SOFTMAX)
    assert [output.shape for output in report.outputs] == [(None, 1024)]
    assert report.source_bytes == model.stat().st_size
    assert report.onnx_digest == compute_digest(made.folder / MODEL_FILE)
    assert report.peak_memory_bytes > 10_000_000
    assert report.seconds > 0
    assert "tensorflow-cpu" not in report.versions
    steps.clear()
    again = await Compiler(settings).compile(model, compute_digest(model), None, steps.append)
    assert (again, steps) == (made, [])
    assert not (settings.var_dir / "scratch").exists()


@pytest.mark.anyio
async def test_a_compiled_model_is_found_after_its_source_is_deleted(settings: Settings, model: Path) -> None:
    digest = compute_digest(model)
    made = await Compiler(settings).compile(model, digest, None)
    model.unlink()
    assert await Compiler(settings).compile(model, digest, None) == made
    with pytest.raises(errors.FileMissing):
        await Compiler(settings).compile(model, digest, PartialSpec(labels=("a",) * 1))


@pytest.mark.anyio
async def test_the_recorded_probes_replay(settings: Settings, model: Path) -> None:
    made = await Compiler(settings).compile(model, compute_digest(model), None)
    session = ort.InferenceSession(made.folder / MODEL_FILE, providers=["CPUExecutionProvider"])
    with np.load(made.folder / PROBES_FILE) as probes:
        (answer,) = session.run(["y"], {"x": probes["in.x"]})
        np.testing.assert_allclose(answer, probes["out.y"], atol=1e-6)


@pytest.mark.anyio
async def test_another_spec_makes_another_compiled_model(settings: Settings, home: Path) -> None:
    wide = write_onnx(home / "models" / "wide.onnx", width=521)
    compiler = Compiler(settings)
    labels = tuple(f"label {index}" for index in range(521))
    plain = await compiler.compile(wide, compute_digest(wide), None)
    named = await compiler.compile(wide, compute_digest(wide), PartialSpec(labels=labels))
    assert plain.key != named.key
    assert (plain.report.spec.labels_named, named.report.spec.labels_named) == (False, True)
    with pytest.raises(errors.SpecInvalid, match="1 labels are given, but the model returns 521"):
        await compiler.compile(wide, compute_digest(wide), PartialSpec(labels=("one",)))


@pytest.mark.anyio
async def test_a_file_that_changed_after_registration_is_not_compiled(settings: Settings, model: Path) -> None:
    digest = compute_digest(model)
    model.write_bytes(model.read_bytes() + b"\x00")
    with pytest.raises(errors.FileChanged):
        await Compiler(settings).compile(model, digest, None)
    assert list(Compiler(settings).store.list_keys()) == []


@pytest.mark.anyio
async def test_refusals_of_the_child_are_raised_as_their_own_errors(settings: Settings, home: Path) -> None:
    pointer = home / "models" / "pointer.keras"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(errors.FormatUnknown) as unknown:
        await Compiler(settings).compile(pointer, compute_digest(pointer), None)
    assert "git lfs pull" in unknown.value.remedy
    foreign = write_onnx(
        home / "models" / "foreign.onnx", helper.make_node("Softmax", ["x"], ["y"], domain="com.example")
    )
    with pytest.raises(errors.ModelUnsafe, match=r"com\.example\.Softmax"):
        await Compiler(settings).compile(foreign, compute_digest(foreign), None)
    assert list(Compiler(settings).store.list_keys()) == []
    assert not (settings.var_dir / "scratch").exists()


@pytest.mark.anyio
async def test_a_file_with_another_formats_name_is_compiled_and_the_report_says_so(
    settings: Settings, model: Path
) -> None:
    misnamed = model.rename(model.with_suffix(".keras"))
    report = (await Compiler(settings).compile(misnamed, compute_digest(misnamed), None)).report
    assert report.format == "onnx"
    assert "named .keras and holds the format onnx" in report.notes[0]


def make_allocating_nodes(gigabytes: int) -> list[onnx.NodeProto]:
    """Return nodes for x plus a block of zeros that is allocated when the graph runs."""
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [gigabytes << 20, 256])
    return [
        helper.make_node("Constant", [], ["shape"], value=shape),
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]


@pytest.mark.anyio
async def test_a_small_file_that_asks_for_80_gb_meets_the_memory_limit(settings: Settings, home: Path) -> None:
    greedy = write_onnx(home / "models" / "greedy.onnx", *make_allocating_nodes(80))
    assert greedy.stat().st_size < 1000
    with pytest.raises(errors.CompileFailed, match=f"{settings.compile_memory_bytes} bytes") as refused:
        await Compiler(settings).compile(greedy, compute_digest(greedy), None)
    assert "UNDERSTUDY_COMPILE_MEMORY_BYTES" in refused.value.remedy


@pytest.mark.parametrize(
    ("changes", "detail", "setting"),
    [
        ({"compile_wall_seconds": 2.0}, "longer than 2 seconds", "UNDERSTUDY_COMPILE_WALL_SECONDS"),
        ({"compile_cpu_seconds": 2}, "more than 2 seconds of CPU", "UNDERSTUDY_COMPILE_CPU_SECONDS"),
        ({"compile_parity_seconds": 0.5}, "original took longer than 0.5", "UNDERSTUDY_COMPILE_PARITY_SECONDS"),
    ],
)
@pytest.mark.anyio
async def test_a_model_that_never_answers_is_ended(
    settings: Settings, home: Path, changes: dict[str, float], detail: str, setting: str
) -> None:
    model = write_endless(home / "models" / "endless.onnx")
    with pytest.raises(errors.CompileFailed, match=detail) as refused:
        await Compiler(settings.model_copy(update=changes)).compile(model, compute_digest(model), None)
    assert setting in refused.value.remedy


@pytest.mark.anyio
async def test_a_format_that_takes_long_to_find_out_is_refused_in_the_child(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_many_fields(home / "models" / "fields.onnx")
    with pytest.raises(errors.FormatUnknown):
        await Compiler(settings).compile(model, compute_digest(model), None)
    slow = Compiler(settings.model_copy(update={"compile_probe_seconds": 1e-6}))
    steps: list[str] = []
    with pytest.raises(errors.CompileFailed, match="format of the file took longer") as refused:
        await slow.compile(model, compute_digest(model), None, steps.append)
    assert "UNDERSTUDY_COMPILE_PROBE_SECONDS" in refused.value.remedy
    assert steps == ["queue", "copy", "probe"]


@pytest.mark.anyio
async def test_a_refusal_is_remembered_until_it_is_forgotten_or_the_conditions_change(
    settings: Settings, home: Path
) -> None:
    model = home / "models" / "foreign.onnx"
    write_onnx(model, helper.make_node("Softmax", ["x"], ["y"], domain="com.example"))
    digest = compute_digest(model)

    async def compile_by(compiler: Compiler) -> tuple[str, list[str]]:
        steps: list[str] = []
        with pytest.raises(errors.ModelUnsafe) as refused:
            await compiler.compile(model, digest, None, steps.append)
        return refused.value.remedy, steps

    first, steps = await compile_by(Compiler(settings))
    assert "load" in steps
    again, steps = await compile_by(Compiler(settings))
    assert steps == []
    assert again == f"{first} This refusal is remembered; to try again all the same: understudy compile MODEL_ID."
    _, steps = await compile_by(Compiler(settings.model_copy(update={"compile_wall_seconds": 60.0})))
    assert "load" in steps
    _, steps = await compile_by(Compiler(settings))
    assert "load" in steps, "the refusal was made with other limits"
    await Compiler(settings).forget_refusal(digest, None)
    _, steps = await compile_by(Compiler(settings))
    assert "load" in steps
    for each in (settings.var_dir / "refusals").iterdir():
        each.write_text("damaged")
    _, steps = await compile_by(Compiler(settings))
    assert "load" in steps


def list_compile_children() -> list[psutil.Process]:
    """Processes of this one that compile; it may have others, such as the tests' PostgreSQL."""
    running = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in running if any("understudy.compiler" in part for part in child.cmdline())]


@pytest.mark.skipif(sys.platform != "linux", reason="the child is found among the processes")
@pytest.mark.anyio
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_child_that_another_process_ended_says_nothing_about_the_model(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """Where it happens three times, memory may be short: the model is left alone for some minutes."""
    model = write_endless(home / "models" / "endless.onnx")
    digest = compute_digest(model)
    ended: list[int] = []

    def end_at_probe(step: str) -> None:
        if step == "probe":
            for child in list_compile_children():
                ended.append(child.pid)
                os.kill(child.pid, number)

    compiler = Compiler(settings)
    for time_before in range(3):
        assert await compiler.find_refusal(digest, None) is None
        with pytest.raises(errors.CompilationEnded, match=number.name):
            await compiler.compile(model, digest, None, end_at_probe)
        assert len(ended) == time_before + 1
    assert isinstance(await compiler.find_refusal(digest, None), errors.CompilationEnded)
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    assert await compiler.find_refusal(digest, None) is None


@pytest.mark.anyio
async def test_quick_compilations_pass_slow_ones_also_of_other_processes(
    settings: Settings, model: Path, home: Path
) -> None:
    """Two compilations that never end take both lanes at first, and still a quick one gets through."""
    patient = settings.model_copy(update={"compile_quick_seconds": 0.2, "compile_parity_seconds": 600.0})
    endless = [write_endless(home / "models" / f"endless{width}.onnx", width) for width in (8, 16)]
    steps: list[list[str]] = [[], []]
    slow = [
        asyncio.create_task(Compiler(patient).compile(path, compute_digest(path), None, steps[index].append))
        for index, path in enumerate(endless)
    ]
    async with asyncio.timeout(60):
        while not all("slow" in each for each in steps):
            await asyncio.sleep(0.01)
        quick = await Compiler(settings).compile(model, compute_digest(model), None)
    assert quick.report.format == "onnx"
    assert not any(task.done() for task in slow)
    assert len(list_compile_children()) == 1, "the other one waits without a process"
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    assert not (settings.var_dir / "scratch").exists()


@pytest.mark.anyio
async def test_a_compilation_that_was_ended_in_the_quick_lane_succeeds_in_the_slow_one(
    settings: Settings, model: Path
) -> None:
    steps: list[str] = []
    hasty = settings.model_copy(update={"compile_quick_seconds": 1e-6})
    async with make_slow_lock(settings.var_dir):
        compiling = asyncio.create_task(Compiler(hasty).compile(model, compute_digest(model), None, steps.append))
        async with asyncio.timeout(60):
            while "slow" not in steps:
                await asyncio.sleep(0.01)
            async with make_compile_lock(settings.var_dir):  # it has left the quick lane
                assert not compiling.done()
    made = await compiling
    assert made.report.format == "onnx"
    assert steps[-1] == "store"


@pytest.mark.anyio
async def test_of_three_compilations_at_once_one_works_and_the_others_find_its_result(
    settings: Settings, model: Path
) -> None:
    steps: list[str] = []
    digest = compute_digest(model)
    made = await asyncio.gather(*(Compiler(settings).compile(model, digest, None, steps.append) for _ in range(3)))
    assert steps.count("load") == 1
    assert made[0] == made[1] == made[2]


@pytest.mark.anyio
async def test_a_compilation_does_not_block_the_event_loop(settings: Settings, model: Path) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await Compiler(settings).compile(model, compute_digest(model), None)
    ticking.cancel()
    assert ticks > 30


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_the_child_of_a_killed_server_ends(settings: Settings, home: Path) -> None:
    model = write_endless(home / "models" / "endless.onnx")
    script = (
        "import asyncio, sys; from pathlib import Path; from understudy.settings import Settings; "
        "from understudy.compiler.compiler import Compiler; "
        "from understudy.compiler.model_source import compute_digest; "
        "p = Path(sys.argv[2]); c = Compiler(Settings(home=Path(sys.argv[1]))); "
        "asyncio.run(c.compile(p, compute_digest(p), None, lambda step: print(step, flush=True)))"
    )
    with subprocess.Popen([sys.executable, "-c", script, home, model], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        while "parity" not in (line := server.stdout.readline()):
            assert line, "the compilation ended early"
        children = psutil.Process(server.pid).children()
        assert children
        os.kill(server.pid, signal.SIGKILL)
    gone, alive = psutil.wait_procs(children, timeout=30)
    assert (len(gone), alive) == (len(children), [])
    assert (settings.var_dir / "scratch").exists()
    narrow = write_onnx(home / "models" / "next.onnx", width=4)
    asyncio.run(Compiler(settings).compile(narrow, compute_digest(narrow), None))
    assert not (settings.var_dir / "scratch").exists()


@pytest.mark.frameworks
@pytest.mark.anyio
async def test_a_keras_file_is_compiled_under_every_limit_of_this_platform(
    settings: Settings, home: Path, model_files: Path
) -> None:
    model = home / "models" / "dense.keras"
    shutil.copy(model_files / "keras3-dense.keras", model)
    made = await Compiler(settings).compile(model, compute_digest(model), PartialSpec(labels=("dog", "rain", "siren")))
    report = made.report
    assert report.framework.startswith("keras 3.")
    assert report.max_abs_error <= 1e-5
    assert report.spec.labels == ("dog", "rain", "siren")
    assert {"keras", "tf2onnx", "onnxruntime"} <= set(report.versions)
    held = {"environment", "wall_clock"}
    if sys.platform == "linux":
        held |= {"memory", "cpu", "file_size", "open_files", "core_dumps", "network", "programs"}
        held |= {"filesystem"} if landlock.read_abi_version() else set()
    assert held <= set(report.isolation)
    stored = json.loads((made.folder / "report.json").read_text())
    assert stored["key"] == made.key


@pytest.mark.frameworks
@pytest.mark.anyio
async def test_a_tflite_file_that_onnx_does_not_carry_is_stored_as_it_is_and_hears(
    settings: Settings, home: Path, model_files: Path, wav: bytes
) -> None:
    model = home / "models" / "yammy.tflite"
    shutil.copy(model_files / "tflite-yammy.tflite", model)
    spec = PartialSpec(labels=("dog", "rain", "siren"), window_seconds=1.0)
    made = await Compiler(settings).compile(model, compute_digest(model), spec)
    report = made.report
    assert report.runtime is Runtime.LITERT
    assert compute_digest(made.folder / "model.tflite") == report.onnx_digest == compute_digest(model)
    assert sorted(path.name for path in made.folder.iterdir()) == ["model.tflite", "probes.npz", "report.json"]
    assert (report.graph_activation, [output.shape for output in report.outputs]) == (
        OutputActivation.SIGMOID,
        [(None, 3), (None, 64), (None, 8)],
    )
    assert "ComplexAbs" in report.notes[-1]
    pipeline = Pipeline.load(made.folder, backbone=None, max_whole_clip_seconds=60)
    assert pipeline.warm_up() <= report.max_abs_error + 1e-6
    analysis = pipeline.analyze(open_clip(io.BytesIO(wav), AudioLimits(60.0)))
    assert set(analysis.scores) == {"dog", "rain", "siren"}
    assert all(0 <= score <= 1 for score in analysis.scores.values())


@pytest.mark.frameworks
@pytest.mark.anyio
async def test_lambda_code_in_an_h5_file_never_runs(settings: Settings, home: Path, model_files: Path) -> None:
    model = home / "models" / "lambda.h5"
    shutil.copy(model_files / "keras2-lambda.h5", model)
    with pytest.raises(errors.ModelUnsafe, match="Lambda") as refused:
        await Compiler(settings).compile(model, compute_digest(model), None)
    assert "standard layers" in refused.value.remedy


def test_the_server_side_of_the_compiler_imports_no_framework() -> None:
    code = (
        "import sys, understudy.compiler.compiler; "
        "print({'tensorflow', 'keras', 'tf_keras', 'tf2onnx', 'h5py', 'ai_edge_litert'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"


def test_without_the_frameworks_a_keras_file_is_refused_with_the_install_command(model_files: Path) -> None:
    code = (
        "import sys; from pathlib import Path; sys.modules |= dict.fromkeys(('tensorflow', 'keras', 'h5py'))\n"
        "from understudy.compiler.formats.open_source import open_source\n"
        "from understudy.schemas.compiler.model_format import ModelFormat\n"
        "from understudy.errors import CompilerMissing\n"
        "try: open_source(Path(sys.argv[1]), ModelFormat.H5, None, 1 << 30)\n"
        "except CompilerMissing as error: print(error.detail, error.remedy)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, model_files / "keras3-dense.h5"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "needs the package h5py" in done.stdout
    assert "pip install '.[compiler]'" in done.stdout
