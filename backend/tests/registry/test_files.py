import os
from pathlib import Path

import pytest

from app.compiler import source
from app.errors import FileChanged, FileMissing, FormatUnknown, TooLarge
from app.registry.files import FileState, ModelFiles
from app.settings import Settings


@pytest.fixture
def files(settings: Settings) -> ModelFiles:
    return ModelFiles(settings)


@pytest.fixture
def model(settings: Settings) -> Path:
    model = settings.models_dir / "a.onnx"
    model.write_bytes(b"first")
    return model


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every path that is hashed."""
    seen: list[Path] = []
    digest_of = source.digest_of

    def watch(path: Path) -> str:
        seen.append(path)
        return digest_of(path)

    monkeypatch.setattr(source, "digest_of", watch)
    return seen


def test_an_untouched_file_is_never_hashed_again(files: ModelFiles, model: Path, hashed: list[Path]) -> None:
    facts = files.read("models/a.onnx")
    hashed.clear()
    assert files.states([("models/a.onnx", facts)] * 100) == [FileState(exists=True, changed=False, bytes=5)] * 100
    assert files.verified(facts) == model.resolve()
    assert hashed == []


def test_a_touched_file_is_hashed_once_and_found_unchanged(files: ModelFiles, model: Path, hashed: list[Path]) -> None:
    facts = files.read("models/a.onnx")
    hashed.clear()
    os.utime(model, ns=(1, 1))
    assert [files.state("models/a.onnx", facts).changed for _ in range(3)] == [False] * 3
    assert len(hashed) == 1


def test_other_content_of_the_same_size_is_a_change(files: ModelFiles, model: Path) -> None:
    facts = files.read("models/a.onnx")
    model.write_bytes(b"other")
    assert files.state("models/a.onnx", facts).changed
    with pytest.raises(FileChanged):
        files.verified(facts)
    model.write_bytes(b"first")
    assert not files.state("models/a.onnx", facts).changed


def test_another_size_is_a_change_without_hashing(files: ModelFiles, model: Path, hashed: list[Path]) -> None:
    facts = files.read("models/a.onnx")
    hashed.clear()
    model.write_bytes(b"longer than before")
    assert files.state("models/a.onnx", facts) == FileState(exists=True, changed=True, bytes=18)
    assert hashed == []


def test_a_missing_file_is_missing_and_not_changed(files: ModelFiles, model: Path) -> None:
    facts = files.read("models/a.onnx")
    model.unlink()
    assert files.state("models/a.onnx", facts) == FileState(exists=False, changed=False, bytes=None)
    with pytest.raises(FileMissing):
        files.verified(facts)


def test_a_changed_file_deep_in_a_saved_model_is_noticed(files: ModelFiles, settings: Settings) -> None:
    inner = settings.models_dir / "saved" / "variables" / "data"
    inner.parent.mkdir(parents=True)
    (settings.models_dir / "saved" / "saved_model.pb").write_bytes(b"graph")
    inner.write_bytes(b"12345")
    facts = files.read("models/saved")
    assert not files.state("models/saved", facts).changed
    inner.write_bytes(b"54321")
    assert files.state("models/saved", facts).changed
    (settings.models_dir / "saved" / "saved_model.pb").unlink()
    assert files.state("models/saved", facts) == FileState(exists=True, changed=True, bytes=None)


def test_what_is_no_file_is_refused_without_reading_it(files: ModelFiles, settings: Settings) -> None:
    os.mkfifo(settings.models_dir / "pipe.onnx")
    for path in ("models/pipe.onnx", "models"):
        with pytest.raises(FormatUnknown):
            files.read(path)


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(
    settings: Settings, model: Path, hashed: list[Path]
) -> None:
    limited = ModelFiles(settings.model_copy(update={"max_model_bytes": 4}))
    with pytest.raises(TooLarge, match="5 bytes"):
        limited.read("models/a.onnx")
    assert hashed == []


def test_a_file_written_while_it_is_read_is_refused(
    files: ModelFiles, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest_of = source.digest_of

    def slow(path: Path) -> str:
        digest = digest_of(path)
        model.write_bytes(b"first and more")
        return digest

    monkeypatch.setattr(source, "digest_of", slow)
    with pytest.raises(FileChanged):
        files.read("models/a.onnx")
