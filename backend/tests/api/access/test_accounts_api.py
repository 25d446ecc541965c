"""People and keys over HTTP, and the id under which a model is registered."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.access.conftest import PASSWORD, GuardedServer, bearer, make_token
from tests.types import ModelFactory
from understudy.schemas.access.role import Role

pytestmark = pytest.mark.anyio


@pytest.fixture
async def admin(guarded: GuardedServer) -> AsyncIterator[httpx.AsyncClient]:
    key = await guarded.make_key(Role.ADMIN, "admin's key")
    transport = httpx.ASGITransport(guarded.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=bearer(key)) as client:
        yield client


async def test_an_admin_manages_people(admin: httpx.AsyncClient) -> None:
    made = await admin.post("/api/v1/users", json={"name": "Ada", "role": "viewer", "password": PASSWORD})
    assert (made.status_code, made.json()["role"], PASSWORD in made.text) == (201, "viewer", False)
    again = await admin.post("/api/v1/users", json={"name": "ada", "role": "viewer", "password": PASSWORD})
    assert again.json()["code"] == "account_taken"
    address = f"/api/v1/users/{made.json()['principal_id']}"
    assert (await admin.patch(address, json={"role": "editor", "disabled": True})).json()["disabled"] is True
    assert (await admin.patch(address, json={"role": "device"})).json()["code"] == "account_refused"
    short = await admin.patch(address, json={"password": "short"})
    assert (short.json()["code"], "short" in short.json()["detail"]) == ("password_refused", False)
    assert [each["name"] for each in (await admin.get("/api/v1/users")).json()["users"]] == ["root", "Ada"]
    assert (await admin.delete(address)).status_code == 200
    assert (await admin.delete(address)).json()["code"] == "user_not_found"


async def test_the_last_admin_stays(admin: httpx.AsyncClient) -> None:
    [root] = (await admin.get("/api/v1/users")).json()["users"]
    address = f"/api/v1/users/{root['principal_id']}"
    for answer in (
        await admin.delete(address),
        await admin.patch(address, json={"role": "editor"}),
        await admin.patch(address, json={"disabled": True}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


async def test_an_admin_manages_keys(admin: httpx.AsyncClient) -> None:
    made = await admin.post(
        "/api/v1/keys", json={"name": "gate", "role": "device", "source": "gate-3", "expires_days": 30}
    )
    key = made.json()["key"]
    assert key.startswith(made.json()["prefix"])
    listed = await admin.get("/api/v1/keys")
    assert [each["name"] for each in listed.json()["keys"]] == ["admin's key", "gate"]
    assert key not in listed.text
    assert (await admin.post("/api/v1/keys", json={"name": "x", "role": "device"})).json()["code"] == "account_refused"
    revoked = await admin.delete("/api/v1/keys/gate")
    assert revoked.json()["revoked_at"] is not None
    answer = await admin.get("/api/v1/session", headers=bearer(key))
    assert answer.json()["signed_in"] is False
    assert (await admin.delete("/api/v1/keys/none")).json()["code"] == "key_not_found"


async def test_a_model_carries_the_id_of_who_registered_it(
    guarded: GuardedServer, admin: httpx.AsyncClient, home: Path, make_model: ModelFactory
) -> None:
    make_model(home / "models" / "one.onnx")
    made = await admin.post("/api/v1/models", json={"model_name": "one", "file_path": "models/one.onnx"})
    me = (await admin.get("/api/v1/session")).json()["principal_id"]
    assert made.json()["created_by_user_id"] == me
    token = bearer(make_token("5f0c6f8e-9a51-4a4c-8f5e-1d2f3a4b5c6d", "editor"))
    made = await admin.post("/api/v1/models", json={"model_name": "two", "file_path": "models/one.onnx"}, headers=token)
    [identity] = [each for each in await guarded.access.people.list() if each.kind == "identity"]
    assert identity.subject == "5f0c6f8e-9a51-4a4c-8f5e-1d2f3a4b5c6d"
    assert made.json()["created_by_user_id"] == identity.principal_id


async def test_a_device_predicts_for_its_own_source_only(
    guarded: GuardedServer, admin: httpx.AsyncClient, home: Path, make_model: ModelFactory, wav: bytes
) -> None:
    make_model(home / "models" / "one.onnx")
    made = await admin.post("/api/v1/models", json={"model_name": "one", "file_path": "models/one.onnx"})
    assert (await admin.post(f"/api/v1/models/{made.json()['model_id']}/activate")).status_code == 200
    device = bearer(await guarded.make_key(Role.DEVICE))
    audio = {"content-type": "audio/wav"}
    for query in ({}, {"source": "gate-3"}):
        answer = await admin.post("/api/v1/predict", content=wav, params=query, headers=device | audio)
        assert (answer.status_code, answer.json()["source"]) == (200, "gate-3")
    other = await admin.post("/api/v1/predict", content=wav, params={"source": "gate-4"}, headers=device | audio)
    assert (other.status_code, other.json()["code"]) == (403, "not_allowed")
    form = {"audio_file": ("clip.wav", wav)}
    by_form = await admin.post("/api/v1/predict", files=form, data={"source": "gate-4"}, headers=device)
    assert by_form.status_code == 403
    batch = await admin.post("/api/v1/predict/batch", files=form, headers=device)
    assert batch.json()["prediction"]["source"] == "gate-3"
    assert (await admin.post("/api/v1/predict", content=wav, headers=audio)).json()["source"] is None


async def test_a_device_names_no_other_source_in_whatever_form_it_sends(
    guarded: GuardedServer, admin: httpx.AsyncClient, home: Path, make_model: ModelFactory, wav: bytes
) -> None:
    make_model(home / "models" / "one.onnx")
    made = await admin.post("/api/v1/models", json={"model_name": "one", "file_path": "models/one.onnx"})
    model_id = made.json()["model_id"]
    assert (await admin.post(f"/api/v1/models/{model_id}/activate")).status_code == 200
    device = bearer(await guarded.make_key(Role.DEVICE))
    audio, lines = {"content-type": "audio/wav"}, {"accept": "application/x-ndjson"}
    form = {"audio_file": ("clip.wav", wav)}
    other = {"source": "gate-4"}
    document = {"audio": base64.b64encode(wav).decode(), **other}
    attempts: list[tuple[str, dict[str, Any], dict[str, str]]] = [
        ("/api/v1/predict", {"content": wav, "params": other}, audio | lines),
        ("/api/v1/predict", {"content": wav, "params": [("source", "gate-3"), ("source", "gate-4")]}, audio),
        ("/api/v1/predict", {"content": wav, "params": {"source": "GATE-3"}}, audio),
        ("/api/v1/predict", {"files": form, "data": other}, lines),
        ("/api/v1/predict", {"json": document}, {}),
        ("/api/v1/predict", {"json": document}, lines),
        ("/api/v1/predict", {"content": wav, "params": {"model_id": model_id}}, audio),
        ("/api/v1/predict/batch", {"files": form, "data": other}, {}),
        ("/api/v1/predict/batch", {"files": form, "params": other}, {}),
        ("/api/v1/predict/batch", {"files": form, "params": {"model_id": model_id}}, {}),
        ("/v2/models/one/infer", {"json": {"inputs": []}}, {}),
        ("/v2/repository/models/one/load", {}, {}),
    ]
    for path, options, headers in attempts:
        answer = await admin.post(path, **options, headers=device | headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (path, options.keys(), headers)


async def test_a_viewer_runs_the_live_model_only(
    guarded: GuardedServer, admin: httpx.AsyncClient, home: Path, make_model: ModelFactory
) -> None:
    for winner, name in enumerate(("one", "two")):
        make_model(home / "models" / f"{name}.onnx", winner=winner)
        made = await admin.post("/api/v1/models", json={"model_name": name, "file_path": f"models/{name}.onnx"})
        assert made.status_code == 201
        if name == "one":
            assert (await admin.post(f"/api/v1/models/{made.json()['model_id']}/activate")).status_code == 200
    viewer, operator = bearer(await guarded.make_key(Role.VIEWER)), bearer(await guarded.make_key(Role.OPERATOR))
    for headers, name, status in (
        (viewer, "one", 422),  # no tensors were sent
        (viewer, "two", 403),
        (viewer, "none", 404),
        (operator, "two", 422),
    ):
        answer = await admin.post(f"/v2/models/{name}/infer", json={"inputs": []}, headers=headers)
        assert answer.status_code == status, (name, answer.text)
