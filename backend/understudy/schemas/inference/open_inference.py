"""Requests and answers of the Open Inference Protocol (https://github.com/kserve/open-inference-protocol)."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from understudy.schemas.absent import absent_field

MAX_AXES = 32
MAX_SIZE = 2**31 - 1

Size = Annotated[int, Field(ge=0, le=MAX_SIZE)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class ServerMetadata(_Answer):
    """Answer of GET /v2."""

    name: str
    version: str
    extensions: tuple[str, ...]


class ServerLive(_Answer):
    live: bool = True


class ServerReady(_Answer):
    ready: bool = True


class ModelReady(_Answer):
    name: str
    ready: bool = True


class TensorMetadata(_Answer):
    """One input or output; a dimension of -1 varies."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class ModelMetadata(_Answer):
    """Answer of GET /v2/models/{name}."""

    name: str
    versions: tuple[str, ...] = Field(description="The row's version; empty where it has none")
    platform: str
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]
    parameters: dict[str, str | int]


class IndexRequest(BaseModel):
    """Body of POST /v2/repository/index."""

    ready: bool = Field(default=False, description="True leaves out models that are not compiled")


class LoadRequest(BaseModel):
    """Body of POST /v2/repository/models/{name}/load."""

    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="A configuration and files are refused, because models are registered by `/api/v1/models`",
    )


class IndexEntry(_Answer):
    """One registered model; `state` is READY where it is compiled, else UNAVAILABLE."""

    name: str
    version: str
    state: str
    reason: str


class Datatype(StrEnum):
    """Datatypes of tensors, little-endian in binary form. BYTES occurs in answers only, for classes in words."""

    BOOL = "BOOL"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    FP16 = "FP16"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"


class TensorParameters(BaseModel):
    """Parameters of a tensor."""

    model_config = ConfigDict(extra="allow")

    binary_data_size: int | SkipJsonSchema[None] = absent_field(
        "Bytes of this tensor behind the JSON, instead of `data`", ge=0
    )


class Tensor(BaseModel):
    """One input or output with its values."""

    name: str
    shape: list[Size] = Field(max_length=MAX_AXES)
    datatype: Datatype
    parameters: TensorParameters = TensorParameters()
    data: list[Any] | SkipJsonSchema[None] = absent_field("Row-major, flat or nested as `shape` is")


class OutputParameters(BaseModel):
    """Parameters of an output that the client asks for."""

    model_config = ConfigDict(extra="allow")

    binary_data: bool = Field(default=False, description="Send this output in binary form")
    classification: int = Field(default=0, ge=0, description="Send that many best classes in words instead of scores")


class RequestedOutput(BaseModel):
    """An output that the client asks for."""

    name: str
    parameters: OutputParameters = OutputParameters()


class RequestParameters(BaseModel):
    """Parameters of a request."""

    model_config = ConfigDict(extra="allow")

    binary_data_output: bool = Field(default=False, description="Send all outputs in binary form")


class InferenceRequest(BaseModel):
    """Body of an inference, or its head where binary data follow."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [0.1, 0.2, 0.3]}]}
        }
    )

    id: str | SkipJsonSchema[None] = absent_field("Comes back with the answer")
    parameters: RequestParameters = RequestParameters()
    inputs: list[Tensor] = Field(description="One tensor for each input of the model")
    outputs: list[RequestedOutput] = Field(default=[], description="Empty or absent: all outputs")


class AnswerParameters(_Answer):
    """The model that answered."""

    model_id: int
    digest: str = Field(description="SHA-256 of the registered file")
    generation: int | SkipJsonSchema[None] = absent_field("Absent where the model is not live")


class InferenceResponse(_Answer):
    """Answer of an inference, or its head where binary data follow."""

    id: str | SkipJsonSchema[None] = absent_field("Absent where the request has none")
    model_name: str
    model_version: str = Field(description="Empty where the model has none")
    parameters: AnswerParameters
    outputs: list[Tensor]
