"""Both clients against a real server."""

import asyncio
import io
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.types import ModelFactory
from understudy import AsyncClient, Client
from understudy.errors import BodyTooLarge, ModelNotFound, NoActiveModel, NotAudio, RequestInvalid, Unavailable
from understudy.schemas.inference.recording import RecordingFields, SampleFormat
from understudy.schemas.registry.model import ModelCreate, ModelUpdate

pytestmark = pytest.mark.anyio


@pytest.fixture
def recording(wav: bytes, tmp_path: Path) -> Path:
    file = tmp_path / "tone.wav"
    file.write_bytes(wav)
    return file


def test_a_model_is_registered_activated_asked_and_deleted(
    server: str, home: Path, make_model: ModelFactory, recording: Path
) -> None:
    with Client(f"http://{server}") as client:
        for name in ("first", "second"):
            make_model(home / "models" / f"{name}.onnx")
        first, second = (
            client.register_model(ModelCreate(model_name=name, file_path=f"models/{name}.onnx"))
            for name in ("first", "second")
        )
        csv = recording.with_name("examples.csv")
        csv.write_text(f"file,label\n{recording.name},a\n")
        assert client.set_model_examples(first.model_id, csv).summary.examples == 1
        assert client.activate_model(first.model_id).state == "succeeded"
        assert client.get_model_examples(first.model_id).summary.state == "proved"
        assert client.remove_model_examples(first.model_id).examples == ()
        assert client.get_active_model().model_id == first.model_id
        for sent in (recording, recording.read_bytes(), io.BytesIO(recording.read_bytes())):
            assert client.predict(sent).model.model_id == first.model_id
        assert client.predict(recording, model_id=second.model_id).model.model_id == second.model_id
        details = RecordingFields(source="attic", recorded_at=datetime(2026, 5, 1, 14, tzinfo=UTC))
        answer = client.predict(recording, details=details)
        assert (answer.source, answer.recorded_at) == (details.source, details.recorded_at)
        raw = RecordingFields(format=SampleFormat.S16LE, rate=16_000)
        assert client.predict(recording.read_bytes()[44:], details=raw).scores == answer.scores
        lines = list(client.predict_batch([recording, b"no sound"]))
        assert {line.index: (line.file, line.problem is None) for line in lines} == {
            0: ("tone.wav", True),
            1: ("recording", False),
        }
        assert client.update_model(second.model_id, ModelUpdate(version="v2")).version == "v2"
        assert client.delete_model(second.model_id).model_id == second.model_id
        assert [model.model_name for model in client.list_models().models] == ["first"]
        assert client.get_model_report(first.model_id).parity
        assert client.get_history(model_id=first.model_id).entries
        assert client.get_status().database.reachable


def test_a_file_is_uploaded_under_the_given_name(server: str, home: Path, make_model: ModelFactory) -> None:
    file = make_model(home / "models" / "first.onnx")
    with Client(f"http://{server}") as client:
        assert client.upload_model_file(file, "second.onnx").file_path == "models/second.onnx"
    assert (home / "models" / "second.onnx").read_bytes() == file.read_bytes()


def test_refusals_arrive_as_the_classes_they_were_raised_as(server: str, recording: Path) -> None:
    with Client(f"http://{server}") as client:
        with pytest.raises(NoActiveModel, match="No model is active"):
            client.predict(recording)
        with pytest.raises(ModelNotFound, match="There is no model 7"):
            client.get_model(7)
        with pytest.raises(NoActiveModel):
            list(client.predict_batch([recording]))


async def test_the_asynchronous_client_answers_alike(
    server: str, home: Path, make_model: ModelFactory, recording: Path
) -> None:
    async with AsyncClient(f"http://{server}") as client:
        make_model(home / "models" / "first.onnx")
        model = await client.register_model(ModelCreate(model_name="first", file_path="models/first.onnx"))
        await client.activate_model(model.model_id)
        answers = await asyncio.gather(*(client.predict(recording) for _ in range(4)))
        assert {answer.model.model_id for answer in answers} == {model.model_id}
        lines = [line async for line in client.predict_batch([recording, recording])]
        assert sorted(line.index for line in lines) == [0, 1]
        uploaded = await client.upload_model_file(home / model.file_path, "again.onnx")
        assert uploaded.file_path == "models/again.onnx"
        with pytest.raises(NotAudio):
            await client.predict(b"no sound")


def test_a_server_that_is_not_there_is_named_with_a_remedy() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(Unavailable, match="No answer from") as caught:
        client.get_status()
    assert "understudy serve" in caught.value.remedy


def test_another_servers_answer_is_not_taken_for_ours() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"hello": request.url.path})

    with (
        Client("http://localhost/prefix", http=httpx.Client(transport=httpx.MockTransport(answer))) as client,
        pytest.raises(Unavailable, match="http://localhost/prefix/api/v1/status answered 200"),
    ):
        client.get_status()


def test_an_error_of_a_proxy_in_front_says_that_the_outcome_must_be_looked_up() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(500, text="Internal Server Error")

    with (
        Client("http://localhost", http=httpx.Client(transport=httpx.MockTransport(answer))) as client,
        pytest.raises(Unavailable, match="answered 500") as caught,
    ):
        client.activate_model(1)
    assert "understudy list" in caught.value.remedy


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "http://[::1"])
def test_an_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(RequestInvalid, match="address"):
        Client(url)


def test_a_body_past_the_servers_limit_is_refused_as_such(server: str) -> None:
    with Client(f"http://{server}") as client, pytest.raises(BodyTooLarge):
        client.register_model(ModelCreate(model_name="a", file_path="models/a.onnx", description="x" * (2 << 20)))
