"""The ways in which clients send one recording, and what they may say about it."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
import structlog

from tests.types import ModelFactory
from understudy.api.uploads.base64_json import MAX_DOCUMENT_BYTES
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

RATE = 22_050
HEADER = {"content-type": "application/json"}


@pytest.fixture(scope="module")
async def client(
    module_client: httpx.AsyncClient, module_settings: Settings, make_model: ModelFactory
) -> httpx.AsyncClient:
    """The module's server with a live model whose scores depend on the audio."""
    make_model(module_settings.models_dir / "live.onnx", sensitive=True)
    body = {"model_name": "live", "file_path": "models/live.onnx"}
    model = (await module_client.post("/api/v1/models", json=body)).json()
    assert (await module_client.post(f"/api/v1/models/{model['model_id']}/activate")).status_code == 200
    return module_client


@pytest.fixture
def upload_limit(module_settings: Settings, request: pytest.FixtureRequest) -> Iterator[int]:
    """A limit of uploads for one test."""
    before = module_settings.max_upload_bytes
    object.__setattr__(module_settings, "max_upload_bytes", request.param)
    yield request.param
    object.__setattr__(module_settings, "max_upload_bytes", before)


def samples(channels: int = 1) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.random.default_rng(7).integers(-9000, 9000, (RATE, channels)).astype(np.int16)


def to_wav(frames: np.ndarray[Any, Any], subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, frames, RATE, format="WAV", subtype=subtype)
    return file.getvalue()


