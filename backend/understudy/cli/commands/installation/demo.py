"""The command that takes a fresh checkout to its first predictions."""

import asyncio
import filecmp
import shutil
import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

import understudy
from understudy.cli.backends.backend import Backend
from understudy.cli.commands.installation.serve import run_server
from understudy.cli.follow_operation import follow_operation
from understudy.cli.framework.command import command
from understudy.cli.framework.output import Output
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text
from understudy.cli.views.prediction import format_prediction
from understudy.demo_files import DEMO_FOLDER
from understudy.errors import ActiveModelNotFound, FileMissing
from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.registry.model import ModelCreate, ModelOut
from understudy.schemas.registry.model_query import ModelQuery

group = typer.Typer()

_CHECKOUT_MODELS = Path(understudy.__file__).resolve().parents[1] / "models"
_SIDECAR = "starter.spec.json"
_BUNDLED = ((_CHECKOUT_MODELS, "starter.keras"), (DEMO_FOLDER, "starter.onnx"))


class DemoStep(BaseModel):
    name: str
    skipped: bool
    detail: str
    seconds: float


class DemoReport(BaseModel):
    """The answer of `understudy demo`: each step, and the prediction of each clip by its file name."""

    steps: list[DemoStep]
    predictions: dict[str, Prediction]


@command(group, "demo", example="understudy demo --port 8000")
def demo(
    session: Session,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, show_default=False, help="Port (UNDERSTUDY_PORT; 8000).")
    ] = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop after the predictions.")] = False,
) -> None:
    """Register and activate the starter model, predict the bundled clips, then serve.

    Steps that are done already are skipped. If another model is active, it stays active.
    """
    report = asyncio.run(_run_steps(session))
    if session.output.as_json:
        session.output.print_answer(report)
    if not no_serve:
        run_server(session, session.load_settings(port=port))


class _Steps:
    """Measures and prints the steps, and collects the report."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._began = time.perf_counter()
        self.report = DemoReport(steps=[], predictions={})

    def finish(self, name: str, detail: str, *, skipped: bool = False) -> None:
        """Record the step that ends now; it began when the previous one ended."""
        seconds = time.perf_counter() - self._began
        self.report.steps.append(DemoStep(name=name, skipped=skipped, detail=detail, seconds=seconds))
        duration = "skipped" if skipped else f"{seconds:.1f} s"
        self._output.print_text(to_text(f"{name:<10} {duration:>8}  {detail}", "dim" if skipped else ""))
        self._began = time.perf_counter()


async def _run_steps(session: Session) -> DemoReport:
    steps = _Steps(session.output)
    home = session.load_settings().home
    path = _copy_starter(home)
    async with session.open_backend() as backend:
        steps.finish("open", "the database and the folders are ready")
        starter = await _register_starter(backend, home, path, steps)
        await _activate_starter(backend, starter, session.output, steps)
        await _predict_clips(backend, session.output, steps)
    return steps.report


async def _register_starter(backend: Backend, home: Path, path: str, steps: _Steps) -> ModelOut:
    found = await backend.list(ModelQuery(q=path))
    starter = next((model for model in found.models if model.file_path == path), None)
    if starter is not None:
        steps.finish("register", f"{path} is already registered as model {starter.model_id}", skipped=True)
        return starter
    starter = await backend.register(_build_request(path))
    detail = f"{path} is registered as model {starter.model_id}, {starter.model_name}"
    if _is_bundled(home / path):
        examples = await backend.set_examples(starter.model_id, DEMO_FOLDER / "clips" / "examples.csv")
        detail += f", with {len(examples.examples)} examples"
    steps.finish("register", detail)
    return starter


async def _activate_starter(backend: Backend, starter: ModelOut, output: Output, steps: _Steps) -> None:
    try:
        active = await backend.get_active()
    except ActiveModelNotFound:
        await follow_operation(backend, await backend.activate(starter.model_id), output)
        steps.finish("activate", f"{starter.model_name} is active: compiled, compared with the original, warmed up")
    else:
        steps.finish("activate", f"{active.model_name} (model {active.model_id}) is already active", skipped=True)


async def _predict_clips(backend: Backend, output: Output, steps: _Steps) -> None:
    from understudy.audio.demo_clips import find_demo_clips  # here, so that --help loads no audio library

    clips = [clip.path for clip in find_demo_clips()]
    for clip in clips:
        prediction = await backend.predict(clip, None)
        steps.report.predictions[clip.name] = prediction
        output.print_text(format_prediction(clip.name, prediction, top=3, windows=False))
    steps.finish("predict", f"{len(clips)} bundled clips")


def _copy_starter(home: Path) -> str:
    """Copy the starter model and its spec into `home` unless they are there; return the model's path below `home`.

    A checkout holds the Keras file that was trained. A wheel holds the ONNX form that was made from it, which needs no
    training framework. Raises FileMissing when this installation has neither.
    """
    for folder, name in _BUNDLED:
        target = home / "models" / name
        if target.exists() or (folder / name).exists():
            break
    else:
        raise FileMissing(
            "The starter model is not part of this installation.",
            remedy="Install Understudy's wheel, or clone its repository and run `make demo` there.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    for source in (folder / name, folder / _SIDECAR):
        copy = target.parent / source.name
        if not copy.exists():
            shutil.copyfile(source, copy)
    return f"models/{name}"


def _is_bundled(model: Path) -> bool:
    """True when `model` is a copy of the bundled starter model, whose scores of the demo clips are known."""
    return any(
        name == model.name and (folder / name).exists() and filecmp.cmp(folder / name, model, shallow=False)
        for folder, name in _BUNDLED
    )


def _build_request(path: str) -> ModelCreate:
    return ModelCreate(
        model_name="Starter",
        version="v1",
        file_path=path,
        model_type="log_mel",
        description="Small model of everyday sounds that needs no backbone.",
        accuracy=Decimal("0.9"),  # over the five folds of ESC-10: models/README.md
    )
