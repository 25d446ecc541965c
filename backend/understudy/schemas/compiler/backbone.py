"""An embedding model that runs before other models: how a person describes it, and what its installation records."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import InputKind, InputSpec, PartialInputSpec, Tail


class BackboneSpec(PartialInputSpec):
    """A backbone's way from a recording to its input, as a person writes it, and the output that is the embedding."""

    output: str | None = Field(default=None, description="Name of the output; may be left out where there is one")

    @model_validator(mode="after")
    def _computes_its_input(self) -> Self:
        if self.input not in (None, InputKind.WAVEFORM, InputKind.FEATURES):
            raise ValueError(f"a backbone takes a waveform or the features of a `front_end`, not {self.input.value!r}")
        if self.tail is Tail.KEEP:
            raise ValueError("the windows of a backbone are equally long: tail is 'pad' or 'drop'")
        return self


class BackboneOut(BaseModel):
    """An installed backbone, as a status and a list show it."""

    model_config = ConfigDict(frozen=True)

    name: str
    digest: str = Field(description="SHA-256 over the model file, the way to its input and the output that is used")
    width: int = Field(description="Number of values of an embedding")
    sample_rate: int | str = Field(description="Hz; `file`: the recording's own")
    window_seconds: float | None = Field(description="Sound of one embedding; null: whatever a model on it takes")
    hop_seconds: float | None
    bytes: int
    installed_at: datetime


class BackboneManifest(BaseModel):
    """`backbone.json` of an installed backbone; `report` is about its graph, which was compiled for tensors."""

    model_config = ConfigDict(frozen=True)

    name: str
    digest: str
    spec: InputSpec
    output: str
    width: Annotated[int, Field(ge=1)]
    joinable: bool = Field(description="An item has the same embedding beside others as alone")
    report: CompileReport
    installed_at: datetime

    def to_answer(self) -> BackboneOut:
        """Return what a status and a list show."""
        return BackboneOut(
            name=self.name,
            digest=self.digest,
            width=self.width,
            sample_rate=self.spec.sample_rate,
            window_seconds=self.spec.window_seconds,
            hop_seconds=self.spec.hop_seconds,
            bytes=self.report.onnx_bytes,
            installed_at=self.installed_at,
        )
