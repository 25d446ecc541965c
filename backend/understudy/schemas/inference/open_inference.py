"""What the Open Inference Protocol says about the server and its models."""

from pydantic import BaseModel, ConfigDict, Field


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

    ready: bool = False


class IndexEntry(_Answer):
    """One registered model; `state` is READY where it is compiled."""

    name: str
    version: str
    state: str
    reason: str
