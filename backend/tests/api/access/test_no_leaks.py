"""No password, key, token or cookie in logs, answers, metrics, history or the database."""

import httpx
import pytest
from sqlalchemy import text

from tests.api.access.conftest import ISSUER, JWT_SECRET, PASSWORD, GuardedServer, bearer, cookie, make_token
from understudy.schemas.access.role import Role

pytestmark = pytest.mark.anyio


async def test_no_secret_comes_out_anywhere(guarded: GuardedServer, capfd: pytest.CaptureFixture[str]) -> None:
    key, session, token = (
        await guarded.make_key(Role.ADMIN),
        await guarded.sign_in(Role.ADMIN),
        make_token("ada", "admin"),
    )
    forged = make_token("ada", "admin", secret="another secret of thirty-two characters")  # noqa: S106
    wrong_password = "wrong horse battery staple"  # noqa: S105
    secrets = {PASSWORD, wrong_password, JWT_SECRET, session, token, forged, key.split("_", 2)[2], f"{key[:-1]}~"}
    shown: list[str] = []
    transport = httpx.ASGITransport(guarded.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for headers in (bearer(key), cookie(session), bearer(token), bearer(forged), bearer(f"{key[:-1]}~"), {}):
            for method, path in (
                ("GET", "/api/v1/status"),
                ("GET", "/api/v1/users"),
                ("GET", "/api/v1/keys"),
                ("GET", "/api/v1/history"),
                ("GET", "/metrics"),
                ("POST", "/api/v1/models/rollback"),
            ):
                shown.append((await client.request(method, path, headers=headers)).text)
        for password in (wrong_password, PASSWORD):
            body = {"name": "root", "password": password, "unexpected": password}
            shown.append((await client.post("/api/v1/session", json=body)).text)
            del body["unexpected"]
            answer = await client.post("/api/v1/session", json=body)
            shown.append(answer.text)
        secrets.add(answer.cookies["understudy_session"])
    async with guarded.services.database.read() as reader:
        tables = await reader.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        shown += [str(row) for name in tables for row in await reader.execute(text(f'SELECT * FROM "{name}"'))]
    shown += capfd.readouterr()
    everything = "\n".join(shown)
    assert ISSUER in everything  # what is shown was collected
    assert [secret for secret in secrets if secret in everything] == []
