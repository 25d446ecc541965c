"""A format is detected by content; a file that is not a model is refused with the way out."""

import gzip
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from understudy.compiler.formats.detect_format import detect_format
from understudy.compiler.formats.tensorflowjs import find_conversion
from understudy.errors import FormatUnknown
from understudy.schemas.compiler.model_format import ModelFormat

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


def archive(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in entries.items():
            file.writestr(name.replace("__", "/").replace("_", "."), content)
    return buffer.getvalue()


def onnx_bytes() -> bytes:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", values[:1], values[1:])
    content: bytes = helper.make_model(graph, producer_name="a" * 300).SerializeToString()
    return content


KERAS3 = archive(metadata_json=b'{"keras_version": "3.15.1"}', config_json=b"{}", model_weights_h5=b"")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.keras", KERAS3, ModelFormat.KERAS),
        ("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), ModelFormat.H5),
        ("a.h5", bytes(512) + b"\x89HDF\r\n\x1a\n", ModelFormat.H5),
        ("a.tflite", b"\x1c\0\0\0TFL3" + bytes(100), ModelFormat.TFLITE),
        ("a.onnx", onnx_bytes(), ModelFormat.ONNX),
    ],
)
def test_formats_are_detected_by_content_under_any_name(
    tmp_path: Path, name: str, content: bytes, kind: ModelFormat
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert (detect_format(path).kind, detect_format(path).note) == (kind, None)
    other = path.rename(tmp_path / ("b.onnx" if kind is not ModelFormat.ONNX else "b.keras"))
    found = detect_format(other)
    assert found.kind is kind
    assert found.note is not None
    assert kind.value in found.note


def test_the_generation_of_a_keras_archive_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(KERAS3)
    assert detect_format(tmp_path / "a.keras").keras_version == "3.15.1"


@pytest.mark.parametrize(
    ("name", "content", "found", "remedy"),
    [
        ("a.keras", LFS, "Git-LFS pointer", "git lfs pull"),
        ("a.onnx", LFS, "Git-LFS pointer", "git lfs pull"),
        ("a.bin", LFS, "Git-LFS pointer", "git lfs pull"),
        ("a.keras", b"", "empty", "again"),
        ("a.keras", KERAS3[:-30], "truncated", "again"),
        ("a.onnx", onnx_bytes()[:-5], "truncated", "again"),
        ("a.onnx", bytes(100), "named .onnx, but its content is not", "again"),
        ("a.pt", pickle.dumps({"torch": 1}, protocol=2), "PyTorch pickle", "ONNX"),
        ("a.joblib", pickle.dumps("sklearn.linear_model"), "scikit-learn pickle", "ONNX"),
        ("a.pkl", pickle.dumps([1]), "pickle", "ONNX"),
        ("a.joblib", b"x\x9c" + bytes(50), "pickle", "ONNX"),
        ("a.pt", archive(model__data_pkl=b"x"), "PyTorch file", "torch.onnx.export"),
        ("a.zip", archive(notes_txt=b"x"), "zip archive", "Register"),
        ("a.npz", archive(kernel_npy=b"x"), "NumPy archive", "backbone install"),
        ("a.h5", gzip.compress(b"x", mtime=0), "gzip", "Unpack"),
        ("a.keras", b"<!DOCTYPE html><html>", "HTML page", "Download"),
        ("a.safetensors", bytes(8) + b'{"w":{"dtype":"F32"', "safetensors", "ONNX"),
        ("saved_model.pb", b"\x08\x01\x12\x04abcd", "part of a SavedModel", "folder"),
        ("notes.txt", b"hello there, this is text", "no known model format", "Register"),
    ],
)
def test_a_file_that_is_not_a_model_is_refused_with_the_way_out(
    tmp_path: Path, name: str, content: bytes, found: str, remedy: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FormatUnknown) as refused:
        detect_format(path)
    assert found in refused.value.detail
    assert remedy in refused.value.remedy


def test_a_numpy_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(FormatUnknown, match="NumPy array"):
        detect_format(tmp_path / "a.npy")


def test_a_zipped_saved_model_should_be_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("yamnet/saved_model.pb", b"x")
    with pytest.raises(FormatUnknown) as refused:
        detect_format(tmp_path / "a.zip")
    assert "Unpack it" in refused.value.remedy


def test_a_folder_is_a_saved_model_or_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(FormatUnknown, match="nothing"):
        detect_format(tmp_path)
    (tmp_path / "weights.onnx").write_bytes(b"x")
    with pytest.raises(FormatUnknown) as refused:
        detect_format(tmp_path)
    assert "weights.onnx" in refused.value.detail
    assert "weights.onnx" in refused.value.remedy
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    assert detect_format(tmp_path).kind is ModelFormat.SAVED_MODEL


def test_an_onnx_file_with_weights_is_detected(tmp_path: Path) -> None:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1000, 1000], bytes(4_000_000), raw=True)
    model = onnx.load_from_string(onnx_bytes())
    model.graph.initializer.append(weight)
    (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
    assert detect_format(tmp_path / "a.onnx").kind is ModelFormat.ONNX


LAYERS = {"format": "layers-model", "modelTopology": {"model_config": {}}, "weightsManifest": []}
GRAPH = {"modelTopology": {"node": []}, "weightsManifest": []}


@pytest.mark.parametrize(
    ("topology", "command"),
    [
        (LAYERS, "--input_format=tfjs_layers_model --output_format=keras models/cry/model.json models/cry.h5"),
        (GRAPH, "tfjs_graph_converter --output_format tf_saved_model models/cry models/cry_saved_model"),
    ],
)
def test_a_tensorflowjs_folder_is_named_with_the_command_that_converts_it(
    tmp_path: Path, topology: dict[str, object], command: str
) -> None:
    (tmp_path / "model.json").write_text(json.dumps(topology))
    for path in (tmp_path, tmp_path / "model.json"):
        found = find_conversion(path, "models/cry" if path is tmp_path else "models/cry/model.json")
        assert found is not None
        assert found.endswith(command)
        with pytest.raises(FormatUnknown, match=r"TensorFlow\.js") as refused:
            detect_format(path)
        assert "converter" in refused.value.remedy


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b'{"modelTopology": {}}', b"[]", b"\xff{"])
def test_another_json_file_is_not_a_tensorflowjs_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.json").write_bytes(content)
    assert find_conversion(tmp_path, "models/cry") is None
    with pytest.raises(FormatUnknown, match=r"no saved_model\.pb"):
        detect_format(tmp_path)
