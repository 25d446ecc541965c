"""Requests for tensors share runs where each gets the same answer as alone."""

import asyncio
from collections.abc import AsyncIterator
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from understudy.engine.scheduling.batcher import MAX_ROWS, Batcher
from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.errors import CannotServe, RequestInvalid
from understudy.inference.runtime.onnx_session import build_session
from understudy.inference.runtime.session import Tensors
from understudy.inference.runtime.tensor_graph import Graph
from understudy.serving.telemetry.counters import Counters

pytestmark = pytest.mark.anyio

TABLE = np.arange(20, dtype=np.float32).reshape(5, 4)


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(2)
    yield pool
    pool.close()


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def batcher(pool: WorkerPool, counters: Counters) -> Batcher:
    return Batcher(pool, counters.batches.observe)


def runs(counters: Counters) -> int:
    pairs, _ = counters.batches.read()
    return pairs[-1][1]


def graph_of(kind: str, dtype: int, shape: list[int | str], **attributes: Any) -> Graph:
    """y = kind(x), or rows of a table where `kind` is Gather."""
    inputs = ["table", "x"] if kind == "Gather" else ["x"]
    out = [shape[0], 4]
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node(kind, inputs, ["y"], **attributes)],
            "small",
            [helper.make_tensor_value_info("x", dtype, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
            [numpy_helper.from_array(TABLE, "table")] if kind == "Gather" else [],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    sample: NDArray[Any] = (
        np.zeros(2, np.int64) if kind == "Gather" else np.array([[1, 2, 3, 4], [4, 3, 2, 1]], np.float32)
    )
    return Graph(build_session(model.SerializeToString()), {"x": sample})


@pytest.fixture
def softplus() -> Graph:
    return graph_of("Softplus", TensorProto.FLOAT, ["n", 4])


def row(value: float, rows: int = 1) -> dict[str, NDArray[Any]]:
    return {"x": np.full((rows, 4), value, np.float32)}


async def many(batcher: Batcher, graph: Graph, requests: list[dict[str, NDArray[Any]]]) -> list[Any]:
    answers = await asyncio.gather(*(batcher.infer(graph, inputs) for inputs in requests), return_exceptions=True)
    return [answer if isinstance(answer, BaseException) else answer[0]["y"] for answer in answers]


async def test_requests_that_arrive_during_a_run_share_the_next_and_each_gets_its_own_rows(
    batcher: Batcher, softplus: Graph, counters: Counters
) -> None:
    sizes = [1, 3, 2] * 10
    answers = await many(batcher, softplus, [row(number, size) for number, size in enumerate(sizes)])
    for number, (answer, size) in enumerate(zip(answers, sizes, strict=True)):
        np.testing.assert_allclose(answer, np.full((size, 4), np.log1p(np.exp(number))), rtol=1e-5)
    assert runs(counters) < len(sizes)


async def test_lone_request_runs_at_once(batcher: Batcher, softplus: Graph, counters: Counters) -> None:
    await batcher.infer(softplus, row(1))
    assert (runs(counters), counters.batches.read()[1]) == (1, 1.0)


async def test_run_stays_within_its_rows(batcher: Batcher, softplus: Graph, counters: Counters) -> None:
    await many(batcher, softplus, [row(1, MAX_ROWS // 2 + 1)] * 4)
    assert runs(counters) == 4


async def test_graph_that_mixes_its_rows_is_never_shared(batcher: Batcher) -> None:
    mixing = graph_of("Softmax", TensorProto.FLOAT, ["n", 4], axis=0)
    answers = await many(batcher, mixing, [row(number) for number in range(20)])
    np.testing.assert_array_equal(answers, np.ones((20, 1, 4)))


async def test_graph_of_a_fixed_size_is_never_shared(batcher: Batcher) -> None:
    fixed = graph_of("Softplus", TensorProto.FLOAT, [1, 4])
    answers = await many(batcher, fixed, [row(0)] * 8)
    np.testing.assert_allclose(answers, np.full((8, 1, 4), np.log(2)), rtol=1e-6)


async def test_values_that_the_graph_fails_on_fail_their_own_request_only(batcher: Batcher) -> None:
    lookup = graph_of("Gather", TensorProto.INT64, ["n"])
    indices = [1, 99, 3, 0, -50, 2] * 3
    answers = await many(batcher, lookup, [{"x": np.array([index])} for index in indices])
    for index, answer in zip(indices, answers, strict=True):
        if index in (99, -50):
            assert isinstance(answer, CannotServe)
        else:
            np.testing.assert_array_equal(answer[0], TABLE[index])


async def test_what_the_graph_does_not_take_never_joins(batcher: Batcher, softplus: Graph) -> None:
    answers = await many(batcher, softplus, [row(0), {"x": np.ones((1, 5), np.float32)}, row(0)])
    assert isinstance(answers[1], RequestInvalid)
    np.testing.assert_allclose(answers[0], answers[2])


async def test_client_that_goes_away_is_not_run_and_the_others_get_their_answers(
    batcher: Batcher, softplus: Graph, counters: Counters
) -> None:
    tasks = [asyncio.create_task(batcher.infer(softplus, row(number))) for number in range(10)]
    await asyncio.sleep(0)
    tasks[4].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[4], asyncio.CancelledError)
    assert sum(isinstance(answer, tuple) for answer in answers) == 9
    assert counters.batches.read()[1] == 9


async def test_other_shapes_of_rows_are_not_joined(batcher: Batcher) -> None:
    def any_length(length: int) -> dict[str, NDArray[Any]]:
        return {"x": np.zeros((1, length), np.float32)}

    sequences = graph_of("Softplus", TensorProto.FLOAT, ["n", "t"])
    answers = await many(batcher, sequences, [any_length(2 + number % 3) for number in range(12)])
    assert [answer.shape for answer in answers] == [(1, 2 + number % 3) for number in range(12)]


async def test_requests_that_wait_for_a_run_are_counted(
    batcher: Batcher, softplus: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, run = Event(), softplus.run

    def run_late(inputs: Tensors) -> dict[str, NDArray[Any]]:
        assert counted.wait(30)
        return run(inputs)

    monkeypatch.setattr(softplus, "run", run_late)
    tasks = [asyncio.create_task(batcher.infer(softplus, row(number))) for number in range(10)]
    await asyncio.sleep(0)
    assert batcher.waiting == 9  # the first runs
    counted.set()
    await asyncio.gather(*tasks)
    assert batcher.waiting == 0


async def test_inputs_of_unequal_rows_never_meet_those_of_another_request(batcher: Batcher) -> None:
    wide: list[str | int | None] = ["n", 4]
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Add", ["p", "q"], ["y"])],
            "sum",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, wide) for name in ("p", "q")],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, wide)],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    sample = {name: np.ones((2, 4), np.float32) for name in ("p", "q")}
    graph = Graph(build_session(model.SerializeToString()), sample)

    def request(first: int, second: int, value: float) -> dict[str, NDArray[Any]]:
        return {"p": np.full((first, 4), value, np.float32), "q": np.full((second, 4), value, np.float32)}

    requests = [request(*((2, 1), (1, 2))[number % 2], float(number)) for number in range(13)]
    answers = await many(batcher, graph, requests)
    for number, answer in enumerate(answers):
        np.testing.assert_array_equal(answer, np.full((2, 4), 2.0 * number))
