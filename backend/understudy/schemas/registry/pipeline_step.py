"""The way from a recording to its label, step by step, for people to read."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class StepKind(StrEnum):
    """A step of the way, in the order of the steps."""

    RECORDING = "recording"
    SOUND = "sound"
    WINDOWS = "windows"
    FRONT_END = "front_end"
    BACKBONE = "backbone"
    POOLING = "pooling"
    ARRANGEMENT = "arrangement"
    NETWORK = "network"
    ACTIVATION = "activation"
    AGGREGATION = "aggregation"
    VERDICT = "verdict"


class PipelineFact(BaseModel):
    """A parameter of a step, under its name in the spec."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    name: str
    value: str
    preset_value: str | None = Field(default=None, description="What the preset says, where the spec says otherwise")


class PipelineStep(BaseModel):
    """One step; a front end of several parts has one step for each."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    kind: StepKind
    title: str
    facts: tuple[PipelineFact, ...] = ()
    unsaid: tuple[str, ...] = Field(default=(), description="What the spec does not say, and what is done in its place")
