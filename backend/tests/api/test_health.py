"""The probes say what is true of this process."""

import asyncio

import httpx
import pytest

from tests.types import ModelFactory
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate
from understudy.serving import supervision
from understudy.serving.compilation.compile_queue import CompileQueue
from understudy.serving.sync.poll_loop import PollLoop
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


async def test_a_server_without_a_desired_model_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"status": "live"}
    for path in ("/health/ready", "/api/v1/health"):
        ready = await client.get(path)
        assert (ready.status_code, ready.json()["status"], ready.json()["model"]) == (200, "ready", None)
        assert "503 no_active_model" in ready.json()["note"]
        required = await client.get(path, params={"model": "required"})
        assert (required.status_code, required.json()["code"]) == (503, "no_active_model")
        assert (await client.get(path, params={"model": "7"})).status_code == 422


async def test_the_probe_names_the_live_model(
    client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory
) -> None:
    make_model(settings.models_dir / "live.onnx")
    body = {"model_name": "live", "file_path": "models/live.onnx"}
    model = (await client.post("/api/v1/models", json=body)).json()
    answer = (await client.post(f"/api/v1/models/{model['model_id']}/activate")).json()
    for path in ("/health/ready", "/api/v1/health"):
        ready = (await client.get(path, params={"model": "required"})).json()
        assert (ready["model"]["model_id"], ready["note"]) == (answer["model_id"], None)


async def test_probe_and_status_say_that_the_live_model_cannot_score_recordings(
    client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory, wav: bytes
) -> None:
    make_model(settings.models_dir / "tensors.onnx")
    body = {"model_name": "tensors", "file_path": "models/tensors.onnx", "spec": {"input": "tensor"}}
    path = f"/api/v1/models/{(await client.post('/api/v1/models', json=body)).json()['model_id']}/activate"
    refused = await client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (422, "takes_tensors")
    assert (await client.get("/health/ready")).json()["model"] is None
    assert (await client.post(path, params={"tensors_only": True})).status_code == 200
    ready = (await client.get("/health/ready", params={"model": "required"})).json()
    assert ready["tensors_only"]
    assert "it cannot score recordings" in ready["note"]
    live = (await client.get("/api/v1/status")).json()["live"]
    assert live["tensors_only"]
    assert live["notes"] == [ready["note"]]
    answer = await client.post("/api/v1/predict", files={"audio_file": ("x", wav)})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_for_audio")


async def test_the_status_shows_database_backbone_and_replica(client: httpx.AsyncClient) -> None:
    status = (await client.get("/api/v1/status")).json()
    assert status["live"] is None
    assert status["in_sync"]
    assert status["database"] == {"dialect": "sqlite", "reachable": True, "problem": None}
    assert status["backbone"]["installed"] is False
    assert [replica["state"] for replica in status["replicas"]] == ["empty"]


class TestBackgroundTaskDown:
    @pytest.fixture(params=["follower", "compile_queue"])
    def down(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
        """The name of a task that dies at the start and is not started again during the test."""

        async def die(*_: object) -> None:
            raise RuntimeError("a fault")

        owner, method = {"follower": (PollLoop, "run"), "compile_queue": (CompileQueue, "work")}[request.param]
        monkeypatch.setattr(owner, method, die)
        monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 600.0)
        return str(request.param)

    async def test_readiness_status_and_metrics_name_it(self, down: str, client: httpx.AsyncClient) -> None:
        async with asyncio.timeout(30):
            while all(task["running"] for task in (await client.get("/api/v1/status")).json()["tasks"]):
                await asyncio.sleep(0.01)
        ready = await client.get("/health/ready")
        if down == "follower":
            assert (ready.status_code, ready.json()["code"]) == (503, "background_task_down")
            assert "follower is down" in ready.json()["detail"]
        else:
            assert (ready.status_code, "compile_queue is down" in ready.json()["note"]) == (200, True)
        status = (await client.get("/api/v1/status")).json()
        assert {task["name"]: task["running"] for task in status["tasks"]}[down] is False
        assert ["a fault" in task["reason"] for task in status["tasks"] if not task["running"]] == [True]
        metrics = (await client.get("/metrics")).text
        assert f'understudy_task_failures_total{{task="{down}"}} 1.0' in metrics
        assert f'understudy_task_up{{task="{down}"}} 0.0' in metrics


class TestDesiredModelWithoutFile:
    @pytest.fixture
    async def settings(self, settings: Settings, make_model: ModelFactory) -> Settings:
        """The database desires a model whose file is gone and that was never compiled."""
        file = make_model(settings.models_dir / "gone.onnx", labels=("never", "compiled", "before"))
        async with Database(settings) as database:
            await schema.migrate(database)
            registered = await Registry(settings, database).register(
                ModelCreate(model_name="gone", file_path="models/gone.onnx"), "test"
            )
            async with database.write() as session:
                await desired_state.switch(session, registered.model_id, actor="test")
        file.unlink()
        return settings

    async def test_the_server_starts_not_ready_and_says_why(self, client: httpx.AsyncClient, wav: bytes) -> None:
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["code"]) == (503, "model_not_loaded")
        assert "models/gone.onnx" in answer.json()["detail"]
        assert (await client.get("/health/live")).status_code == 200
        status = (await client.get("/api/v1/status")).json()
        assert status["problem"]["code"] == "file_missing"
        assert status["replicas"][0]["state"] == "failed"
        answer = await client.post("/api/v1/predict", files={"audio_file": ("x", wav)})
        assert (answer.status_code, answer.json()["code"]) == (503, "model_not_loaded")
        assert "models/gone.onnx" in answer.json()["detail"]
