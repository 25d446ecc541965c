"""The spec of a model file, found on the command line from clips with the author's answers."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper

from tests.cli.conftest import Run
from understudy.audio.features.front_end import FrontEnd
from understudy.schemas.compiler.spec import PartialSpec

LABELS = ("calm", "rain", "scream")
RATE = 22_050
WEIGHTS = np.random.default_rng(3).standard_normal((13, len(LABELS))).astype(np.float32) / 300


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """A head on the mean of 13 MFCC, in a folder with examples.csv and its clips."""
    tensors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in (("x", 13), ("y", 3))
    ]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Softmax", ["z"], ["y"])],
        "head",
        tensors[:1],
        tensors[1:],
        [numpy_helper.from_array(WEIGHTS, "w")],
    )
    path = tmp_path / "head.onnx"
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()
    )
    onnx.checker.check_model(onnx.load(path))
    return path


def write_examples(folder: Path, answer: Callable[[Any], Any]) -> Path:
    """Write three clips and the scores that `answer` gives for their samples."""
    rows = ["file," + ",".join(LABELS)]
    time = np.arange(RATE) / RATE
    for index, sound in enumerate((np.sin(2_764 * time), np.sin(9_000 * time * time), np.sign(np.sin(500 * time)))):
        body = io.BytesIO()
        soundfile.write(body, 0.3 * sound, RATE, format="WAV", subtype="PCM_16")
        (folder / f"{index}.wav").write_bytes(body.getvalue())
        samples, _ = soundfile.read(io.BytesIO(body.getvalue()), dtype="float32")
        rows.append(f"{index}.wav," + ",".join(f"{score:.6f}" for score in answer(samples)))
    csv = folder / "examples.csv"
    csv.write_text("\n".join(rows) + "\n")
    return csv


def score_like_the_author(samples: Any) -> Any:
    spec = PartialSpec.model_validate({"preset": "librosa-mfcc13-mean"})
    [frames] = FrontEnd(spec.front_end or (), RATE).compute(samples)
    powers = np.exp(frames.mean(axis=0) @ WEIGHTS)
    return powers / powers.sum()


def test_the_spec_that_gives_the_examples_answers_is_written_beside_the_file(
    ask: Callable[..., Any], head: Path
) -> None:
    csv = write_examples(head.parent, score_like_the_author)
    found = ask("spec", "find", str(head), "--examples", str(csv), "--labels", ",".join(LABELS))
    assert (found["agrees"], found["best"][0]["steps"], found["best"][0]["agreed"]) == (
        True,
        ["librosa-mfcc13-mean"],
        3,
    )
    written = json.loads((head.parent / "head.spec.json").read_text())
    assert (written["labels"], written["sample_rate"], written["pooling"]) == (
        list(LABELS),
        RATE,
        {"statistics": ["mean"]},
    )


def test_what_is_missing_of_a_clip_is_said_beside_the_spec(ask: Callable[..., Any], run: Run, head: Path) -> None:
    csv = write_examples(head.parent, score_like_the_author)
    clip = head.parent / "1.wav"
    clip.write_bytes(clip.read_bytes() + b"\n")
    arguments = ["spec", "find", str(head), "--examples", str(csv), "--labels", ",".join(LABELS)]
    found = ask(*arguments)
    assert found["agrees"]
    assert [(each["file"], each["code"], each["bytes"]) for each in found["findings"]] == [
        ("1.wav", "trailing_data", 1)
    ]
    assert "1.wav: 1 bytes behind the sound are not part of it" in " ".join(run(*arguments, "--replace").stdout.split())


def test_no_spec_is_written_where_none_gives_the_answers(ask: Callable[..., Any], run: Run, head: Path) -> None:
    csv = write_examples(head.parent, lambda _samples: (0.9, 0.9, 0.9))
    arguments = ["spec", "find", str(head), "--examples", str(csv), "--labels", ",".join(LABELS), "--seconds", "1"]
    assert "No spec gives the answers of all examples" in run(*arguments, code=3).stdout
    nearest = ask(*arguments, code=3)
    assert (nearest["agrees"], nearest["written"], nearest["best"][0]["of"]) == (False, None, 3)
    assert "scaler.json" in nearest["hints"][0]
    assert not (head.parent / "head.spec.json").exists()


def test_labels_that_nothing_names_are_asked_for(ask: Callable[..., Any], head: Path) -> None:
    csv = write_examples(head.parent, score_like_the_author)
    labels = head.parent / "labels.txt"
    labels.write_text("\n".join(LABELS))
    problem = ask("spec", "find", str(head), "--examples", str(csv), code=5)
    assert "--labels a,b,c" in problem["remedy"]
    assert f"labels.txt beside the file names 3 labels: --labels {labels}" in problem["remedy"]


def test_the_presets_are_listed_with_what_they_do(ask: Callable[..., Any]) -> None:
    listed = {preset["name"]: preset["description"] for preset in ask("spec", "presets")}
    assert "librosa" in listed["librosa-mfcc40-mean"]
    assert "yamnet-mean-embedding" in listed
