"""The serving process never imports a training framework."""

import json
import os
import subprocess
import sys

from tests.types import ModelFactory
from understudy.settings import Settings

FRAMEWORKS = ["tensorflow", "keras", "tf_keras", "tf2onnx", "h5py", "torch", "jax", "ai_edge_litert"]
LIFE = """
import asyncio, json, sys
import httpx
from asgi_lifespan import LifespanManager
from understudy.main import create_app

async def main():
    async with LifespanManager(create_app()) as manager:
        transport = httpx.ASGITransport(manager.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            body = {"model_name": "one", "file_path": "models/one.onnx"}
            model = (await client.post("/api/v1/models", json=body)).json()
            (await client.post(f"/api/v1/models/{model['model_id']}/activate")).raise_for_status()
            audio, kind = sys.stdin.buffer.read(), {"content-type": "audio/wav"}
            (await client.post("/api/v1/predict", content=audio, headers=kind)).raise_for_status()
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))

asyncio.run(main())
"""


def test_registering_activating_and_predicting_import_no_framework(
    settings: Settings, make_model: ModelFactory, wav: bytes
) -> None:
    make_model(settings.models_dir / "one.onnx")
    environment = os.environ | {"UNDERSTUDY_HOME": str(settings.home)}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run([sys.executable, "-c", LIFE], env=environment, input=wav, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    imported = json.loads(done.stdout.splitlines()[-1])
    assert not set(FRAMEWORKS) & set(imported)
    assert "onnxruntime" in imported
