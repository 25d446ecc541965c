"""Damaged and hostile `.keras` archives get the refusal that says what they are, in the detection and in the reader."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import hostile_files
from understudy.compiler.convert.signature_limits import check_inputs
from understudy.compiler.formats.detect_format import detect_format
from understudy.compiler.formats.open_source import open_source
from understudy.errors import CompileFailed, FormatUnknown, ModelUnsafe, UnderstudyError
from understudy.schemas.compiler.model_format import ModelFormat

Writer = Callable[[Path], Path]
MEMORY = 1 << 30


@pytest.mark.parametrize(
    ("write", "kind", "words"),
    [
        (hostile_files.write_deep_metadata, FormatUnknown, "damaged: maximum recursion depth exceeded"),
        (hostile_files.write_bad_compression, FormatUnknown, "damaged: Error -3 while decompressing"),
        (hostile_files.write_unknown_compression, FormatUnknown, "damaged: That compression method is not supported"),
        (hostile_files.write_encrypted, ModelUnsafe, "'metadata.json' is encrypted"),
    ],
)
def test_metadata_that_cannot_be_read_is_refused(
    tmp_path: Path, write: Writer, kind: type[UnderstudyError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        detect_format(write(tmp_path / "model.keras"))


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
@pytest.mark.parametrize(
    ("write", "kind", "words"),
    [
        (hostile_files.write_bad_compression, CompileFailed, "archive cannot be read: Error -3"),
        (hostile_files.write_unknown_compression, CompileFailed, "compression method is not supported"),
        (hostile_files.write_encrypted, ModelUnsafe, "is encrypted"),
    ],
)
def test_a_member_that_cannot_be_read_is_refused(
    tmp_path: Path, write: Callable[[Path, str], Path], name: str, kind: type[UnderstudyError], words: str
) -> None:
    path = write(tmp_path / "model.keras", name)
    assert detect_format(path).kind is ModelFormat.KERAS
    with pytest.raises(kind, match=words):
        open_source(path, ModelFormat.KERAS, "3.15.1", MEMORY)


def test_a_message_of_countless_fields_is_not_read_to_its_end(tmp_path: Path) -> None:
    with pytest.raises(FormatUnknown):
        detect_format(hostile_files.write_many_fields(tmp_path / "fields.onnx", 20 << 20))


def test_a_graph_without_inputs_is_refused(tmp_path: Path) -> None:
    path = hostile_files.write_without_inputs(tmp_path / "constant.onnx")
    assert detect_format(path).kind is ModelFormat.ONNX
    with pytest.raises(CompileFailed, match="no inputs"):
        check_inputs(open_source(path, ModelFormat.ONNX, None, MEMORY).inputs)
