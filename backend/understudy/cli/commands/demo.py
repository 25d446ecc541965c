"""From a fresh checkout to a true answer in one command."""

import asyncio
import shutil
import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

import understudy
from understudy.cli.backends.backend import Backend
from understudy.cli.commands.serve import run_server
from understudy.cli.follow_operation import follow_operation
from understudy.cli.framework.command import command
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text
from understudy.cli.views.prediction import format_prediction
from understudy.errors import FileMissing, NoActiveModel
from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.registry.model import ModelCreate, ModelOut
from understudy.schemas.registry.model_query import ModelQuery

group = typer.Typer()

_CHECKOUT = Path(understudy.__file__).resolve().parents[1]
_STARTER = "models/starter.keras"
_SIDECAR = "models/starter.spec.json"


class DemoStep(BaseModel):
    name: str
    skipped: bool
    detail: str
    seconds: float


class DemoReport(BaseModel):
    """Answer of `understudy demo`: each step, then what was heard, clip by clip."""

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

    What is done already is skipped; a model of yours that is active stays active.
    """
    report = asyncio.run(_run_steps(session))
    if session.output.as_json:
        session.output.print_answer(report)
    if not no_serve:
        run_server(session, session.load_settings(port=port))


async def _run_steps(session: Session) -> DemoReport:
    report = DemoReport(steps=[], predictions={})
    began = time.perf_counter()

    def done(name: str, detail: str, *, skipped: bool = False) -> None:
        nonlocal began
        seconds = time.perf_counter() - began
        report.steps.append(DemoStep(name=name, skipped=skipped, detail=detail, seconds=seconds))
        mark = "skipped" if skipped else f"{seconds:.1f} s"
        session.output.print_text(to_text(f"{name:<10} {mark:>8}  {detail}", "dim" if skipped else ""))
        began = time.perf_counter()

    _copy_starter(session.load_settings().home)
    async with session.open_backend() as backend:
        done("open", "database and folders are there")
        starter = await _find_starter(backend)
        if starter is None:
            starter = await backend.register(_build_request())
            done("register", f"{_STARTER} is model {starter.model_id}, {starter.model_name}")
        else:
            done("register", f"{_STARTER} is model {starter.model_id} already", skipped=True)
        active = await _find_active(backend)
        if active is None:
            await follow_operation(backend, await backend.activate(starter.model_id), session.output)
            done("activate", f"{starter.model_name} is active: compiled, checked against its framework, warmed up")
        else:
            done("activate", f"{active.model_name} (model {active.model_id}) is active already", skipped=True)
        from understudy.audio.demo_clips import find_demo_clips  # here, so that --help loads no audio library

        clips = [clip.path for clip in find_demo_clips()]
        for clip in clips:
            heard = await backend.predict(clip, None)
            report.predictions[clip.name] = heard
            session.output.print_text(format_prediction(clip.name, heard, top=3, windows=False))
        done("predict", f"{len(clips)} bundled clips")
    return report


def _copy_starter(home: Path) -> None:
    """A home elsewhere gets a copy of the starter model. Raises FileMissing where no copy is at hand."""
    for name in (_STARTER, _SIDECAR):
        there = home / name
        if there.exists():
            continue
        here = _CHECKOUT / name
        if not here.exists():
            raise FileMissing(
                f"The starter model's {name} is not part of this installation.", remedy="Run it in a checkout."
            )
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(here, there)


async def _find_starter(backend: Backend) -> ModelOut | None:
    found = await backend.list(ModelQuery(q=_STARTER))
    return next((model for model in found.models if model.file_path == _STARTER), None)


async def _find_active(backend: Backend) -> ModelOut | None:
    try:
        return await backend.get_active()
    except NoActiveModel:
        return None


def _build_request() -> ModelCreate:
    return ModelCreate(
        model_name="Starter",
        version="v1",
        file_path=_STARTER,
        model_type="log_mel",
        description="Small model of everyday sounds that needs no backbone.",
        accuracy=Decimal("0.9"),  # over ESC-10's five folds: models/README.md
    )
