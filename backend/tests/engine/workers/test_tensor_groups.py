"""Requests for tensors that arrive together travel as one, and each gets its own rows, error or end."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from understudy.engine.workers.remote_model import RemoteModel
from understudy.engine.workers.tensor_groups import Answer, SharedRunBroken, Sharing, TensorGroups
from understudy.errors import CannotServe, WorkerDied
from understudy.inference.runtime.session import Tensors
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import InputKind

pytestmark = pytest.mark.anyio


class Doubling:
    """Answers twice the input; `broken` fails joined requests, and a value of `poison` fails its own request."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.broken: Exception | None = None
        self.poison = np.nan
        self.extra_rows = 0
        self.release = asyncio.Event()
        self.release.set()

    async def __call__(self, model: RemoteModel, inputs: Tensors, sharing: Sharing) -> Answer:
        shared = sharing is Sharing.JOINED
        self.sizes.append(len(inputs["x"]))
        await asyncio.sleep(0)
        await self.release.wait()
        if shared and self.broken is not None:
            raise self.broken
        if (inputs["x"] == self.poison).any():
            raise CannotServe("poison")
        rows = np.resize(inputs["x"] * 2, (len(inputs["x"]) + (self.extra_rows if shared else 0), 2))
        return {"y": rows}, 1.5


@pytest.fixture
def model() -> RemoteModel:
    report = cast("CompileReport", SimpleNamespace(spec=SimpleNamespace(input=InputKind.TENSOR)))
    created = RemoteModel(1, Path(), report, None, 1.0)
    created.join_rows = 8
    return created


def ask(groups: TensorGroups, model: RemoteModel, *values: float) -> "asyncio.Task[Answer]":
    rows = np.repeat(np.array(values, np.float32)[:, None], 2, axis=1)
    return asyncio.create_task(groups.infer(model, {"x": rows}))


async def read(*tasks: "asyncio.Task[Answer]") -> list[list[float]]:
    return [cast("list[float]", outputs["y"][:, 0].tolist()) for outputs, _ in await asyncio.gather(*tasks)]


async def test_requests_of_one_turn_travel_as_one_up_to_the_rows_of_a_run(model: RemoteModel) -> None:
    run = Doubling()
    groups = TensorGroups(run)
    tasks = [ask(groups, model, float(number), number + 0.5) for number in range(6)]
    assert await read(*tasks) == [[2.0 * number, 2.0 * number + 1] for number in range(6)]
    assert run.sizes == [2, 8, 2]


async def test_requests_travel_alone_where_nothing_says_that_they_may_join(model: RemoteModel) -> None:
    run = Doubling()
    groups = TensorGroups(run)
    model.join_rows = 0
    assert await read(*(ask(groups, model, float(number)) for number in range(3))) == [[0.0], [2.0], [4.0]]
    assert run.sizes == [1, 1, 1]


@pytest.mark.parametrize(
    "broken", [SharedRunBroken(), CannotServe("all"), WorkerDied("it ended"), OSError("no descriptor is left"), None]
)
async def test_each_request_gets_its_own_end_where_the_joined_one_fails(
    model: RemoteModel, broken: Exception | None
) -> None:
    run = Doubling()
    run.broken, run.poison, run.extra_rows = broken, 2, 1
    groups = TensorGroups(run)
    first, good, bad, last = (ask(groups, model, float(number)) for number in range(4))
    assert await read(first, good, last) == [[0.0], [2.0], [6.0]]
    with pytest.raises(CannotServe, match="poison"):
        await bad
    assert run.sizes == [1, 3, 1, 1, 1]


async def test_answer_of_another_number_of_rows_is_given_to_nobody(model: RemoteModel) -> None:
    run = Doubling()
    run.extra_rows = 1
    groups = TensorGroups(run)
    assert await read(*(ask(groups, model, float(number)) for number in range(3))) == [[0.0], [2.0], [4.0]]
    assert run.sizes == [1, 2, 1, 1]


async def test_client_that_leaves_fails_nobody_else_and_the_last_one_ends_the_run(model: RemoteModel) -> None:
    run = Doubling()
    run.release.clear()
    groups = TensorGroups(run)
    first, gone, stays = (ask(groups, model, float(number)) for number in range(3))
    while len(run.sizes) < 2:
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    run.release.set()
    assert await read(first, stays) == [[0.0], [4.0]]
    run.release.clear()
    first, *both = (ask(groups, model, float(number)) for number in range(3))
    while len(run.sizes) < 4:
        await asyncio.sleep(0)
    for task in both:
        task.cancel()
    await asyncio.gather(*both, return_exceptions=True)
    async with asyncio.timeout(10):
        await groups.close()
    run.release.set()
    assert await read(first) == [[0.0]]
    assert not groups._tasks


async def test_closing_ends_the_requests(model: RemoteModel) -> None:
    run = Doubling()
    run.release.clear()
    groups = TensorGroups(run)
    alone, *joined = (ask(groups, model, float(number)) for number in range(3))
    while len(run.sizes) < 2:
        await asyncio.sleep(0)
    await groups.close()
    ends = await asyncio.gather(*joined, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 2
    alone.cancel()
