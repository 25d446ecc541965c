"""Another site's page cannot drive this server."""

import httpx
import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
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
    ],
)
async def test_host_and_origin_are_checked(
    client: httpx.AsyncClient, headers: dict[str, str], status: int, code: str | None
) -> None:
    answer = await client.get("/api/v1/models", headers=headers)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
