"""Computes the work of every peer: the same files, decoded, transformed and inferred by the same functions.

A server finds its task in the environment: BENCH_TASK (hear, dense), BENCH_MODEL (folder of the compiled head),
BENCH_BACKBONE and BENCH_DENSE (ONNX files), BENCH_CORES and BENCH_PORT.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.audio.opening import AudioLimits, open_clip
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.inference.runtime.blas_threads import pin_blas
from understudy.inference.runtime.onnx_session import build_session

Array = NDArray[np.float32]
CORES = int(os.environ.get("BENCH_CORES") or os.cpu_count() or 1)
_LIMITS = AudioLimits(3600.0)


def task() -> str:
    return os.environ["BENCH_TASK"]


def port() -> int:
    return int(os.environ["BENCH_PORT"])


def ear(model: str | None = None) -> Callable[[bytes], dict[str, Any]]:
    """A function from a recording to label, score and scores; `model` is a compiled folder other than BENCH_MODEL."""
    pipeline = pipeline_of(Path(model or os.environ["BENCH_MODEL"]), Path(os.environ["BENCH_BACKBONE"]))

    def hear(recording: bytes) -> dict[str, Any]:
        found = pipeline.analyze(open_clip(io.BytesIO(recording), _LIMITS))
        return {"label": found.label, "score": found.score, "scores": found.scores}

    return hear


def dense() -> Callable[[Any], Array]:
    """A function from rows of 8 numbers to float32 rows of 4."""
    session = build_session(Path(os.environ["BENCH_DENSE"]))

    def infer(rows: Any) -> Array:
        [answer] = session.run(["y"], {"x": np.asarray(rows, np.float32)})
        return np.asarray(answer)

    return infer


def pipeline_of(model: Path, backbone: Path) -> Pipeline:
    """A warm pipeline; BLAS has one thread from here on."""
    pin_blas()
    pipeline = Pipeline.load(model, backbone=YamnetBackbone.load(backbone), max_whole_clip_seconds=_LIMITS.max_seconds)
    pipeline.warm_up()
    return pipeline
