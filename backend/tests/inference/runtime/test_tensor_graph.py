"""Raw tensors in and out."""

from typing import Any

import numpy as np
import pytest

from understudy.errors import CannotServe, RequestInvalid

SPEC: dict[str, Any] = {"input": "tensor", "labels": ()}


@pytest.fixture
def pipeline(load: Any, mean_graph: Any) -> Any:
    return load(mean_graph(["n", 4], [1.0, 2.0]), probe={"x": np.ones((1, 4), np.float32)}, **SPEC)


def test_outputs_come_back_by_name(pipeline: Any) -> None:
    answer = pipeline.graph.run({"x": np.full((3, 4), 0.5, np.float32)})
    np.testing.assert_allclose(answer["y"], [[0.5, 1.0]] * 3)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "takes"),
        ({"z": np.ones((1, 4), np.float32)}, "takes"),
        ({"x": np.ones((1, 4), np.float64)}, "float32"),
        ({"x": np.ones((1, 5), np.float32)}, r"\[1, 5\]"),
        ({"x": np.ones(4, np.float32)}, r"\[4\]"),
    ],
)
def test_inputs_that_the_graph_does_not_take_are_refused(pipeline: Any, inputs: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestInvalid, match=words):
        pipeline.graph.check(inputs)


def test_failure_within_the_graph_is_typed(load: Any, graph: Any) -> None:
    model = graph({"x": ["n"]}, {"y": ["m", 7]}, [("Reshape", ["x", "rows"], ["y"], {})], {"rows": np.array([-1, 7])})
    pipeline = load(model, probe={"x": np.ones(14, np.float32)}, **SPEC)
    with pytest.raises(CannotServe, match="failed"):
        pipeline.graph.run({"x": np.ones(13, np.float32)})
