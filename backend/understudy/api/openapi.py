"""The OpenAPI document, with the shape of errors among its components."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from understudy.api.v2.infer_openapi import build_infer_paths
from understudy.schemas.server.problem import Problem


def install_openapi(app: FastAPI) -> None:
    """Serve FastAPI's document plus the `Problem` component that every error response refers to.

    FastAPI would file an error's model under `application/json`; ours leave as `application/problem+json`.
    """

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schema["paths"] |= build_infer_paths()
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the documented way to extend it
