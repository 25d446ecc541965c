"""The history names who asked over HTTP, and by which way."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.access.conftest import GuardedServer, Headers, bearer, cookie, make_token
from understudy.schemas.access.role import Role

pytestmark = pytest.mark.anyio


async def register(guarded: GuardedServer, models: Path, name: str, headers: Headers) -> dict[str, Any]:
    """Register a model and return its entry in the history."""
    (models / f"{name}.onnx").write_bytes(b"model")
    transport = httpx.ASGITransport(guarded.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        model = {"model_name": name, "file_path": f"models/{name}.onnx"}
        assert (await client.post("/api/v1/models", json=model)).status_code == 201
        page = (await client.get("/api/v1/history", params={"event": "registered", "limit": 1})).json()
    entry: dict[str, Any] = page["entries"][0]
    return entry


async def test_each_kind_of_principal_is_named_with_its_way(guarded: GuardedServer) -> None:
    models = guarded.services.settings.models_dir
    key = await register(guarded, models, "one", bearer(await guarded.make_key(Role.EDITOR, "gate")))
    person = await register(guarded, models, "two", cookie(await guarded.sign_in(Role.EDITOR, "anna")))
    await guarded.access.authenticator.refresh()
    identity = await register(guarded, models, "three", bearer(make_token("someone", "editor")))
    assert [(each["actor"], each["principal"]["kind"], each["principal"]["name"]) for each in (key, person)] == [
        ("api", "key", "gate"),
        ("page", "person", "anna"),
    ]
    assert (identity["actor"], identity["principal"]["kind"]) == ("api", "identity")
    assert len({each["principal"]["principal_id"] for each in (key, person, identity)}) == 3
    assert [each["position"] for each in (key, person, identity)] == sorted(
        each["position"] for each in (key, person, identity)
    )


async def test_a_moment_is_asked_for_by_http_and_the_future_is_refused(guarded: GuardedServer) -> None:
    transport = httpx.ASGITransport(guarded.app)
    headers = bearer(await guarded.make_key(Role.VIEWER))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        now = datetime.now(UTC)
        found = (await client.get("/api/v1/history", params={"at": now.isoformat()})).json()
        assert (found["live_at"]["model_id"], found["live_at"]["since"]) == (None, None)
        later = {"at": (now + timedelta(hours=1)).isoformat()}
        refused = await client.get("/api/v1/history", params=later)
        assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")