async def predict(client: httpx.AsyncClient, **sent: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/predict", **sent)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def part(headers: str, content: bytes) -> dict[str, Any]:
    """A form with one part of these headers, as no library writes it."""
    body = f"--x\r\n{headers}\r\n\r\n".encode("latin-1") + content + b"\r\n--x--\r\n"
    return {"content": body, "headers": {"content-type": "multipart/form-data; boundary=x"}}


async def test_every_form_of_the_same_recording_gives_the_same_scores(client: httpx.AsyncClient) -> None:
    frames = samples()
    wav = to_wav(frames)
    text = base64.b64encode(wav).decode()
    little, floats = frames.tobytes(), (frames / np.float32(32768)).astype("<f4").tobytes()
    expected = await predict(client, files={"audio_file": ("x.wav", wav)})
    pcm = base64.b64encode(little).decode()
    sent: dict[str, dict[str, Any]] = {
        "field file": {"files": {"file": ("x.wav", wav)}},
        "field audio": {"files": {"audio": ("x.wav", wav)}},
        "empty input beside it": {"files": [("later", ("", b"")), ("recording", ("x.wav", wav))]},
        "filename*": part("Content-Disposition: form-data; name=a; filename*=UTF-8''b%C3%B6se.wav", wav),
        "no filename": part("Content-Disposition: form-data; name=a\r\nContent-Type: audio/wav", wav),
        "documented name only": part("Content-Disposition: form-data; name=audio_file", wav),
        "json": {"json": {"audio": text}},
        "json with line breaks": {"json": {"audio": base64.encodebytes(wav).decode()}},
        "json, url-safe": {"json": {"audio": base64.urlsafe_b64encode(wav).decode()}},
        "data URL": {"json": {"audio": f"data:audio/webm;codecs=opus;base64,{text}"}},
        "json of raw samples": {"json": {"audio": pcm, "format": "s16le", "rate": RATE}},
        "data URL of raw samples": {"json": {"audio": f"data:audio/x-raw;format=s16le;rate={RATE};base64,{pcm}"}},
        "s16le": {"content": little, "headers": {"content-type": f"audio/x-raw; format=S16LE; rate={RATE}"}},
        "f32le": {
            "content": floats,
            "headers": {"content-type": f"audio/x-raw; format=f32le; rate={RATE}; channels=1"},
        },
        "L16": {"content": frames.astype(">i2").tobytes(), "headers": {"content-type": f"audio/L16; rate={RATE}"}},
        "query": {"content": little, "params": {"format": "s16le", "rate": RATE}},
        "raw file in a form": {"files": {"a": ("x", little, f"audio/x-raw; format=s16le; rate={RATE}")}},
        "form fields": {"files": {"a": ("x", little)}, "data": {"format": "s16le", "rate": str(RATE), "channels": "1"}},
    }
    for way, request in sent.items():
        answer = await predict(client, **request)
        assert answer["windows"] == expected["windows"], way
        assert answer["audio"] | {"codec": ""} == expected["audio"] | {"codec": ""}, way


async def test_channels_of_raw_samples_are_mixed_as_those_of_a_file(client: httpx.AsyncClient) -> None:
    frames = samples(channels=2)
    expected = await predict(client, content=to_wav(frames), headers={"content-type": "audio/wav"})
    for content, kind in (
        (frames.tobytes(), f"audio/x-raw; format=s16le; rate={RATE}; channels=2; layout=interleaved"),
        (frames.astype(">i2").tobytes(), f"audio/L16;rate={RATE};channels=2"),
    ):
        answer = await predict(client, content=content, headers={"content-type": kind})
        assert (answer["windows"], answer["audio"]) == (expected["windows"], expected["audio"])


async def test_raw_samples_past_the_spool_are_decoded_to_their_end(client: httpx.AsyncClient) -> None:
    frames = np.tile(samples(), (60, 1))
    expected = await predict(client, content=to_wav(frames), headers={"content-type": "audio/wav"})
    kind = f"audio/x-raw; format=s16le; rate={RATE}"
    answer = await predict(client, content=frames.tobytes(), headers={"content-type": kind})
    assert (answer["windows"], answer["audio"]) == (expected["windows"], expected["audio"])


def to_g711(frames: np.ndarray[Any, Any], subtype: str) -> tuple[bytes, bytes]:
    """Return a wav file of G.711, and its codes alone."""
    wav = to_wav(frames, subtype)
    at = wav.index(b"data") + 8
    return wav, wav[at : at + len(frames)]


async def test_raw_g711_with_a_declared_rate_gives_the_scores_of_a_file(client: httpx.AsyncClient) -> None:
    for subtype, name, kinds in (
        ("ULAW", "mulaw", (f"audio/PCMU;rate={RATE}", f"audio/x-mulaw; rate={RATE}")),
        ("ALAW", "alaw", (f"audio/PCMA; rate={RATE}; channels=1", f"audio/x-alaw; rate={RATE}")),
    ):
        wav, codes = to_g711(samples(), subtype)
        expected = await predict(client, content=wav, headers={"content-type": "audio/wav"})
        text = base64.b64encode(codes).decode()
        requests: list[dict[str, Any]] = [
            *({"content": codes, "headers": {"content-type": kind}} for kind in kinds),
            {"content": codes, "params": {"format": name, "rate": RATE}},
            {"json": {"audio": text, "format": name, "rate": RATE}},
            {"files": {"a": ("x", codes, kinds[0])}},
        ]
        for sent in requests:
            answer = await predict(client, **sent)
            assert (answer["windows"], answer["audio"]) == (expected["windows"], expected["audio"])


async def test_audio_basic_is_mulaw_at_its_own_rate_or_an_au_file(client: httpx.AsyncClient) -> None:
    frames = np.random.default_rng(3).integers(-9000, 9000, (16_000, 1)).astype(np.int16)
    codes = to_g711(frames, "ULAW")[1]
    file = io.BytesIO()
    soundfile.write(file, frames, 8_000, format="AU", subtype="ULAW")
    answers = [
        await predict(client, content=body, headers={"content-type": "audio/basic"})
        for body in (codes, file.getvalue())
    ]
    assert answers[0]["windows"] == answers[1]["windows"]
    facts = answers[0]["audio"]
    assert (facts["sample_rate"], facts["duration_seconds"], facts["codec"]) == (8_000, 2.0, "pcm_mulaw")


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        ("audio/x-raw; format=s16le; rate=16000", 2),
        ("audio/L16; rate=16000; channels=2", 4),
        ("audio/x-raw; format=f32le; rate=16000", 4),
        ("audio/PCMU; rate=8000; channels=3", 3),
    ],
)
async def test_a_frame_of_raw_samples_that_is_cut_off_is_named_and_the_rest_answered(
    client: httpx.AsyncClient, kind: str, frame: int
) -> None:
    answer = await predict(client, **typed(kind, bytes(1000 * frame + 1)))
    assert answer["audio"]["duration_seconds"] == 1000 / answer["audio"]["sample_rate"]
    [finding] = [each for each in answer["findings"] if each["code"] == "trailing_data"]
    assert finding["bytes"] == 1
    assert f"less than one frame of {frame} bytes" in finding["detail"]


def typed(kind: str, content: bytes = bytes(8)) -> dict[str, Any]:
    return {"content": content, "headers": {"content-type": kind}}


