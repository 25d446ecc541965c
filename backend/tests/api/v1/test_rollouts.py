"""The servers on a database over HTTP, and activations that wait for all of them."""

from pathlib import Path

import httpx
import pytest

from tests.types import ModelFactory

pytestmark = pytest.mark.anyio


async def test_an_activation_that_waits_for_all_says_who_serves_the_model(
    client: httpx.AsyncClient, home: Path, make_model: ModelFactory
) -> None:
    make_model(home / "models" / "first.onnx")
    registered = await client.post("/api/v1/models", json={"model_name": "First", "file_path": "models/first.onnx"})
    model_id = registered.json()["model_id"]
    activated = await client.post(f"/api/v1/models/{model_id}/activate?wait=all&timeout=60&fail_fleet=0.5")
    assert activated.status_code == 200, activated.text
    rollout = activated.json()["rollout"]
    assert (rollout["complete"], rollout["replicas"], rollout["behind"]) == (True, 1, [])
    [replica] = (await client.get("/api/v1/replicas")).json()["replicas"]
    assert (replica["model_id"], replica["state"], replica["generation"]) == (model_id, "live", 1)
    assert (await client.get("/api/v1/status")).json()["replicas"] == [replica]
    operation = await client.get(f"/api/v1/operations/{activated.json()['operation_id']}")
    assert operation.json()["rollout"] == rollout
    swapped = await client.post(f"/api/v1/models/{model_id}/activate?wait=true")
    assert swapped.json()["rollout"] is None


@pytest.mark.parametrize(
    "query",
    [
        "wait=some",
        "wait=all&timeout=0",
        "wait=all&timeout=nan",
        "wait=all&timeout=601",
        "wait=all&fail_fleet=1",
        "fail_fleet=0.5",
        "wait=false&fail_fleet=0.5",
    ],
)
async def test_what_cannot_be_waited_for_is_refused(client: httpx.AsyncClient, query: str) -> None:
    for path in ("1/activate", "rollback"):
        answer = await client.post(f"/api/v1/models/{path}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid"), answer.text
