"""Labels and specs over HTTP."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.types import ModelFactory

pytestmark = pytest.mark.anyio

NAMES = ["dog", "rain", "siren"]


@pytest.fixture
async def head(client: httpx.AsyncClient, home: Path, make_model: ModelFactory) -> dict[str, Any]:
    """A registered model whose three labels no source names, with a label file beside it."""
    make_model(home / "models" / "head.onnx", labels=None)
    (home / "models" / "labels.txt").write_text("\n".join(NAMES))
    answer = await client.post("/api/v1/models", json={"model_name": "Head", "file_path": "models/head.onnx"})
    model: dict[str, Any] = answer.json()
    return model


async def _wait_until_compiled(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (model := (await client.get(address)).json())["compile_state"] != "ready":
            await asyncio.sleep(0.05)
    found: dict[str, Any] = model
    return found


async def test_label_files_are_offered_with_their_labels(client: httpx.AsyncClient, head: dict[str, Any]) -> None:
    assert head["label_files"] == [{"file_path": "models/labels.txt", "labels": NAMES, "note": None}]
    assert head["given_spec"] is None


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_labels_change_and_the_model_compiles_in_the_background(
    client: httpx.AsyncClient, head: dict[str, Any], method: str, wav: bytes
) -> None:
    address = f"/api/v1/models/{head['model_id']}"
    assert (await _wait_until_compiled(client, address))["labels_named"] is False
    answer = await client.request(method, address, json={"spec": {"labels": NAMES}})
    assert (answer.status_code, answer.json()["given_spec"]["labels"]) == (200, NAMES)
    assert (await _wait_until_compiled(client, address))["labels_named"] is True
    said = await client.post(f"/api/v1/predict?model_id={head['model_id']}", files={"audio_file": wav})
    assert said.json()["label"] == "dog"
    cleared = await client.request(method, address, json={"spec": None})
    assert cleared.json()["given_spec"]["labels"] is None


async def test_the_live_models_answer_says_that_it_waits_for_an_activation(
    client: httpx.AsyncClient, head: dict[str, Any], wav: bytes
) -> None:
    address = f"/api/v1/models/{head['model_id']}"
    done = (await client.post(f"{address}/activate")).json()
    assert any("have no names" in each for each in done["warnings"])
    changed = (await client.patch(address, json={"spec": {"labels": NAMES}})).json()
    assert changed["spec_pending"] is True
    assert (await client.post("/api/v1/predict", files={"audio_file": wav})).json()["label"] == "class_0"
    notes = (await client.get("/api/v1/status")).json()["live"]["notes"]
    assert any("The spec was changed" in note for note in notes)
    await client.post(f"{address}/activate")
    assert (await client.post("/api/v1/predict", files={"audio_file": wav})).json()["label"] == "dog"
    assert (await client.get("/api/v1/status")).json()["live"]["notes"] == []


async def test_a_wrong_number_of_labels_is_refused_with_the_number_that_the_model_needs(
    client: httpx.AsyncClient, head: dict[str, Any]
) -> None:
    address = f"/api/v1/models/{head['model_id']}"
    assert (await _wait_until_compiled(client, address))["label_count"] == 3
    answer = await client.patch(address, json={"spec": {"labels": NAMES[:2]}})
    assert (answer.status_code, answer.json()["code"]) == (422, "spec_invalid")
    assert "the model returns 3 scores" in answer.json()["detail"]
    refused: tuple[object, ...] = ({"labels": []}, {"labels": ["a", "a", "b"]}, {"lables": NAMES}, "labels")
    for spec in refused:
        assert (await client.patch(address, json={"spec": spec})).json()["code"] == "request_invalid"
