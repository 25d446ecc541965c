import json

import numpy as np
import pytest

from benchmarks import wire

ROWS = np.arange(8, dtype=np.float32)[None]


def test_the_binary_form_puts_the_tensor_behind_its_header() -> None:
    body = wire.v2_binary(ROWS)
    header = json.loads(body.content[: body.header_length])
    assert header["inputs"][0]["parameters"] == {"binary_data_size": 32}
    assert np.frombuffer(body.content[body.header_length :], np.float32).tolist() == ROWS[0].tolist()


def test_an_answer_is_found_in_every_form() -> None:
    answer = {"label": "cry", "score": 0.5}
    text = json.dumps(json.dumps(answer))
    forms = [
        wire.labelled(json.dumps(answer).encode()),
        wire.first_prediction(json.dumps({"predictions": [answer]}).encode()),
        wire.v2_text(f'{{"outputs": [{{"data": [{text}]}}]}}'.encode()),
    ]
    assert forms == [wire.Answer("cry", 0.5)] * 3


@pytest.mark.parametrize("recording", [b"RIFF", b"\r\n--"])
def test_a_form_holds_the_recording_as_it_is(recording: bytes) -> None:
    body = wire.multipart("audio_file")(recording, "audio/wav")
    assert b"\r\n\r\n" + recording + b"\r\n--" in body.content
    assert b'name="audio_file"' in body.content
