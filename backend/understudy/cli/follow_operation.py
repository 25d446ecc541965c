"""Waits for an activation and shows its progress."""

import asyncio

from understudy.cli.backends.backend import Backend
from understudy.cli.framework.output import Output
from understudy.errors.problem_documents import error_from_problem
from understudy.schemas.server.operation import Operation, OperationState, Step

_POLL_SECONDS = 0.1

_STEP_LABELS = {
    Step.VERIFY: "reading the file",
    Step.COMPILE: "compiling",
    Step.WARM_UP: "warming up",
    Step.COMMIT: "committing",
    Step.SWAP: "swapping",
}


async def follow_operation(backend: Backend, operation: Operation, output: Output) -> Operation:
    """Poll until the operation ends, and return it when it has succeeded. Raises the error that it failed with."""
    with output.show_progress() as progress:
        task = progress.add_task(_STEP_LABELS[operation.step], total=1.0)
        while operation.state is OperationState.RUNNING:
            await asyncio.sleep(_POLL_SECONDS)
            operation = await backend.get_operation(operation.operation_id)
            progress.update(task, description=_STEP_LABELS[operation.step], completed=operation.progress)
    if operation.state is OperationState.FAILED:
        raise error_from_problem(operation.error.model_dump() if operation.error else {})
    return operation
