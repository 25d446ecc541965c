"""Prediction over HTTP: what goes in, what comes out, who answered."""

from typing import Any

import httpx
import pytest

from tests.sample_files import tone
from tests.types import ModelFactory
from understudy.schemas.inference.finding import FindingCode
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def live(client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory) -> dict[str, Any]:
    """A registered model that answers "b", live."""
    make_model(settings.models_dir / "live.onnx", winner=1)
    body = {"model_name": "live", "file_path": "models/live.onnx", "version": "v1"}
    model: dict[str, Any] = (await client.post("/api/v1/models", json=body)).json()
    assert (await client.post(f"/api/v1/models/{model['model_id']}/activate")).status_code == 200
    return model


async def test_without_an_active_model_the_answer_is_503_with_the_remedy(client: httpx.AsyncClient, wav: bytes) -> None:
    answer = await client.post("/api/v1/predict", files={"audio_file": ("clip.wav", wav, "audio/wav")})
    assert (answer.status_code, answer.json()["code"]) == (503, "no_active_model")
    assert "activate" in answer.json()["remedy"]


async def test_the_answer_names_the_model_and_describes_the_audio(
    client: httpx.AsyncClient, live: dict[str, Any], wav: bytes
) -> None:
    answer = await client.post("/api/v1/predict", files={"audio_file": ("clip.wav", wav, "audio/wav")})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["label"] == "b"
    assert body["score"] == pytest.approx(max(body["scores"].values()))
    assert sum(body["scores"].values()) == pytest.approx(1.0, abs=1e-5)
    assert body["model"] == {
        "model_id": live["model_id"],
        "model_name": "live",
        "version": "v1",
        "digest": live["digest"],
        "precision": "float32",
    }
    assert body["generation"] == 1
    assert body["audio"]["duration_seconds"] == pytest.approx(2.0)
    assert (body["audio"]["sample_rate"], body["audio"]["channels"]) == (16_000, 1)
    assert body["audio"]["level_dbfs"] == pytest.approx(-9.03, abs=0.05)
    assert (body["audio"]["silent"], body["audio"]["clipped"]) == (False, False)
    starts = [window["start"] for window in body["windows"]]
    assert starts == pytest.approx([0.48 * index for index in range(len(starts))])
    assert body["windows"][-1]["end"] >= 2.0
    assert body["timing_ms"].keys() == {"queue", "decode", "features", "inference"}


async def test_a_raw_body_and_a_form_give_the_same_scores(
    client: httpx.AsyncClient, live: dict[str, Any], wav: bytes
) -> None:
    form = (await client.post("/api/v1/predict", files={"audio_file": ("x", wav)})).json()
    raw = (await client.post("/api/v1/predict", content=wav, headers={"content-type": "audio/wav"})).json()
    assert raw["scores"] == form["scores"]


async def test_a_model_is_rehearsed_by_its_id_while_the_other_stays_live(
    client: httpx.AsyncClient, live: dict[str, Any], settings: Settings, make_model: ModelFactory, wav: bytes
) -> None:
    make_model(settings.models_dir / "next.onnx", winner=2)
    body = {"model_name": "next", "file_path": "models/next.onnx"}
    model = (await client.post("/api/v1/models", json=body)).json()
    answer = (
        await client.post(f"/api/v1/predict?model_id={model['model_id']}", files={"audio_file": ("x", wav)})
    ).json()
    assert (answer["label"], answer["model"]["model_id"], answer["generation"]) == ("c", model["model_id"], None)
    assert (await client.get("/api/v1/status")).json()["live"]["model"]["model_id"] == live["model_id"]
    answer = (await client.post("/api/v1/predict?model_id=99", files={"audio_file": ("x", wav)})).json()
    assert answer["code"] == "model_not_found"


