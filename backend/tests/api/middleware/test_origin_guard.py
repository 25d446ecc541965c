"""Another site's page cannot drive this server, and pages of the allowed origins can."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from asgi_lifespan import LifespanManager
from structlog.testing import capture_logs
from structlog.typing import EventDict

from understudy.api.middleware.refusal_log import RefusalLog
from understudy.errors import ForeignHost, ForeignOrigin
from understudy.main import create_app
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

APP, OTHER = "https://app.example", "https://evil.example"

CHECKS: list[tuple[dict[str, str], int, str | None]] = [
    ({}, 200, None),
    ({"host": "127.0.0.1:8000"}, 200, None),
    ({"host": "[::1]:8000"}, 200, None),
    ({"origin": "http://localhost"}, 200, None),
    ({"host": "evil.example:8000"}, 403, "foreign_host"),
    ({"host": "evil.example", "origin": "http://evil.example"}, 403, "foreign_host"),
    ({"origin": "https://evil.example"}, 403, "foreign_origin"),
    ({"origin": "http://localhost:9999"}, 403, "foreign_origin"),
    ({"origin": "null"}, 403, "foreign_origin"),
    ({"host": "[::1"}, 403, "foreign_host"),
    ({"host": ""}, 403, "foreign_host"),
    ({"origin": "http://["}, 403, "foreign_origin"),
]

REMEDIES: list[tuple[dict[str, str], str]] = [
    ({"host": "understudy:8000"}, "UNDERSTUDY_ALLOWED_HOSTS=understudy "),
    ({"origin": "http://localhost:3000"}, "UNDERSTUDY_ALLOWED_ORIGINS=http://localhost:3000 "),
    ({"host": "a$(reboot)"}, "add the host name to UNDERSTUDY_ALLOWED_HOSTS."),
    ({"origin": "http://a;reboot"}, "Use the server's own page"),
    ({"origin": "null"}, "Use the server's own page"),
]


@asynccontextmanager
async def open_client(settings: Settings, origins: tuple[str, ...] = (APP,)) -> AsyncIterator[httpx.AsyncClient]:
    """Serve `settings` with allowed origins, and a route that fails."""
    app = create_app(settings.model_copy(update={"allowed_origins": origins}))

    @app.post("/api/v1/boom")
    async def boom() -> None:
        raise ZeroDivisionError

    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as manager:
        transport = httpx.ASGITransport(manager.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


def list_vary(answer: httpx.Response) -> set[str]:
    return {each.strip() for each in answer.headers.get("vary", "").split(",") if each}


async def test_host_and_origin_are_checked(client: httpx.AsyncClient) -> None:
    for headers, status, code in CHECKS:
        answer = await client.get("/api/v1/models", headers=headers)
        assert (answer.status_code, answer.json().get("code")) == (status, code), headers
        assert "access-control-allow-origin" not in answer.headers
        assert "vary" not in answer.headers


async def test_a_page_of_an_allowed_origin_reads_every_answer_and_others_read_none(settings: Settings) -> None:
    requests = [
        ("GET", "/api/v1/models", 200),
        ("HEAD", "/health/live", 200),
        ("GET", "/", 200),
        ("GET", "/api/v1/nowhere", 404),
        ("PATCH", "/api/v1/models", 405),
        ("POST", "/v2/models/none/infer", 422),
        ("POST", "/api/v1/boom", 500),
    ]
    async with open_client(settings) as client:
        for method, path, status in requests:
            answer = await client.request(method, path, headers={"origin": APP})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, APP), path
            assert answer.headers["access-control-expose-headers"] == "*"
            assert "access-control-allow-credentials" not in answer.headers
            assert "Origin" in list_vary(answer)
            for headers, refused in (({}, status), ({"origin": OTHER}, 403), ({"origin": f"{APP}.evil.example"}, 403)):
                answer = await client.request(method, path, headers=headers)
                assert answer.status_code == refused
                assert "access-control-allow-origin" not in answer.headers
                assert "Origin" in list_vary(answer)
        answer = await client.get("/health/live", headers={"origin": APP, "host": "evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_host")


async def test_a_preflight_permits_what_the_api_takes_for_allowed_origins_only(settings: Settings) -> None:
    ask = {"access-control-request-method": "PATCH", "access-control-request-headers": "content-type,authorization"}
    async with open_client(settings) as client:
        for path in ("/api/v1/models/1", "/v2/models/none/infer"):
            answer = await client.options(path, headers={"origin": APP} | ask)
            assert (answer.status_code, answer.content) == (204, b"")
            assert answer.headers["access-control-allow-origin"] == APP
            methods = set(answer.headers["access-control-allow-methods"].split(", "))
            assert methods == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
            assert answer.headers["access-control-allow-headers"] == "*, Authorization"
            assert answer.headers["access-control-max-age"] == "600"
            assert "access-control-allow-credentials" not in answer.headers
            assert "Origin" in list_vary(answer)
        answer = await client.options("/api/v1/models", headers={"origin": OTHER} | ask)
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
        assert answer.headers["content-type"] == "application/problem+json"
        assert "access-control-allow-origin" not in answer.headers
        counted = (await client.get("/metrics")).text
        assert 'understudy_refusals_total{code="foreign_origin"} 1.0' in counted
        assert 'method="OPTIONS",route="other",status="204"' in counted.replace("understudy_", "")
        plain = await client.options("/api/v1/models", headers={"origin": APP})
        assert plain.status_code == 405


async def test_a_refusal_is_logged_once_with_the_setting_that_permits_it(client: httpx.AsyncClient) -> None:
    for headers, line in REMEDIES:
        with capture_logs() as logs:
            answers = [(await client.get("/health/live", headers=headers)).json() for _ in range(3)]
        assert [(each["event"], each["log_level"]) for each in logs] == [("request refused", "warning")]
        assert (logs[0]["code"], logs[0]["remedy"]) == (answers[0]["code"], answers[0]["remedy"])
        assert line in logs[0]["remedy"]


def test_refusals_are_logged_once_a_minute_each_and_ten_times_a_minute_in_all() -> None:
    now = 0.0
    refusals = RefusalLog(clock=lambda: now)

    def record(*details: str) -> list[EventDict]:
        with capture_logs() as logs:
            for detail in details:
                refusals.record(ForeignHost(detail))
        return list(logs)

    assert len(record("a", "a", "a")) == 1
    now = 59.9
    assert record("a") == []
    assert [each["omitted_before"] for each in record("b")] == [3]
    now = 60.0
    assert [each["detail"] for each in record("a", "b")] == ["a"]
    now = 120.0
    assert len(record(*(f"flood {number}" for number in range(1000)))) == 10
    now = 179.9
    assert record("late") == []
    now = 180.0
    with capture_logs() as logs:
        refusals.record(ForeignOrigin("late"))
    assert [(each["code"], each["omitted_before"]) for each in logs] == [("foreign_origin", 991)]


async def test_a_logged_value_is_short_and_holds_no_control_characters(client: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        for host in (b"x" * 10_000, b"\x9b31m"):
            await client.get("/health/live", headers={b"host": host})
    assert [len(each["detail"]) < 300 and each["detail"].isascii() for each in logs] == [True, True]
