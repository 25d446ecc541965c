"""The documented registry over HTTP."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.types import ModelFactory
from understudy.schemas.registry.model import ModelOut
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

COLUMNS = {
    "model_id",
    "model_name",
    "version",
    "file_path",
    "description",
    "model_type",
    "accuracy",
    "created_at",
    "updated_at",
    "is_active",
    "created_by_user_id",
}


@pytest.fixture
def files(home: Path, make_model: ModelFactory) -> Path:
    """Two models that answer differently, and a legacy one in the root."""
    make_model(home / "models" / "first.onnx", winner=0)
    make_model(home / "models" / "second.onnx", winner=1)
    make_model(home / "legacy.onnx", winner=2)
    return home


async def register(client: httpx.AsyncClient, name: str, path: str, **more: object) -> dict[str, Any]:
    answer = await client.post("/api/v1/models", json={"model_name": name, "file_path": path, **more})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_an_empty_registry_lists_nothing_and_has_no_active_model(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/models")).json() == {
        "models": [],
        "active_model": None,
        "next_cursor": None,
        "total": 0,
    }
    answer = await client.get("/api/v1/models/active")
    assert (answer.status_code, answer.json()["code"]) == (404, "active_model_not_found")


async def test_a_registered_model_shows_the_documented_columns_and_its_file(
    client: httpx.AsyncClient, files: Path
) -> None:
    model = await register(
        client,
        "YAMNet Human v2",
        "models\\first.onnx",
        version="v2.0",
        description="Improved version",
        model_type="yamnet",
        accuracy=0.92,
    )
    assert model.keys() >= COLUMNS
    assert model["file_path"] == "models/first.onnx"
    assert (model["accuracy"], model["is_active"], model["file_exists"]) == (0.92, False, True)
    assert len(model["digest"]) == 64
    listed = (await client.get("/api/v1/models")).json()
    assert [row["model_id"] for row in listed["models"]] == [model["model_id"]]
    assert (await client.get(f"/api/v1/models/{model['model_id']}")).json()["model_name"] == "YAMNet Human v2"


async def test_a_legacy_file_in_the_root_registers(client: httpx.AsyncClient, files: Path) -> None:
    assert (await register(client, "legacy", "legacy.onnx"))["file_path"] == "legacy.onnx"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"file_path": "models/absent.onnx"}, 422, "file_missing"),
        ({"file_path": "/etc/passwd"}, 422, "path_refused"),
        ({"file_path": "../outside.onnx"}, 422, "path_refused"),
        ({"file_path": "C:\\models\\first.onnx"}, 422, "path_refused"),
        ({"file_path": "models/first.onnx\0.txt"}, 422, "path_refused"),
        ({"accuracy": 1.01}, 422, "request_invalid"),
        ({"accuracy": -0.1}, 422, "request_invalid"),
        ({"model_name": ""}, 422, "request_invalid"),
        ({"model_name": "x" * 256}, 422, "request_invalid"),
        ({"color": "red"}, 422, "request_invalid"),
        ({"spec": {"preset": "librosa-mfcc-40"}}, 422, "spec_invalid"),
        ({"spec": {"front_end": [{"kind": "mfcc", "n_mfcc": 0}]}}, 422, "request_invalid"),
    ],
)
async def test_a_refused_registration_writes_nothing(
    module_client: httpx.AsyncClient,
    module_settings: Settings,
    make_model: ModelFactory,
    change: dict[str, object],
    status: int,
    code: str,
) -> None:
    make_model(module_settings.models_dir / "first.onnx", winner=0)
    body = {"model_name": "one", "file_path": "models/first.onnx"} | change
    answer = await module_client.post("/api/v1/models", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await module_client.get("/api/v1/models")).json()["total"] == 0
    assert (await module_client.get("/api/v1/history")).json()["entries"] == []


async def test_a_name_is_taken_once(client: httpx.AsyncClient, files: Path) -> None:
    await register(client, "one", "models/first.onnx")
    answer = await client.post("/api/v1/models", json={"model_name": "one", "file_path": "models/second.onnx"})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


async def test_put_and_patch_change_only_what_is_present(client: httpx.AsyncClient, files: Path) -> None:
    model = await register(client, "one", "models/first.onnx", version="v1", description="old")
    path = f"/api/v1/models/{model['model_id']}"
    answer = await client.put(path, json={"description": "Updated description", "accuracy": 0.95})
    assert answer.status_code == 200
    assert (answer.json()["description"], answer.json()["accuracy"], answer.json()["version"]) == (
        "Updated description",
        0.95,
        "v1",
    )
    assert (await client.patch(path, json={"version": None})).json()["version"] is None
    assert (await client.patch(path, json={"model_name": None})).status_code == 422


async def test_activating_makes_the_model_live_and_names_it(client: httpx.AsyncClient, files: Path) -> None:
    first = await register(client, "one", "models/first.onnx")
    second = await register(client, "two", "models/second.onnx")
    for model in (first, second):
        answer = await client.post(f"/api/v1/models/{model['model_id']}/activate")
        assert (answer.status_code, answer.json()["state"]) == (200, "succeeded")
        row = (await client.get("/api/v1/models/active")).json()
        assert row["model_id"] == model["model_id"]
        assert answer.json()["model"] == {name: row[name] for name in ModelOut.model_fields}
        polled = await client.get(f"/api/v1/operations/{answer.json()['operation_id']}")
        assert polled.json()["model"] == answer.json()["model"]
        live = (await client.get("/api/v1/status")).json()["live"]
        assert live["model"]["digest"] == model["digest"]
        assert live["generation"] == answer.json()["generation"]
    listed = (await client.get("/api/v1/models")).json()
    assert [row["model_id"] for row in listed["models"] if row["is_active"]] == [second["model_id"]]
    assert listed["active_model"]["model_id"] == second["model_id"]


async def test_the_active_model_is_neither_deleted_nor_pointed_elsewhere(
    client: httpx.AsyncClient, files: Path
) -> None:
    model = await register(client, "one", "models/first.onnx")
    path = f"/api/v1/models/{model['model_id']}"
    assert (await client.post(f"{path}/activate")).status_code == 200
    assert (await client.delete(path)).json()["code"] == "model_is_active"
    assert (await client.put(path, json={"file_path": "models/second.onnx"})).json()["code"] == "model_is_active"


async def test_deleting_removes_the_record_and_leaves_the_file(client: httpx.AsyncClient, files: Path) -> None:
    model = await register(client, "one", "models/first.onnx")
    path = f"/api/v1/models/{model['model_id']}"
    answer = await client.delete(path)
    assert answer.status_code == 200
    assert "models/first.onnx" in answer.json()["detail"]
    assert (files / "models" / "first.onnx").exists()
    assert (await client.get(path)).status_code == 404
    events = [entry["event"] for entry in (await client.get(f"{path}/history")).json()["entries"]]
    assert events[0] == "deleted"


async def test_rolling_back_returns_to_the_model_before(client: httpx.AsyncClient, files: Path) -> None:
    answer = await client.post("/api/v1/models/rollback")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_roll_back")
    first = await register(client, "one", "models/first.onnx")
    second = await register(client, "two", "models/second.onnx")
    for model in (first, second):
        await client.post(f"/api/v1/models/{model['model_id']}/activate")
    answer = await client.post("/api/v1/models/rollback")
    assert answer.json()["model_id"] == first["model_id"]
    assert (await client.get("/api/v1/status")).json()["live"]["model"]["model_id"] == first["model_id"]
    history = (await client.get(f"/api/v1/models/{first['model_id']}/history")).json()["entries"]
    assert history[0]["event"] == "rolled_back"


async def test_a_rollback_names_its_target_before_it_runs(client: httpx.AsyncClient, files: Path) -> None:
    assert (await client.get("/api/v1/models/rollback")).json()["code"] == "nothing_to_roll_back"
    # The page asks this whenever it shows the live model: it is no error that operators must see.
    assert (await client.get("/api/v1/metrics/summary")).json()["errors_by_code"] == {}
    first = await register(client, "first", "models/first.onnx")
    second = await register(client, "second", "models/second.onnx")
    for model in (first, second):
        await client.post(f"/api/v1/models/{model['model_id']}/activate")
    target = (await client.get("/api/v1/models/rollback")).json()
    assert (target["model"]["model_name"], target["variant"]) == ("first", "float32")
    await client.post("/api/v1/models/rollback")
    assert (await client.get("/api/v1/models/rollback")).json()["model"]["model_name"] == "second"


async def test_the_history_says_why_the_live_model_was_changed(client: httpx.AsyncClient, files: Path) -> None:
    first = await register(client, "first", "models/first.onnx")
    second = await register(client, "second", "models/second.onnx")
    await client.post(f"/api/v1/models/{first['model_id']}/activate")
    await client.post(f"/api/v1/models/{second['model_id']}/activate", params={"reason": "hears sirens"})
    await client.post("/api/v1/models/rollback", params={"reason": "too many alarms"})
    switches = await client.get("/api/v1/history", params={"event": ["activated", "rolled_back"]})
    found = [(entry["model_name"], entry["event"], entry["detail"]) for entry in switches.json()["entries"]]
    assert found == [
        ("first", "rolled_back", "too many alarms"),
        ("second", "activated", "hears sirens"),
        ("first", "activated", None),
    ]
    refused = await client.post("/api/v1/models/rollback", params={"reason": "a\0b"})
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")


async def test_the_types_of_all_models_are_listed_once(client: httpx.AsyncClient, files: Path) -> None:
    await register(client, "first", "models/first.onnx", model_type="yamnet")
    await register(client, "second", "models/second.onnx", model_type="head")
    await register(client, "third", "legacy.onnx", model_type="yamnet")
    assert (await client.get("/api/v1/models/types")).json() == {"types": ["head", "yamnet"]}


async def test_an_activation_can_be_polled(client: httpx.AsyncClient, files: Path) -> None:
    model = await register(client, "one", "models/first.onnx")
    answer = await client.post(f"/api/v1/models/{model['model_id']}/activate?wait=false")
    assert answer.status_code == 202
    operation = answer.json()
    while operation["state"] == "running":
        operation = (await client.get(f"/api/v1/operations/{operation['operation_id']}")).json()
    assert (operation["state"], operation["step"], operation["progress"]) == ("succeeded", "swap", 1.0)
    assert (await client.get("/api/v1/operations/none")).json()["code"] == "operation_not_found"


async def test_the_report_says_how_far_the_compiled_model_agrees(client: httpx.AsyncClient, files: Path) -> None:
    model = await register(client, "one", "models/first.onnx")
    await client.post(f"/api/v1/models/{model['model_id']}/activate")
    report = (await client.get(f"/api/v1/models/{model['model_id']}/report")).json()
    assert report["source_digest"] == model["digest"]
    assert report["spec"]["labels"] == ["a", "b", "c"]
    assert all(probe["max_abs_error"] <= probe["tolerance"] for probe in report["parity"])


async def test_an_unknown_model_is_not_found(client: httpx.AsyncClient) -> None:
    for method, path in (
        ("GET", "/api/v1/models/7"),
        ("PUT", "/api/v1/models/7"),
        ("DELETE", "/api/v1/models/7"),
        ("POST", "/api/v1/models/7/activate"),
        ("GET", "/api/v1/models/7/report"),
        ("GET", "/api/v1/models/7/history"),
    ):
        answer = await client.request(method, path, json={} if method == "PUT" else None)
        assert (answer.status_code, answer.json()["code"]) == (404, "model_not_found"), (method, path)