@pytest.mark.parametrize(
    ("sent", "code", "said"),
    [
        (typed("audio/x-raw; format=s16le"), "request_invalid", "sample rate of the s16le samples is missing"),
        (typed("audio/x-raw; rate=16000"), "request_invalid", "rate came without the format"),
        (typed("audio/L16"), "request_invalid", "rate of the s16be samples is missing"),
        (typed("audio/x-raw; format=s16le; rate=16k"), "request_invalid", "body.rate"),
        (typed("audio/x-raw; format=s16le; rate=1"), "request_invalid", "body.rate"),
        (typed("audio/x-raw; format=s24le; rate=16000"), "request_invalid", "body.format"),
        (typed("audio/x-raw; format=s16le; rate=16000; layout=planar"), "request_invalid", "layout"),
        (typed("audio/PCMU"), "request_invalid", "rate of the mulaw samples is missing"),
        (typed("audio/PCMA; rate=8000; ptime=20"), "request_invalid", "ptime"),
        (typed("audio/PCMU; rate=8000", b""), "audio_unusable", "0 bytes"),
        (typed("audio/PCMU; rate=8000", to_wav(samples())), "audio_unusable", "and it is a whole wav file"),
        (typed("audio/L16; rate=8000; emphasis=50-15"), "request_invalid", "emphasis"),
        (typed("audio/x-raw; format=f32le; rate=16000", bytes(3)), "audio_unusable", "3 bytes"),
        (typed("audio/x-raw; format=f32le; rate=16000", b""), "audio_unusable", "0 bytes"),
        (typed("audio/x-raw; format=f32le; rate=16000", b"\xff" * 8), "audio_unusable", "finite"),
        (typed("audio/wav") | {"params": {"format": "s16le", "rate": 16000}}, "request_invalid", "audio/wav"),
        (typed("audio/L16; rate=8000") | {"params": {"rate": 16000}}, "request_invalid", "rate=16000"),
        (typed("application/octet-stream") | {"params": {"rate": 16000}}, "request_invalid", "without the format"),
        (typed("application/json", b'{"audio": "*"}'), "request_invalid", "not base64"),
        (typed("application/json", b'{"audio": "AAA"}'), "request_invalid", "not base64"),
        (typed("application/json", b'{"audio": "data:audio/wav,AAAA"}'), "request_invalid", ";base64"),
        (typed("application/json", b'{"file": "AAAA"}'), "request_invalid", "body.audio"),
        (typed("application/json", b'{"audio": ""}'), "request_invalid", "body.audio"),
        (typed("application/json", b'{"audio": "AAAA", "pitch": 1}'), "request_invalid", "body.pitch"),
        (typed("application/json", b"{"), "request_invalid", "JSON"),
        (typed("application/json", b'{"audio": "AAAA"}'), "not_audio", "not in a supported audio format"),
        ({"files": {"audio": ("x.wav", b"hello")}}, "not_audio", "text"),
        ({"files": {"a": (None, b"x"), "b": (None, b"y")}}, "request_invalid", "its fields are a, b"),
        (part('Content-Disposition: form-data; name=a; filename=""', b""), "request_invalid", "has no file"),
    ],
)
async def test_what_is_not_a_declared_recording_is_refused_with_its_reason(
    client: httpx.AsyncClient, sent: dict[str, Any], code: str, said: str
) -> None:
    answer = (await client.post("/api/v1/predict", **sent)).json()
    assert (answer["code"], said in answer["detail"]) == (code, True), answer


async def test_two_files_are_refused_by_their_names(client: httpx.AsyncClient, wav: bytes) -> None:
    answer = await client.post("/api/v1/predict", files={"left": ("a.wav", wav), "right": ("b.wav", wav)})
    assert answer.status_code == 422
    assert "left (a.wav) and right (b.wav)" in answer.json()["detail"]
    assert "/predict/batch" in answer.json()["remedy"]


@pytest.mark.parametrize(
    ("content", "kind", "header"),
    [
        (b'{"audio": "AAAA"}', "application/x-www-form-urlencoded", "application/json"),
        (b' {"audio": "AAAA"}', None, "application/json"),
        (b"RIFF", "application/x-www-form-urlencoded", "audio/wav"),
        (b"", None, "audio/wav"),
    ],
)
async def test_a_body_without_its_header_is_refused_with_the_header(
    client: httpx.AsyncClient, content: bytes, kind: str | None, header: str
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = (await client.post("/api/v1/predict", content=content, headers=headers)).json()
    assert (answer["code"], f"Content-Type: {header}" in answer["remedy"]) == ("request_invalid", True)


@pytest.mark.parametrize("upload_limit", [1000, MAX_DOCUMENT_BYTES + 1], indirect=True)
async def test_a_json_document_past_the_limit_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, upload_limit: int
) -> None:
    monkeypatch.setattr("understudy.api.uploads.base64_json.MAX_DOCUMENT_BYTES", 5000)
    refused = min(upload_limit, 5000)
    document = json.dumps({"audio": "A" * refused}).encode()

    async def chunks() -> Any:
        for start in range(0, len(document), 100):
            yield document[start : start + 100]

    for content in (document, chunks()):
        answer = await client.post("/api/v1/predict", content=content, headers=HEADER)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert str(refused) in answer.json()["detail"]


