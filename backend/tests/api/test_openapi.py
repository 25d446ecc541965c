"""The OpenAPI document that clients are generated from is the one this server gives."""

import json
from pathlib import Path

import pytest

from understudy.main import create_app
from understudy.settings import Settings

EXPORTED = Path(__file__).resolve().parents[2] / "openapi.json"


def test_the_exported_document_is_current(settings: Settings) -> None:
    """`make openapi` renews it."""
    assert json.loads(EXPORTED.read_text(encoding="utf-8")) == json.loads(json.dumps(create_app(settings).openapi()))


def test_every_route_has_a_summary_and_every_error_is_a_problem(settings: Settings) -> None:
    for path, methods in create_app(settings).openapi()["paths"].items():
        for method, route in methods.items():
            assert route.get("summary"), (method, path)
            for status, response in route["responses"].items():
                if status >= "4":
                    assert set(response["content"]) == {"application/problem+json"}, (method, path, status)


@pytest.mark.parametrize("path", ["/api/v1/models", "/api/v1/predict", "/api/v1/models/{model_id}/activate"])
def test_the_documented_routes_show_examples_of_their_errors(settings: Settings, path: str) -> None:
    for route in create_app(settings).openapi()["paths"][path].values():
        errors = [response for status, response in route["responses"].items() if status >= "4"]
        assert all(response["content"]["application/problem+json"]["examples"] for response in errors)
