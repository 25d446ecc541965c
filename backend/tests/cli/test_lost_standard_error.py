"""A server whose log cannot be written answers as any other."""

import os
from pathlib import Path

import httpx
import pytest

from tests.serve_process import run_serve_process


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")
@pytest.mark.parametrize("log", ["reader gone", "disk full"])
def test_a_server_whose_log_is_lost_activates_and_refuses_as_it_should(one: Path, log: str, wav: bytes) -> None:
    if log == "disk full":
        if not Path("/dev/full").exists():
            pytest.skip("this system has no device that is always full")
        stderr = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, stderr = os.pipe()
        os.close(reading)
    home = one.parents[1]
    try:
        with (
            run_serve_process(home, stderr=stderr, UNDERSTUDY_WORKERS="0") as server,
            httpx.Client(base_url=server.url, timeout=60) as client,
        ):
            assert client.get("/api/v1/models/999").json()["code"] == "model_not_found"
            body = {"model_name": "Two", "file_path": "models/two.onnx"}
            model_id = client.post("/api/v1/models", json=body).json()["model_id"]
            activated = client.post(f"/api/v1/models/{model_id}/activate")
            assert (activated.status_code, activated.json()["state"]) == (200, "succeeded")
            audio = {"Content-Type": "audio/wav"}
            assert client.post("/api/v1/predict", content=b"no audio", headers=audio).json()["code"] == "not_audio"
            assert client.post("/api/v1/predict", content=wav, headers=audio).json()["label"] == "b"
            assert client.get("/health/ready").status_code == 200
            assert "understudy_lost_log_lines_total 0.0" not in client.get("/metrics").text
    finally:
        os.close(stderr)