WHEN = "2026-05-01T14:03:00+02:00"
NAMED = {"source": "attic microphone", "recorded_at": WHEN}


async def test_source_and_time_come_back_are_logged_and_counted(client: httpx.AsyncClient, wav: bytes) -> None:
    file = {"audio": ("x.wav", wav)}
    ways: list[dict[str, Any]] = [
        {"files": file, "params": NAMED},
        {"files": file, "data": NAMED},
        {"files": file, "data": {"source": NAMED["source"]}, "params": NAMED},
        {"json": {"audio": base64.b64encode(wav).decode(), **NAMED}},
        {"content": wav, "headers": {"content-type": "audio/wav"}, "params": NAMED},
    ]
    with structlog.testing.capture_logs() as logged:
        for sent in ways:
            answer = await predict(client, **sent)
            assert (answer["source"], answer["recorded_at"]) == (NAMED["source"], WHEN)
        [line] = (await client.post("/api/v1/predict/batch", files=file, data=NAMED)).text.splitlines()
        assert json.loads(line)["prediction"]["source"] == NAMED["source"]
        plain = await predict(client, files=file)
        assert (plain["source"], plain["recorded_at"]) == (None, None)
        await client.post("/api/v1/predict", params=NAMED, files={"audio": ("x", b"hello")})
    told = [each for each in logged if each.get("source") == NAMED["source"] and each["recorded_at"] == WHEN]
    assert [each["event"] for each in told] == ["prediction"] * 5 + ["batch of predictions", "request refused"]
    assert 'understudy_source_predictions_total{source="attic microphone"} 6.0' in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"source": ""}, "source"),
        ({"source": "x" * 101}, "source"),
        ({"source": "a\nb"}, "printable"),
        ({"source": " a"}, "space"),
        ({"recorded_at": "2026-05-01T14:03:00"}, "time zone is missing"),
        ({"recorded_at": "1777000000"}, "give a time with its zone"),
        ({"recorded_at": "2026-05-01T14:03:00 02:00"}, "%2B"),
        ({"recorded_at": "yesterday"}, "give a time with its zone"),
    ],
)
async def test_a_source_or_a_time_of_another_form_is_refused(
    client: httpx.AsyncClient, wav: bytes, fields: dict[str, str], said: str
) -> None:
    file = {"audio": ("x.wav", wav)}
    for path in ("/api/v1/predict", "/api/v1/predict/batch"):
        for sent in ({"params": fields}, {"data": fields}):
            answer = (await client.post(path, files=file, **sent)).json()  # type: ignore[arg-type]
            assert (answer["code"], said in answer["detail"]) == ("request_invalid", True), answer


async def test_a_contradiction_between_query_and_body_is_refused(client: httpx.AsyncClient, wav: bytes) -> None:
    sent: dict[str, Any] = {"files": {"a": ("x", wav)}, "data": {"source": "a"}, "params": {"source": "b"}}
    answer = (await client.post("/api/v1/predict", **sent)).json()
    assert "The query says source=b, and the body says source=a." in answer["detail"]
    long = await client.post("/api/v1/predict", files={"a": ("x", wav)}, data={"source": "a" * 2000})
    assert "more than 1000 bytes" in long.json()["detail"]
    twice = [("source", (None, b"a")), ("source", (None, b"b")), ("a", ("x", wav))]
    assert "twice" in (await client.post("/api/v1/predict", files=twice)).json()["detail"]


async def test_a_batch_takes_every_file_and_raw_ones_as_well(client: httpx.AsyncClient) -> None:
    frames = samples()
    kind = f"audio/x-raw; format=s16le; rate={RATE}"
    files: list[Any] = [
        ("a", ("a.wav", to_wav(frames))),
        ("b", ("b.raw", frames.tobytes(), kind)),
        ("c", ("c.raw", b"\x00", kind)),
    ]
    answer = await client.post("/api/v1/predict/batch", files=files)
    lines = sorted(map(json.loads, answer.text.splitlines()), key=lambda line: line["index"])
    assert [line["file"] for line in lines] == ["a.wav", "b.raw", "c.raw"]
    assert lines[0]["prediction"]["windows"] == lines[1]["prediction"]["windows"]
    assert lines[2]["problem"]["code"] == "audio_unusable"
