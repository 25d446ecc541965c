"""Commands that change the live model: activate, rollback."""

from collections.abc import Awaitable
from typing import Annotated

import typer

from understudy.cli.backends.backend import Backend
from understudy.cli.follow_operation import follow_operation
from understudy.cli.framework.command import command
from understudy.cli.framework.exit_codes import BEHIND
from understudy.cli.framework.options import (
    FailFleet,
    ModelId,
    OverrideFreeze,
    Reason,
    RolloutTimeout,
    TensorsOnly,
    WaitAll,
    build_rollout,
)
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text
from understudy.cli.views.rollout import format_rollout
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
    override_freeze: OverrideFreeze = False,
    wait_all: WaitAll = False,
    seconds: RolloutTimeout = None,
    fail_fleet: FailFleet = None,
) -> None:
    """Make a model live: verify, compile, warm up, commit. Running servers follow. If a step fails, nothing changes."""
    rollout = build_rollout(wait_all, seconds, fail_fleet)
    async with session.open_backend() as backend:
        started = backend.activate(
            model_id,
            precision,
            tensors_only=tensors_only,
            reason=reason,
            override_freeze=override_freeze,
            rollout=rollout,
        )
        await follow_activation(session, backend, started)


@command(group, "rollback", example="understudy rollback", remote=True)
async def rollback(
    session: Session,
    reason: Reason = None,
    override_freeze: OverrideFreeze = False,
    wait_all: WaitAll = False,
    seconds: RolloutTimeout = None,
    fail_fleet: FailFleet = None,
) -> None:
    """Activate the model that was live before the current one."""
    rollout = build_rollout(wait_all, seconds, fail_fleet)
    async with session.open_backend() as backend:
        started = backend.roll_back(reason, rollout, override_freeze=override_freeze)
        await follow_activation(session, backend, started)


async def follow_activation(session: Session, backend: Backend, starting: Awaitable[Operation]) -> None:
    """Wait until an activation that begins now is done, and print the model that is live."""
    with session.output.show_progress() as progress:
        progress.add_task("starting", total=None)
        started = await starting
    done = await follow_operation(backend, started, session.output)
    name = f"{done.model.model_name} (model {done.model_id})" if done.model else f"Model {done.model_id}"
    line = f"{name} is active, generation {done.generation}."
    warnings = [to_text(warning, "yellow") for warning in done.warnings]
    rollout = format_rollout(done.rollout) if done.rollout else []
    session.output.print_answer(done, to_text(line, "bold green"), *warnings, *rollout)
    if done.rollout is not None and not done.rollout.complete:
        raise typer.Exit(BEHIND)
