"""What OpenAPI says of the infer endpoints, which FastAPI does not route and so cannot describe."""

from typing import Any

from understudy.api.problem_responses import problems
from understudy.api.v2.datatypes import DTYPES
from understudy.errors import BodyTooLarge, CannotServe, FileChanged, FileMissing, ModelNotFound, RequestInvalid

_PARAMETERS = {"type": "object", "additionalProperties": True}
_TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "datatype": {"type": "string", "enum": [*DTYPES, "BYTES"]},
        "parameters": _PARAMETERS,
        "data": {"type": "array", "items": {}, "description": "Row-major, flat or nested as `shape` is"},
    },
}
_REQUEST = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string"},
        "parameters": _PARAMETERS,
        "inputs": {"type": "array", "items": _TENSOR},
        "outputs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "parameters": _PARAMETERS},
            },
        },
    },
    "example": {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [0.1, 0.2, 0.3]}]},
}
_ANSWER = {
    "type": "object",
    "required": ["model_name", "model_version", "parameters", "outputs"],
    "properties": {
        "id": {"type": "string"},
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "parameters": {
            "type": "object",
            "required": ["model_id", "digest"],
            "properties": {
                "model_id": {"type": "integer"},
                "digest": {"type": "string"},
                "generation": {"type": "integer", "description": "Absent where the model is not live"},
            },
        },
        "outputs": {"type": "array", "items": _TENSOR},
    },
}
_LENGTH = "Inference-Header-Content-Length"
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def build_infer_paths() -> dict[str, Any]:
    """The paths of the OpenAPI document that `Infer` serves."""
    return {
        "/v2/models/{name}/infer": {"post": _operation("infer", "Raw tensors through a model", "name")},
        "/v2/models/{name}/versions/{version}/infer": {
            "post": _operation("infer_version", "Raw tensors through a model's version", "name", "version")
        },
    }


def _operation(operation_id: str, summary: str, *names: str) -> dict[str, Any]:
    text = {"type": "string"}
    in_path = [{"name": name, "in": "path", "required": True, "schema": text} for name in names]
    header = {"name": _LENGTH, "in": "header", "schema": {"type": "integer"}, "description": "Bytes of JSON"}
    refusals = problems(ModelNotFound, BodyTooLarge, FileMissing, FileChanged, CannotServe, RequestInvalid)
    return {
        "tags": ["v2"],
        "summary": summary,
        "description": "JSON, or JSON followed by binary data, whose sizes the inputs' `binary_data_size` give.",
        "operationId": operation_id,
        "parameters": [*in_path, header],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _REQUEST}, "application/octet-stream": _BINARY},
        },
        "responses": {
            "200": {
                "description": "Outputs, and the model that they come from",
                "headers": {_LENGTH: {"schema": {"type": "integer"}}},
                "content": {"application/json": {"schema": _ANSWER}, "application/octet-stream": _BINARY},
            },
            **{str(status): response for status, response in refusals.items()},
        },
    }
