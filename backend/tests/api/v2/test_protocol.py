"""Every answer below /v2 is what the protocol's own description says.

open_inference_schemas.json holds the fields, types and addresses of the OpenAPI document of
https://github.com/kserve/open-inference-protocol and of Triton's extensions for binary data and the model
repository, in schemas of our own.
"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import numpy as np
import pytest
from asgi_lifespan import LifespanManager

from tests.api.access.conftest import GuardedServer, bearer
from tests.api.v2.conftest import write_adder
from understudy.main import create_app
from understudy.schemas.access.role import Role
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

DOCUMENT = json.loads(Path(__file__).with_name("open_inference_schemas.json").read_bytes())
LENGTH = "inference-header-content-length"
X = {"name": "x", "shape": [2, 3], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]}


def check(name: str, document: Any) -> None:
    """Raises jsonschema_rs.ValidationError for a document that is not as the schema `name` says."""
    jsonschema_rs.validate({"$defs": DOCUMENT["$defs"], "$ref": f"#/$defs/{name}"}, document)


def find_answer(method: str, path: str) -> str | None:
    """Return the name of the schema of an operation's answer, or None where the protocol has no such operation."""
    for operation in DOCUMENT["operations"]:
        pattern = operation["path"].replace("NAME", "[^/]+").replace("VERSION", "[^/]+")
        if operation["method"] == method and re.fullmatch(pattern, path):
            answer: str = operation["answer"]
            return answer
    return None


async def check_answer(answer: httpx.Response) -> None:
    """Validate an answer; the client calls this for each one."""
    if not answer.request.url.path.startswith("/v2"):
        return
    await answer.aread()
    if answer.is_error:
        assert answer.headers["content-type"] == "application/problem+json"
        check("error", answer.json())
        return
    assert answer.status_code == 200
    expected = find_answer(answer.request.method, answer.request.url.path)
    assert expected is not None, f"{answer.request.method} {answer.request.url.path} is no operation of the protocol"
    if expected == "nothing":
        assert answer.content == b""
        return
    if LENGTH not in answer.headers:
        assert answer.headers["content-type"] == "application/json"
        check(expected, answer.json())
        return
    at = int(answer.headers[LENGTH])
    head = json.loads(answer.content[:at])
    check(expected, head)
    sizes = [output["parameters"]["binary_data_size"] for output in head["outputs"] if "data" not in output]
    assert at + sum(sizes) == len(answer.content)


async def register(client: httpx.AsyncClient, name: str) -> int:
    body = {"model_name": name, "file_path": f"models/{name}.onnx", "version": "v1"}
    model_id: int = (await client.post("/api/v1/models", json=body)).raise_for_status().json()["model_id"]
    return model_id


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_tensor_bytes": 1 << 16})


