import os
from pathlib import Path
from threading import Event, Thread

import pytest

from understudy.errors import FileChanged, FileMissing, FormatUnknown, TooLarge
from understudy.registry.files.folder_scan import scan_folder
from understudy.registry.files.model_files import FileState, ModelFiles
from understudy.settings import Settings


@pytest.fixture
def files(settings: Settings) -> ModelFiles:
    return ModelFiles(settings)


@pytest.fixture
def model(settings: Settings) -> Path:
    model = settings.models_dir / "a.onnx"
    model.write_bytes(b"first")
    return model


def _replace_unseen(model: Path, content: bytes) -> None:
    """Write other content under the same size and times: code that calls the file unchanged did not read it."""
    times = model.stat()
    model.write_bytes(content)
    os.utime(model, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_an_untouched_file_is_never_hashed_again(files: ModelFiles, settings: Settings, model: Path) -> None:
    facts = files.read("models/a.onnx")
    _replace_unseen(model, b"other")
    for each in (files, ModelFiles(settings)):
        assert (
            each.compare_all([("models/a.onnx", facts)] * 100) == [FileState(exists=True, changed=False, bytes=5)] * 100
        )
        assert each.verify(facts) == model.resolve()


def test_a_touched_file_is_hashed_once_and_found_unchanged(files: ModelFiles, model: Path) -> None:
    facts = files.read("models/a.onnx")
    os.utime(model, ns=(1, 1))
    assert not files.compare("models/a.onnx", facts).changed
    _replace_unseen(model, b"other")
    assert not files.compare("models/a.onnx", facts).changed


def test_other_content_of_the_same_size_is_a_change(files: ModelFiles, model: Path) -> None:
    facts = files.read("models/a.onnx")
    model.write_bytes(b"other")
    assert files.compare("models/a.onnx", facts).changed
    with pytest.raises(FileChanged):
        files.verify(facts)
    model.write_bytes(b"first")
    assert not files.compare("models/a.onnx", facts).changed


def test_another_size_is_a_change(files: ModelFiles, model: Path) -> None:
    facts = files.read("models/a.onnx")
    model.write_bytes(b"longer than before")
    assert files.compare("models/a.onnx", facts) == FileState(exists=True, changed=True, bytes=18)


def test_a_missing_file_is_missing_and_not_changed(files: ModelFiles, model: Path) -> None:
    facts = files.read("models/a.onnx")
    model.unlink()
    assert files.compare("models/a.onnx", facts) == FileState(exists=False, changed=False, bytes=None)
    with pytest.raises(FileMissing):
        files.verify(facts)


def test_a_changed_file_deep_in_a_saved_model_is_noticed(files: ModelFiles, settings: Settings) -> None:
    inner = settings.models_dir / "saved" / "variables" / "data"
    inner.parent.mkdir(parents=True)
    (settings.models_dir / "saved" / "saved_model.pb").write_bytes(b"graph")
    inner.write_bytes(b"12345")
    facts = files.read("models/saved")
    assert not files.compare("models/saved", facts).changed
    inner.write_bytes(b"54321")
    assert files.compare("models/saved", facts).changed
    (settings.models_dir / "saved" / "saved_model.pb").unlink()
    assert files.compare("models/saved", facts) == FileState(exists=True, changed=True, bytes=None)


def test_pipes_and_plain_folders_are_refused_without_reading_them(files: ModelFiles, settings: Settings) -> None:
    os.mkfifo(settings.models_dir / "pipe.onnx")
    for path in ("models/pipe.onnx", "models"):
        with pytest.raises(FormatUnknown):
            files.read(path)


def test_a_tensorflowjs_folder_is_listed_and_refused_with_the_command_that_converts_it(
    files: ModelFiles, settings: Settings
) -> None:
    folder = settings.models_dir / "cry"
    folder.mkdir()
    (folder / "model.json").write_text('{"format": "layers-model", "modelTopology": {}, "weightsManifest": []}')
    [listed] = scan_folder(settings.models_dir)
    assert (listed.file_path, listed.kind) == ("models/cry", "tensorflowjs")
    with pytest.raises(FormatUnknown, match=r"TensorFlow\.js") as refused:
        files.read("models/cry")
    for text in (listed.note or "", refused.value.remedy):
        assert "tensorflowjs_converter --input_format=tfjs_layers_model" in text
        assert "models/cry/model.json models/cry.h5" in text


def test_a_link_to_itself_does_not_exist(files: ModelFiles, settings: Settings) -> None:
    (settings.models_dir / "loop").symlink_to("loop")
    assert not files.exists("models/loop")
    assert files.compare("models/loop", None) == FileState(exists=False, changed=False, bytes=None)


def test_a_file_beyond_the_limit_is_refused(settings: Settings, model: Path) -> None:
    limited = ModelFiles(settings.model_copy(update={"max_model_bytes": model.stat().st_size - 1}))
    with pytest.raises(TooLarge, match="5 bytes"):
        limited.read("models/a.onnx")


def test_a_file_that_is_still_being_written_is_refused(files: ModelFiles, model: Path) -> None:
    done = Event()

    def write() -> None:
        with model.open("ab") as file:
            while not done.wait(0.001):
                file.write(b"more")
                file.flush()

    os.truncate(model, 1 << 26)
    writer = Thread(target=write)
    writer.start()
    try:
        with pytest.raises(FileChanged):
            files.read("models/a.onnx")
    finally:
        done.set()
        writer.join()
