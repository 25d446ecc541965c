"""Examples over HTTP: as forms and as JSON, with a registration and for a registered model."""

import asyncio
import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sample_files import tone
from tests.types import ModelFactory

pytestmark = pytest.mark.anyio

CSV = b"file,label,a\none.wav,a,0.965\nsub/two.wav,a,\n"
MODEL = {"model_name": "Head", "file_path": "models/head.onnx"}
Parts = list[tuple[str, tuple[str, bytes] | tuple[None, str]]]


def parts(csv: bytes = CSV, name: str = "examples.csv") -> Parts:
    clips = [("clips", ("one.wav", tone())), ("clips", ("sub/two.wav", tone(1.5, 44_100)))]
    return [("examples", (name, csv)), *clips]


@pytest.fixture
async def address(client: httpx.AsyncClient, home: Path, make_model: ModelFactory) -> str:
    make_model(home / "models" / "head.onnx")
    await client.post("/api/v1/models", json=MODEL)
    return "/api/v1/models/1/examples"


async def wait_for_run(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (found := (await client.get(address)).json())["proof"] is None:
            await asyncio.sleep(0.05)
    answer: dict[str, Any] = found
    return answer


async def test_a_form_sets_examples_that_are_run_in_the_background(client: httpx.AsyncClient, address: str) -> None:
    before = (await client.get(address)).json()
    assert (before["summary"]["text"], before["examples"]) == ("features not proved", [])
    answer = await client.put(address, files=parts())
    assert answer.status_code == 200
    assert answer.json()["summary"]["state"] == "pending"
    found = await wait_for_run(client, address)
    assert found["summary"]["text"] == "2 of 2 within 0.0004"
    assert [(each["file"], each["agrees"]) for each in found["proof"]["clips"]] == [
        ("one.wav", True),
        ("sub/two.wav", True),
    ]
    assert (await client.get("/api/v1/models/1")).json()["examples"] == found["summary"]
    removed = await client.delete(address)
    assert (removed.status_code, removed.json()["summary"]["state"]) == (200, "not_proved")


async def test_a_model_that_misses_is_refused_as_a_problem(client: httpx.AsyncClient, address: str) -> None:
    await client.post(address, files=parts(CSV.replace(b"one.wav,a,0.965", b"one.wav,b,")))
    answer = await client.post("/api/v1/models/1/activate")
    assert (answer.status_code, answer.json()["code"]) == (422, "examples_missed")
    assert "one.wav: the model answers 'a', the example says 'b'" in answer.json()["detail"]
    assert (await client.get("/api/v1/models/active")).is_error


async def test_json_says_the_same_with_the_clips_in_it_or_beside_it(client: httpx.AsyncClient, address: str) -> None:
    expected = {"file": "one.wav", "label": "a", "scores": {"b": 0.018}, "tolerance": 0.05}
    inside = await client.put(address, json={"examples": [{**expected, "audio": base64.b64encode(tone()).decode()}]})
    beside = await client.put(
        address,
        files=[("x", ("examples.json", json.dumps({"examples": [expected]}).encode())), ("y", ("one.wav", tone()))],
    )
    assert inside.status_code == beside.status_code == 200
    assert inside.json()["examples_digest"] == beside.json()["examples_digest"] is not None


async def test_a_model_is_registered_together_with_its_examples_or_not_at_all(
    client: httpx.AsyncClient, home: Path, make_model: ModelFactory
) -> None:
    make_model(home / "models" / "head.onnx")
    model: Parts = [("model", (None, json.dumps(MODEL)))]
    refused = await client.post("/api/v1/models", files=[*model, *parts()[:-1]])
    assert (refused.status_code, refused.json()["code"]) == (422, "examples_invalid")
    empty: Parts = [*parts()[:-1], ("clips", ("sub/two.wav", b""))]
    assert (await client.post("/api/v1/models", files=[*model, *empty])).json()["code"] == "examples_invalid"
    assert (await client.post("/api/v1/models", files=parts())).json()["code"] == "request_invalid"
    assert (await client.get("/api/v1/models")).json()["total"] == 0
    answer = await client.post("/api/v1/models", files=[*model, *parts()])
    assert (answer.status_code, answer.headers["location"]) == (201, "/api/v1/models/1")
    assert answer.json()["examples"]["examples"] == 2
    assert (await wait_for_run(client, "/api/v1/models/1/examples"))["summary"]["state"] == "proved"


@pytest.mark.parametrize(
    ("files", "detail"),
    [
        (parts()[1:], "holds 0 files that end in .csv or .json"),
        ([*parts(), ("more", ("more.csv", CSV))], "holds 2 files that end in .csv or .json"),
        ([*parts(), ("clips", ("one.wav", b"x"))], "two files called one.wav"),
        (parts(CSV.replace(b"one.wav", b"../one.wav")), "is not a path inside the folder"),
        (parts(b"nothing"), "does not name the column file"),
        (parts(b"{", "examples.json"), "is not JSON"),
    ],
)
async def test_a_form_that_cannot_be_meant_is_refused(
    client: httpx.AsyncClient, address: str, files: Parts, detail: str
) -> None:
    answer = await client.put(address, files=files)
    assert (answer.status_code, answer.json()["code"]) == (422, "examples_invalid")
    assert detail in answer.json()["detail"]


async def test_a_body_that_is_neither_and_a_model_that_is_not_there(client: httpx.AsyncClient, address: str) -> None:
    assert (await client.put(address, content=b"x")).json()["code"] == "request_invalid"
    assert (await client.put(address, json={"examples": []})).status_code == 422
    assert (await client.get("/api/v1/models/9/examples")).status_code == 404
    not_base64 = {"examples": [{"file": "a.wav", "label": "a", "audio": "!"}]}
    assert "body.examples.0.audio is not base64" in (await client.put(address, json=not_base64)).json()["detail"]


async def test_what_a_training_wrote_beside_the_file_is_registered_with_it(
    client: httpx.AsyncClient, home: Path, make_model: ModelFactory
) -> None:
    model = make_model(home / "models" / "head.onnx")
    folder = home / "models" / "head.examples"
    (folder / "sub").mkdir(parents=True)
    (folder / "examples.csv").write_bytes(CSV)
    (folder / "one.wav").write_bytes(tone())
    (folder / "sub" / "two.wav").write_bytes(tone(1.5, 44_100))
    (folder / "model.sha256").write_text(f"{sha256(model.read_bytes()).hexdigest()}  ../head.onnx\n")
    answer = await client.post("/api/v1/models", json=MODEL)
    assert answer.status_code == 201
    assert answer.json()["examples"]["examples"] == 2
    assert (await wait_for_run(client, "/api/v1/models/1/examples"))["summary"]["text"] == "2 of 2 within 0.0004"
