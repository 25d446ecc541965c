"""One registered model, with what is known about its spec and labels."""

from pydantic import BaseModel, Field

from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.examples import ExamplesSummary
from understudy.schemas.registry.model import ModelOut
from understudy.schemas.registry.pipeline_step import PipelineStep


class LabelFile(BaseModel):
    """A file beside a model that may hold its labels. It is offered and never used unasked."""

    file_path: str = Field(description="Relative to the backend folder")
    labels: tuple[str, ...] | None = Field(description="In the file's order; null when the file cannot be used")
    note: str | None = Field(description="Why the file cannot be used, or that its encoding was guessed")


class ModelDetail(ModelOut):
    """One registered model: its row, what is known about its file, and its spec."""

    given_spec: PartialSpec | None = Field(
        description="The fields given at registration or by an update; they win over the sidecar and the file"
    )
    spec_pending: bool = Field(
        description="The spec was changed, and the model answers with the earlier one until it is activated again"
    )
    label_count: int | None = Field(
        description="Labels that the model needs, one for each output; null until it is compiled"
    )
    labels_named: bool | None = Field(
        description="False when class_0, class_1, … stand in for labels; null until the model is compiled"
    )
    preset: str | None = Field(description="The preset that the compiled model's spec names")
    pipeline: tuple[PipelineStep, ...] = Field(
        description="The way from a recording to its label; empty until the model is compiled"
    )
    label_files: tuple[LabelFile, ...] = Field(description="Files beside the model that may hold its labels")
    examples: ExamplesSummary = Field(description="The author's examples, and how the served answers compare")
    notes: tuple[str, ...] = Field(description="What a person should know about the spec and the labels, as sentences")
