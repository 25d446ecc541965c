"""Sessions and threads."""

from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from understudy.errors import CannotServe
from understudy.inference.runtime.blas_threads import pin_blas
from understudy.inference.runtime.onnx_session import build_session


def test_session_runs_from_bytes_and_from_a_file(mean_graph: Any, tmp_path: Any) -> None:
    body = mean_graph(["n", 4], [1.0])
    path = tmp_path / "model.onnx"
    path.write_bytes(body)
    for model in (body, path, str(path)):
        session = build_session(model)
        assert session._session.get_session_options().intra_op_num_threads == 1
        assert session.run(["y"], {"x": np.ones((1, 4), np.float32)})[0].tolist() == [[1.0]]


@pytest.mark.parametrize("body", [b"", b"not a graph", b"\x08\x0a"])
def test_what_is_no_graph_is_a_typed_error(body: bytes) -> None:
    with pytest.raises(CannotServe, match="cannot load"):
        build_session(body)


def test_missing_file_is_a_typed_error(tmp_path: Any) -> None:
    with pytest.raises(CannotServe, match="cannot load"):
        build_session(tmp_path / "absent.onnx")


def test_pinned_blas_has_one_thread() -> None:
    pin_blas()
    assert {pool["num_threads"] for pool in threadpool_info()} <= {1}
