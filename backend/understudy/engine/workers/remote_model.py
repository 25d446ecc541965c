"""A model that the workers have loaded."""

import time
from collections import deque
from pathlib import Path

from understudy.engine.engine import BackboneFile
from understudy.inference.pipeline.verdict import Verdict
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import InputKind, Spec

# A model that ends this many workers within this time is set aside.
MAX_DEATHS = 3
WITHIN_SECONDS = 600.0


class RemoteModel:
    """Implements `EngineModel`. Messages name it by `number`."""

    def __init__(
        self, number: int, folder: Path, report: CompileReport, backbone: BackboneFile | None, step_seconds: float
    ) -> None:
        """`step_seconds` is the longest time that one step on this model may take."""
        self.number = number
        self.folder = folder
        self.backbone = backbone
        self.step_seconds = step_seconds
        self.verdict = None if report.spec.input is InputKind.TENSOR else Verdict(report.spec)
        self.kind = f"tensors of {number}".encode()  # of its requests for tensors, in the backlog
        self.join_rows = 0  # rows of different requests for tensors that may share a run, as a worker said last
        self.set_aside: str | None = None
        self.refused: str | None = None  # why a new worker could not load it
        self._report = report
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)

    @property
    def report(self) -> CompileReport:
        return self._report

    @property
    def spec(self) -> Spec:
        return self._report.spec

    @property
    def backbone_digest(self) -> str | None:
        return None if self.backbone is None else self.backbone.digest

    def count_death(self, reason: str) -> bool:
        """Count a worker that ended on this model; return True when the model is set aside because of it."""
        now = time.monotonic()
        self._deaths.append(now)
        if self.set_aside is not None or len(self._deaths) < MAX_DEATHS or now - self._deaths[0] > WITHIN_SECONDS:
            return False
        self.set_aside = f"It ended {MAX_DEATHS} worker processes within {WITHIN_SECONDS / 60:.0f} minutes: {reason}."
        return True
