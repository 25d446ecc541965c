"""Describes the inference endpoints for OpenAPI: FastAPI does not route them and so cannot describe them."""

from typing import Any

from understudy.api.paths import MODELS, V2
from understudy.api.problems.problem_responses import describe_problems
from understudy.errors import BodyTooLarge, CannotServe, FileChanged, FileMissing, ModelNotFound, RequestInvalid
from understudy.schemas.inference.open_inference import InferenceRequest, InferenceResponse

HEADER_LENGTH = "Inference-Header-Content-Length"

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_REFUSALS = (ModelNotFound, BodyTooLarge, FileMissing, FileChanged, CannotServe, RequestInvalid)


def build_infer_paths() -> dict[str, Any]:
    """Return the paths that `Infer` serves; the schemas of their bodies are among the document's components."""
    one, of_version = f"{V2}{MODELS}/{{name}}/infer", f"{V2}{MODELS}/{{name}}/versions/{{version}}/infer"
    return {
        one: {"post": _build_operation("infer", "Run a model on raw tensors", "name")},
        of_version: {"post": _build_operation("infer_version", "Run a model's version on tensors", "name", "version")},
    }


def _build_operation(operation_id: str, summary: str, *names: str) -> dict[str, Any]:
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    length = {"schema": {"type": "integer", "minimum": 0}, "description": "Bytes of JSON, where binary data follow"}
    refusals = {str(status): response for status, response in describe_problems(*_REFUSALS).items()}
    return {
        "tags": ["v2"],
        "summary": summary,
        "description": "JSON, or JSON followed by binary data, whose sizes the tensors' `binary_data_size` give.",
        "operationId": operation_id,
        "parameters": [*parameters, {"name": HEADER_LENGTH, "in": "header", **length}],
        "requestBody": {"required": True, "content": _build_content(InferenceRequest)},
        "responses": {
            "200": {
                "description": "Outputs, and the model that computed them",
                "headers": {HEADER_LENGTH: length},
                "content": _build_content(InferenceResponse),
            },
            **refusals,
        },
    }


def _build_content(model: type) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"application/json": {"schema": schema}, "application/octet-stream": _BINARY}
