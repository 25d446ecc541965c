"""A model that this process has loaded."""

from dataclasses import dataclass

from understudy.inference.pipeline.pipeline import Pipeline
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import Spec


@dataclass(frozen=True, eq=False)
class LocalModel:
    """Implements `EngineModel` with a pipeline of this process."""

    pipeline: Pipeline

    @property
    def report(self) -> CompileReport:
        return self.pipeline.report

    @property
    def spec(self) -> Spec:
        return self.pipeline.spec

    @property
    def backbone_digest(self) -> str | None:
        return self.pipeline.backbone_digest
