"""Each answered recording is logged with the digest of the bytes that were sent, however they were sent."""

import base64
import hashlib
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager

from tests.types import ModelFactory
from understudy.container import Services
from understudy.main import create_app
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_every_way_to_send_a_recording_is_logged(
    settings: Settings, shared_store: None, make_model: ModelFactory, wav: bytes
) -> None:
    make_model(settings.models_dir / "live.onnx")
    long = wav + bytes(2 << 20)  # spooled to disk
    samples = wav[44:]
    app = create_app(settings.model_copy(update={"prediction_log_days": 7}))
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as manager:
        services: Services = manager._state["services"]
        transport = httpx.ASGITransport(manager.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

            async def send(path: str = "predict", **how: Any) -> None:
                answer = await client.post(f"/api/v1/{path}", **how)
                assert answer.status_code == 200, answer.text

            body = {"model_name": "live", "file_path": "models/live.onnx"}
            model = (await client.post("/api/v1/models", json=body)).json()
            await client.post(f"/api/v1/models/{model['model_id']}/activate")
            await send(files={"audio_file": ("clip.wav", wav)})
            await send(files={"audio_file": ("long.wav", long)})
            await send(content=wav, headers={"content-type": "audio/wav"})
            await send(content=long, headers={"content-type": "audio/wav"})
            await send(json={"audio": base64.b64encode(wav).decode()})
            raw = {"content-type": "audio/x-raw; format=s16le; rate=16000; channels=1"}
            await send(content=samples, headers=raw)
            await send("predict/batch", files=[("audio_file", ("a.wav", wav)), ("audio_file", ("b.wav", long))])
            refused = await client.post("/api/v1/predict", content=b"letter", headers={"content-type": "audio/wav"})
            assert refused.status_code == 415
            await services.prediction_log.write()
            page = (await client.get("/api/v1/predictions", params={"model_id": model["model_id"]})).json()
            status = (await client.get("/api/v1/status")).json()["prediction_log"]
            metrics = (await client.get("/metrics")).text
    found = [each["clip_digest"] for each in page["predictions"]]
    sent = [wav, long, wav, long, wav, samples, wav, long]
    assert sorted(found) == sorted(hash_of(each) for each in sent)
    assert {each["digest"] for each in page["predictions"]} == {model["digest"]}
    assert status == {"days": 7, "waiting": 0, "written": 8, "dropped": 0}
    assert "understudy_logged_predictions_total 8.0" in metrics


async def test_without_the_setting_nothing_is_logged(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/predictions")).json() == {"predictions": [], "next_cursor": None}
    assert (await client.get("/api/v1/status")).json()["prediction_log"] is None
