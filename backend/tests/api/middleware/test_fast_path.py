"""An inference and a prediction end the same whether the fast path or the router takes them to their endpoints."""

import base64
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.sample_files import tone
from tests.types import ModelFactory
from understudy.api.middleware.fast_path import FastPath
from understudy.errors import (
    BackboneMissing,
    CannotServe,
    DatabaseUnavailable,
    FileChanged,
    FileMissing,
    ModelNotFound,
    ModelSetAside,
    UnderstudyError,
)
from understudy.main import create_app
from understudy.serving.prediction.predictor import Predictor
from understudy.serving.prediction.tensor_inference import TensorInference
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

PATH = "/v2/models/tensors/infer"
PATCH = {"name": "patch", "shape": [1, 96, 64], "datatype": "FP32"}
SIZE = 96 * 64
BODY = json.dumps({"id": "7", "inputs": [PATCH | {"data": [0] * SIZE}]}).encode()
BINARY = PATCH | {"parameters": {"binary_data_size": 4 * SIZE}}
HEAD = json.dumps({"inputs": [BINARY], "parameters": {"binary_data_output": True}}).encode()
LIMIT = 50_000


class TwoWays:
    """One application with two stacks of middleware: a request takes the one that its header `way` names."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._fast = app.build_middleware_stack()
        [fast_path] = [each for each in app.user_middleware if getattr(each.cls, "__name__", "") == FastPath.__name__]
        app.user_middleware.remove(fast_path)
        self._router = app.build_middleware_stack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        by_router = scope["type"] == "http" and (b"way", b"router") in scope["headers"]
        scope["app"] = self._app
        await (self._router if by_router else self._fast)(scope, receive, send)


@dataclass(frozen=True)
class Case:
    status: int
    method: str = "POST"
    path: str = PATH
    content: bytes = BODY
    headers: dict[str, str] = field(default_factory=dict)
    raises: Exception | None = None


@dataclass(frozen=True)
class Ending:
    """All that a client, the server and the operator can see of one request."""

    status: int
    headers: dict[str, str]
    body: bytes
    raised: str
    counted: dict[str, float]


ERRORS: tuple[type[UnderstudyError], ...] = (
    ModelNotFound,
    FileMissing,
    FileChanged,
    CannotServe,
    BackboneMissing,
    DatabaseUnavailable,
)
_TIMING = re.compile(rb'"timing_ms":{[^}]*}')
PREDICT = "/api/v1/predict"
CLIP = tone(0.975)
AUDIO = {"content-type": "audio/wav"}
JSON_CLIP = json.dumps({"audio": base64.b64encode(CLIP).decode(), "source": "hall"}).encode()
FORM = b'--edge\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + CLIP + b"\r\n--edge--\r\n"


def _predict(status: int, query: str = "", content: bytes = CLIP, **more: Any) -> Case:
    return Case(status, path=f"{PREDICT}{query}", content=content, **{"headers": AUDIO, **more})


PREDICTIONS = {
    "clip": _predict(200),
    "clip with a source": _predict(200, "?source=hall&recorded_at=2026-05-01T14:03:00%2B02:00&unknown=1"),
    "clip with the last of two sources": _predict(200, "?source=hall&source=stairs"),
    "clip in a form": _predict(200, content=FORM, headers={"content-type": "multipart/form-data; boundary=edge"}),
    "clip in JSON": _predict(200, content=JSON_CLIP, headers={"content-type": "application/json"}),
    "raw samples": _predict(200, "?format=s16le&rate=16000", bytes(32_000), headers={"content-type": "audio/x-raw"}),
    "rehearsal": _predict(200, "?model_id=1"),
    "no such model": _predict(404, "?model_id=99"),
    "model id of no number": _predict(422, "?model_id=live"),
    "model id past the range": _predict(422, "?model_id=99999999999999999999"),
    "empty source": _predict(422, "?source="),
    "rate below the range": _predict(422, "?format=s16le&rate=1"),
    "source in bytes of no text": _predict(422, "?source=%ff%0a"),
    "strict or not": _predict(422, "?strict=perhaps"),
    "fields that contradict": _predict(
        422, "?source=stairs", content=JSON_CLIP, headers={"content-type": "application/json"}
    ),
    "no audio": _predict(415, content=b"no audio at all"),
    "no type": _predict(422, headers={"content-type": "text/plain"}),
    "GET a prediction": _predict(405, method="GET"),
    "HEAD a prediction": _predict(405, method="HEAD"),
    "prediction with a slash": _predict(307, "/"),
}
FAILED_PREDICTIONS = {
    "unforeseen in a prediction": _predict(500, raises=RuntimeError("password=hunter2")),
    "set aside": _predict(503, raises=ModelSetAside("It ended workers.")),
}
CASES = {
    **FAILED_PREDICTIONS,
    "success": Case(200),
    "success by version": Case(200, path="/v2/models/tensors/versions/v1/infer"),
    "success in binary form": Case(
        200,
        content=HEAD + bytes(4 * SIZE),
        headers={"inference-header-content-length": str(len(HEAD))},
    ),
    "HEAD": Case(404, method="HEAD"),
    "another method": Case(405, method="PUT"),
    "no name": Case(405, path="/v2/models/infer"),
    "no such version": Case(404, path="/v2/models/tensors/versions/v9/infer"),
    "not JSON": Case(422, content=b"{"),
    "too large": Case(413, content=b" " * (LIMIT + 1)),
    "foreign host": Case(403, headers={"host": "evil.example"}),
    "unforeseen": Case(500, raises=RuntimeError("password=hunter2")),
    **{error.code: Case(error.status, raises=error("It happened.")) for error in ERRORS},
}


@pytest.fixture(scope="module")
async def application(module_settings: Settings, make_model: ModelFactory) -> AsyncIterator[ASGIApp]:
    """The server with one live model that takes log-mel patches."""
    settings = module_settings.model_copy(update={"max_tensor_bytes": LIMIT})
    make_model(settings.models_dir / "tensors.onnx")
    ways = TwoWays(create_app(settings))
    async with LifespanManager(ways, startup_timeout=60, shutdown_timeout=60) as manager:
        async with _connect(manager.app) as client:
            body = {"model_name": "tensors", "file_path": "models/tensors.onnx", "version": "v1"}
            model = (await client.post("/api/v1/models", json=body)).raise_for_status().json()
            (await client.post(f"/api/v1/models/{model['model_id']}/activate")).raise_for_status()
        yield manager.app


def _connect(app: ASGIApp, *, raises: bool = True) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=raises)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def _count(client: httpx.AsyncClient) -> Counter[str]:
    """Read the counters of requests and refusals."""
    page = (await client.get("/metrics")).text
    lines = [line.rpartition(" ") for line in page.splitlines()]
    names = ("understudy_requests_total{", "understudy_refusals_total{")
    return Counter({name: int(float(value)) for name, _, value in lines if name.startswith(names)})


async def _send(application: ASGIApp, case: Case, way: str) -> Ending:
    raised: list[str] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await application(scope, receive, send)
        except Exception as error:
            raised.append(repr(error))
            raise

    async with _connect(noting, raises=False) as client:
        before = await _count(client)
        answer = await client.request(
            case.method,
            case.path,
            content=case.content,
            headers={"content-type": "application/json", "way": way, "x-request-id": "same"} | case.headers,
        )
        counted = await _count(client) - before
    body, timed = _TIMING.subn(b"", answer.content)  # times differ from request to request
    headers = {name: value for name, value in answer.headers.items() if not (timed and name == "content-length")}
    return Ending(answer.status_code, headers, body, "".join(raised), dict(counted))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_both_ways_to_an_inference_end_the_same(
    application: ASGIApp, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    if case.raises is not None:
        failure = case.raises

        async def fail(*_: Any, **__: Any) -> None:
            raise failure

        monkeypatch.setattr(TensorInference, "infer", fail)
        monkeypatch.setattr(Predictor, "predict_with", fail)
    await _check(application, case)


async def test_both_ways_to_a_prediction_end_the_same(application: ASGIApp) -> None:
    for case in PREDICTIONS.values():
        await _check(application, case)


async def _check(application: ASGIApp, case: Case) -> None:
    fast = await _send(application, case, "fast")
    assert fast.status == case.status, fast.body
    assert fast.counted, "each request is counted"
    assert fast.raised == ("" if case.status != 500 else repr(case.raises))
    assert b"hunter2" not in fast.body
    assert fast == await _send(application, case, "router")
