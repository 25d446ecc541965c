"""Commands that change the live model: activate, rollback."""

from typing import Annotated

import typer

from understudy.cli.backends.backend import Backend
from understudy.cli.follow_operation import follow_operation
from understudy.cli.framework.command import command
from understudy.cli.framework.options import ModelId, Reason, TensorsOnly
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.server.operation import Operation

group = typer.Typer()


@command(group, "activate", example="understudy activate 2", remote=True)
async def activate(
    session: Session,
    model_id: ModelId,
    precision: Annotated[
        Precision,
        typer.Option("--precision", help="int8 needs the int8 variant: understudy compile MODEL_ID --precision int8."),
    ] = Precision.FLOAT32,
    tensors_only: TensorsOnly = False,
    reason: Reason = None,
) -> None:
    """Make a model live: verify, compile, warm up, commit. Running servers follow. If a step fails, nothing changes."""
    async with session.open_backend() as backend:
        started = await backend.activate(model_id, precision, tensors_only=tensors_only, reason=reason)
        await _follow(session, backend, started)


@command(group, "rollback", example="understudy rollback", remote=True)
async def rollback(session: Session, reason: Reason = None) -> None:
    """Activate the model that was live before the current one."""
    async with session.open_backend() as backend:
        await _follow(session, backend, await backend.roll_back(reason))


async def _follow(session: Session, backend: Backend, operation: Operation) -> None:
    done = await follow_operation(backend, operation, session.output)
    name = f"{done.model.model_name} (model {done.model_id})" if done.model else f"Model {done.model_id}"
    line = f"{name} is active, generation {done.generation}."
    warnings = [to_text(warning, "yellow") for warning in done.warnings]
    session.output.print_answer(done, to_text(line, "bold green"), *warnings)
