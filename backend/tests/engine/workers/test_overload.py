"""A server that has too much to do says so at once, and answers the rest."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from asgi_lifespan import LifespanManager

from tests.sample_files import tone
from tests.types import ModelFactory
from understudy.main import create_app
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(
    settings: Settings, migrated: None, shared_store: None, make_model: ModelFactory
) -> AsyncIterator[httpx.AsyncClient]:
    make_model(settings.models_dir / "m.onnx")
    app = create_app(settings.model_copy(update={"workers": 1, "queue_seconds": 0.05}))
    async with LifespanManager(app, startup_timeout=60) as manager:
        transport = httpx.ASGITransport(manager.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as opened:
            body = {"model_name": "m", "file_path": "models/m.onnx"}
            model_id = (await opened.post("/api/v1/models", json=body)).json()["model_id"]
            (await opened.post(f"/api/v1/models/{model_id}/activate?wait=true")).raise_for_status()
            yield opened


async def test_what_could_not_begin_in_time_is_refused_with_the_time_to_wait(client: httpx.AsyncClient) -> None:
    content, kind = tone(30.0), {"content-type": "audio/wav"}
    (await client.post("/api/v1/predict", content=content, headers=kind)).raise_for_status()
    answers = await asyncio.gather(*(client.post("/api/v1/predict", content=content, headers=kind) for _ in range(30)))
    statuses = [answer.status_code for answer in answers]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert statuses.count(200) + len(refused) == 30
    assert refused
    assert statuses.count(200) > 0
    assert {answer.json()["code"] for answer in refused} == {"overloaded"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    (await client.post("/api/v1/predict", content=content, headers=kind)).raise_for_status()