async def test_a_name_changed_while_live_is_the_name_on_the_next_answer(
    client: httpx.AsyncClient, live: dict[str, Any], wav: bytes
) -> None:
    await client.patch(f"/api/v1/models/{live['model_id']}", json={"version": "v1.1"})
    answer = (await client.post("/api/v1/predict", files={"audio_file": ("x", wav)})).json()
    assert answer["model"]["version"] == "v1.1"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"files": {"audio": (None, b"RIFF")}}, 422, "request_invalid"),
        ({"content": b"{}", "headers": {"content-type": "application/json"}}, 422, "request_invalid"),
        ({"content": b"hello", "headers": {"content-type": "audio/wav"}}, 415, "not_audio"),
        ({"content": b"", "headers": {"content-type": "audio/wav"}}, 422, "audio_unusable"),
    ],
    ids=["no file", "wrong type", "not audio", "empty"],
)
async def test_what_is_not_a_recording_is_refused(
    client: httpx.AsyncClient, live: dict[str, Any], sent: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.post("/api/v1/predict", **sent)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"max_upload_bytes": 40_000, "max_audio_seconds": 1.0})

    @pytest.mark.parametrize("way", ["form", "raw", "chunked"])
    async def test_a_body_past_the_limit_is_refused(
        self, client: httpx.AsyncClient, live: dict[str, Any], wav: bytes, way: str
    ) -> None:
        async def chunks() -> Any:
            for start in range(0, len(wav), 10_000):
                yield wav[start : start + 10_000]

        ways: dict[str, dict[str, Any]] = {
            "form": {"files": {"audio_file": ("x", wav)}},
            "raw": {"content": wav, "headers": {"content-type": "audio/wav"}},
            "chunked": {"content": chunks(), "headers": {"content-type": "audio/wav"}},
        }
        answer = await client.post("/api/v1/predict", **ways[way])
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    @pytest.mark.parametrize(("seconds", "status"), [(1.0, 200), (1.1, 413)])
    async def test_a_recording_longer_than_max_audio_seconds_is_refused(
        self, client: httpx.AsyncClient, live: dict[str, Any], seconds: float, status: int
    ) -> None:
        answer = await client.post("/api/v1/predict", content=tone(seconds), headers={"content-type": "audio/wav"})
        assert answer.status_code == status, answer.text
        if status != 200:
            assert answer.json()["code"] == "audio_too_long"
            assert "UNDERSTUDY_MAX_AUDIO_SECONDS" in answer.json()["remedy"]


async def test_a_damaged_recording_is_answered_with_findings_or_refused_where_strict(
    client: httpx.AsyncClient, live: dict[str, Any], wav: bytes
) -> None:
    cut = wav[: len(wav) // 2]
    answer = await client.post("/api/v1/predict", files={"audio_file": ("clip.wav", cut, "audio/wav")})
    assert answer.status_code == 200, answer.text
    [finding] = answer.json()["findings"]
    assert finding["code"] == "truncated"
    assert finding["start"] == pytest.approx(1.0, abs=0.01)
    assert finding["end"] == pytest.approx(2.0)
    assert finding["bytes"] == len(wav) - len(cut)
    assert finding["detail"] in answer.json()["warnings"]
    assert answer.json()["model"]["model_id"] == live["model_id"]
    files = {"audio_file": ("clip.wav", cut, "audio/wav")}
    refused = await client.post("/api/v1/predict?strict=true", files=files)
    assert (refused.status_code, refused.json()["code"]) == (422, "audio_unusable")
    assert refused.json()["detail"] == finding["detail"]
    remedy = refused.json()["remedy"]
    assert remedy.startswith(FindingCode.TRUNCATED.remedy)
    assert "strict=false" in remedy
    lines = await client.post("/api/v1/predict/batch?strict=true", files=files)
    assert lines.json()["problem"]["detail"] == finding["detail"]
    whole = {"audio_file": ("clip.wav", wav, "audio/wav")}
    assert (await client.post("/api/v1/predict?strict=true", files=whole)).json()["findings"] == []
