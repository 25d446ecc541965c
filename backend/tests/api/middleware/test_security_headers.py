"""Every answer carries the headers that keep a browser from doing anything else with it."""

import httpx
import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/docs", "/openapi.json", "/api/v1/models", "/api/v1/nowhere", "/metrics", "/health/live"]
)
async def test_every_answer_has_the_headers(module_client: httpx.AsyncClient, path: str) -> None:
    headers = (await module_client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers


async def test_refusals_of_the_guards_have_the_headers_too(module_client: httpx.AsyncClient) -> None:
    for headers in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
        answer = await module_client.get("/api/v1/models", headers=headers)
        assert (answer.status_code, answer.headers["x-frame-options"]) == (403, "DENY")


async def test_answers_of_the_api_run_no_script_and_are_not_stored(module_client: httpx.AsyncClient) -> None:
    headers = (await module_client.get("/api/v1/models")).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"


async def test_an_answer_to_an_unforeseen_error_has_the_headers(
    module_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("understudy.registry.registry.Registry.list", fail)
    answer = await module_client.get("/api/v1/models")
    assert (answer.status_code, answer.headers["x-frame-options"]) == (500, "DENY")
    assert len(answer.headers.get_list("x-content-type-options")) == 1
