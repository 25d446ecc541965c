"""LiteRT sessions answer as ONNX sessions do: by name, in any batch, on several threads, with typed errors."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests import tflite_files
from understudy.errors import CannotServe, RuntimeMissing
from understudy.inference.runtime.litert_session import LiteRtSession
from understudy.inference.runtime.session import RunFailed
from understudy.inference.runtime.session_loading import load_session
from understudy.inference.runtime.tensor_graph import Graph
from understudy.schemas.compiler.runtime import Runtime

ROWS = np.random.default_rng(5).standard_normal((7, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def dense() -> bytes:
    return tflite_files.write_dense()


def test_a_session_runs_any_batch_and_names_its_tensors(dense: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(dense)
    session = load_session(tmp_path / "model.tflite", Runtime.LITERT)
    assert [str(tensor) for tensor in (*session.inputs, *session.outputs)] == ["x [?, 4]", "y [?, 3]"]
    assert session.inputs[0].dtype == np.float32
    for count in (1, 7, 2):
        [scores] = session.run(["y"], {"x": ROWS[:count]}, keep_memory=count != 7)
        np.testing.assert_allclose(scores, tflite_files.compute_dense(ROWS[:count]), atol=1e-6)


def test_requests_share_a_run_when_rows_are_independent(dense: bytes) -> None:
    graph = Graph(LiteRtSession(dense), {"x": ROWS})
    assert graph.joinable
    together = graph.run_together([{"x": ROWS[:2]}, {"x": ROWS[2:]}])
    np.testing.assert_allclose(together[1]["y"], tflite_files.compute_dense(ROWS[2:]), atol=1e-6)


def test_a_fixed_batch_is_not_resized() -> None:
    session = LiteRtSession(tflite_files.write_dense(batch=2))
    assert session.inputs[0].shape == (2, 4)
    [scores] = session.run(["y"], {"x": ROWS[:2]})
    np.testing.assert_allclose(scores, tflite_files.compute_dense(ROWS[:2]), atol=1e-6)
    with pytest.raises(RunFailed, match="ResizeInputTensorStrict"):
        session.run(["y"], {"x": ROWS[:3]})


def test_a_run_that_fails_leaves_the_session_usable(dense: bytes) -> None:
    session = LiteRtSession(dense)
    for wrong in ({"z": ROWS}, {"x": ROWS.astype(np.int32)}, {"x": ROWS[:, :3]}):
        with pytest.raises(RunFailed):
            session.run(["y"], wrong)
    assert session.run(["y"], {"x": ROWS})[0].shape == (7, 3)


def test_several_threads_get_their_own_answers(dense: bytes) -> None:
    session = LiteRtSession(dense)

    def ask(seed: int) -> float:
        rows = np.random.default_rng(seed).standard_normal((seed % 9 + 1, 4)).astype(np.float32)
        [scores] = session.run(["y"], {"x": rows})
        return float(np.abs(scores - tflite_files.compute_dense(rows)).max())

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(ask, range(400))) < 1e-6


def test_a_state_inside_the_model_does_not_reach_the_next_run() -> None:
    session = LiteRtSession(tflite_files.write_recurrent())
    answers = [session.run(["y"], {"x": ROWS[:1]})[0] for _ in range(3)]
    np.testing.assert_allclose(answers[0], np.tanh(ROWS[:1] @ tflite_files.WEIGHT.T), atol=1e-6)
    np.testing.assert_array_equal(answers[1], answers[0])
    np.testing.assert_array_equal(answers[2], answers[0])


@pytest.mark.parametrize("cut", [8, 100, 400])
def test_a_damaged_file_is_a_typed_error(dense: bytes, cut: int) -> None:
    with pytest.raises(CannotServe, match="LiteRT cannot load"):
        LiteRtSession(dense[:cut])


def test_without_litert_the_error_names_the_command(dense: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(RuntimeMissing, match="LiteRT serves this model") as missing:
        LiteRtSession(dense)
    assert "litert" in missing.value.remedy
