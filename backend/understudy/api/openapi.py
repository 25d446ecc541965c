"""The OpenAPI document, with the shapes that no HTTP route declares among its components."""

from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from understudy.access.actions import PUBLIC
from understudy.api.access.route_actions import iter_route_actions
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.v2.infer_openapi import build_infer_paths
from understudy.errors import LimitReached, NotAllowed, NotSignedIn
from understudy.schemas.inference.open_inference import InferenceRequest, InferenceResponse
from understudy.schemas.inference.prediction_parts import PredictionLine
from understudy.schemas.inference.recording import AudioDocument
from understudy.schemas.inference.stream import StreamEnd, StreamMessage, StreamStart
from understudy.schemas.registry.examples import ExamplesIn
from understudy.schemas.server.event import EventData
from understudy.schemas.server.problem import Problem

COMPONENTS = "#/components/schemas/{model}"

# FastAPI files an error's model under application/json, and ours leave as application/problem+json. It does not
# describe the lines of a prediction, the messages of a WebSocket, server-sent events or the bodies of inferences.
_MODELS: tuple[tuple[type[BaseModel], Literal["validation", "serialization"]], ...] = (
    (Problem, "serialization"),
    (AudioDocument, "validation"),
    (ExamplesIn, "validation"),
    (PredictionLine, "serialization"),
    (StreamStart, "validation"),
    (StreamEnd, "validation"),
    (StreamMessage, "serialization"),
    (EventData, "serialization"),
    (InferenceRequest, "validation"),
    (InferenceResponse, "serialization"),
)


def install_openapi(app: FastAPI) -> None:
    """Serve FastAPI's document plus the components for problems, stream messages and events."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schema["paths"] |= build_infer_paths()
            _add_refusals(app, schema["paths"])
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas |= build_components() | schemas
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the documented way to extend it


def _add_refusals(app: FastAPI, paths: dict[str, Any]) -> None:
    """Describe 401, 403 and 429 at each operation that not everybody may ask for."""
    refusals = describe_problems(NotSignedIn, NotAllowed, LimitReached)
    public = {getattr(route, "path_format", None) for route, action in iter_route_actions(app) if action in PUBLIC}
    for path in paths.keys() - public:
        for operation in paths[path].values():
            for status, response in refusals.items():
                _add_response(operation["responses"], str(status), response)


def _add_response(responses: dict[str, Any], status: str, added: dict[str, Any]) -> None:
    """Add a refusal; where the status is described already, add the examples that it lacks."""
    described = responses.setdefault(status, added)
    problems = described.get("content", {}).get("application/problem+json")
    if problems is not None:
        examples = added["content"]["application/problem+json"]["examples"]
        problems["examples"] = {**examples, **problems.get("examples", {})}


def build_components() -> dict[str, Any]:
    """Return the JSON Schemas of problems, stream messages and events, and of every model that they refer to."""
    _, definitions = models_json_schema(_MODELS, ref_template=COMPONENTS)
    return {name: _drop_null_defaults(schema) for name, schema in definitions["$defs"].items()}


def _drop_null_defaults(schema: Any) -> Any:
    """Return the schema without defaults of null, which FastAPI leaves out of the shapes of its routes."""
    if isinstance(schema, dict):
        return {
            name: _drop_null_defaults(value) for name, value in schema.items() if name != "default" or value is not None
        }
    return [_drop_null_defaults(each) for each in schema] if isinstance(schema, list) else schema