@pytest.fixture
async def watched(settings: Settings, migrated: None, shared_store: None) -> AsyncIterator[httpx.AsyncClient]:
    """A client that validates each answer; `adder` is live, `other` is registered, and `broken` is no model."""
    async with LifespanManager(create_app(settings), startup_timeout=60, shutdown_timeout=60) as manager:
        transport = httpx.ASGITransport(manager.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            write_adder(settings.models_dir / "adder.onnx", 1)
            write_adder(settings.models_dir / "other.onnx", 2)
            (settings.models_dir / "broken.onnx").write_bytes(b"no model")
            ids = [await register(client, name) for name in ("adder", "other", "broken")]
            (await client.post(f"/api/v1/models/{ids[0]}/activate?tensors_only=true")).raise_for_status()
            client.event_hooks["response"].append(check_answer)
            yield client


async def test_health_and_descriptions(watched: httpx.AsyncClient) -> None:
    for path in (
        "/v2/health/live",
        "/v2/health/ready",
        "/v2",
        "/v2/",
        "/v2/models/adder",
        "/v2/models/adder/versions/v1",
        "/v2/models/adder/ready",
        "/v2/models/adder/versions/v1/ready",
    ):
        assert (await watched.get(path)).status_code == 200, path


async def test_inference_in_json_and_binary(watched: httpx.AsyncClient) -> None:
    for address in ("/v2/models/adder/infer", "/v2/models/other/versions/v1/infer"):
        answer = await watched.post(address, json={"id": "7", "inputs": [X]})
        plus = 1 if "adder" in address else 2
        assert answer.json()["outputs"][0]["data"] == [value + plus for value in range(1, 7)]
    wanted = [{"name": "y", "parameters": {"binary_data": True}}, {"name": "z"}]
    mixed = await watched.post("/v2/models/adder/infer", json={"inputs": [X], "outputs": wanted})
    assert LENGTH in mixed.headers
    classes = [{"name": "y", "parameters": {"classification": 2}}]
    words = await watched.post("/v2/models/adder/infer", json={"inputs": [X], "outputs": classes})
    assert words.json()["outputs"][0]["datatype"] == "BYTES"
    values = np.ones((2, 3), np.float32).tobytes()
    head = json.dumps(
        {
            "inputs": [X | {"data": [], "parameters": {"binary_data_size": len(values)}}],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    binary = await watched.post("/v2/models/adder/infer", content=head + values, headers={LENGTH: str(len(head))})
    assert int(binary.headers[LENGTH]) + 24 + 12 == len(binary.content)


async def test_the_repository(watched: httpx.AsyncClient) -> None:
    assert len((await watched.post("/v2/repository/index")).json()) == 3
    await watched.post("/v2/repository/index", json={"ready": True})
    for step in ("load", "unload"):
        assert (await watched.post(f"/v2/repository/models/other/{step}", json={})).status_code == 200


REFUSALS: tuple[tuple[str, str, Any, int], ...] = (
    ("GET", "/v2/models/nobody", None, 404),
    ("GET", "/v2/models/adder/versions/v2", None, 404),
    ("GET", "/v2/models/nobody/ready", None, 404),
    ("GET", "/v2/models/broken", None, 404),
    ("GET", "/v2/models/broken/ready", None, 503),
    ("GET", "/v2/nothing", None, 404),
    ("DELETE", "/v2/models/adder", None, 405),
    ("GET", "/v2/models/adder/infer", None, 404),
    ("POST", "/v2/models/nobody/infer", {"inputs": [X]}, 404),
    ("POST", "/v2/models/adder/infer", {"inputs": []}, 422),
    ("POST", "/v2/models/adder/infer", {"inputs": [X | {"shape": [2, 4]}]}, 422),
    ("POST", "/v2/models/adder/infer", {"inputs": [X], "outputs": [{"name": "w"}]}, 422),
    ("POST", "/v2/models/adder/infer", b"{", 422),
    ("POST", "/v2/models/adder/infer", b"0" * (1 << 17), 413),
    ("POST", "/v2/repository/index", {"ready": "perhaps"}, 422),
    ("POST", "/v2/repository/models/nobody/load", {}, 404),
    ("POST", "/v2/repository/models/other/load", {"parameters": {"config": "{}"}}, 422),
    ("POST", "/v2/repository/models/other/load", b"{", 422),
    ("POST", "/v2/repository/models/nobody/unload", {}, 404),
    ("POST", "/v2/repository/models/adder/unload", {}, 409),
)


async def test_refusals(watched: httpx.AsyncClient) -> None:
    for method, path, body, status in REFUSALS:
        options = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
        assert (await watched.request(method, path, **options)).status_code == status, (method, path, body)


async def test_refusals_of_callers_who_may_not(guarded: GuardedServer) -> None:
    key = await guarded.make_key(Role.DEVICE)
    transport = httpx.ASGITransport(guarded.app)
    hooks = {"response": [check_answer]}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", event_hooks=hooks) as client:
        assert (await client.get("/v2/models/adder")).status_code == 401
        assert (await client.post("/v2/models/adder/infer", json={})).status_code == 401
        assert (await client.post("/v2/models/adder/infer", headers=bearer(key), json={})).status_code == 403
        assert (await client.get("/v2/health/live")).status_code == 200


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("server", {"name": "understudy", "version": "1"}),
        ("model", {"name": "m", "platform": "onnxruntime_onnx", "inputs": [{"name": "x"}], "outputs": []}),
        ("inference", {"model_name": "m"}),
        ("inference", {"model_name": "m", "outputs": [{"name": "y", "shape": [1], "datatype": "FP32"}]}),
        ("inference", {"model_name": "m", "outputs": [{"name": "y", "shape": [1], "datatype": "float", "data": [1]}]}),
        ("index", [{"name": "m"}]),
        ("error", {"detail": "It failed."}),
    ],
)
def test_the_schemas_refuse_what_the_protocol_does(name: str, wrong: Any) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        check(name, wrong)
