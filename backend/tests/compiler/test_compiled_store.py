"""The compiled store holds complete entries only and verifies them before use."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from understudy.compiler.compiled_store import (
    COMPILER_VERSION,
    MODEL_FILE,
    PROBES_FILE,
    REPORT_FILE,
    VERSION_NAME,
    CompiledStore,
)
from understudy.compiler.model_source import compute_digest
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import (
    InputKind,
    OutputActivation,
    PartialSpec,
    Spec,
)


@pytest.fixture
def store(tmp_path: Path) -> CompiledStore:
    return CompiledStore(tmp_path / "compiled")


def put(store: CompiledStore, made: Path, key: str = "k1", version: int = COMPILER_VERSION) -> CompileReport:
    made.mkdir(exist_ok=True)
    (made / MODEL_FILE).write_bytes(b"graph")
    (made / PROBES_FILE).write_bytes(b"probes")
    report = CompileReport(
        key=key,
        source_digest="d" * 64,
        source_bytes=1,
        format="onnx",
        framework="onnxruntime",
        written_by=None,
        inputs=(),
        outputs=(),
        spec=Spec(input=InputKind.TENSOR, labels=(), labels_named=False, activation=OutputActivation.NONE),
        graph_activation=OutputActivation.NONE,
        parity=(),
        onnx_digest=compute_digest(made / MODEL_FILE),
        onnx_bytes=5,
        seconds=0.1,
        peak_memory_bytes=1,
        isolation=(),
        versions={VERSION_NAME: str(version)},
        compiled_at=datetime.now(UTC),
    )
    store.add(made, report)
    return report


def test_an_added_entry_is_found_again(store: CompiledStore, tmp_path: Path) -> None:
    assert store.find("k1") is None
    report = put(store, tmp_path / "made")
    found = store.find("k1")
    assert found is not None
    assert found.report == report
    assert found.folder == store.locate("k1")
    assert list(store.list_keys()) == ["k1"]
    assert store.find_stale() == []


def test_a_model_of_another_runtime_is_stored_under_its_own_name(store: CompiledStore, tmp_path: Path) -> None:
    report = put(store, tmp_path / "first").model_copy(update={"key": "k2", "runtime": Runtime.LITERT})
    made = tmp_path / "made"
    made.mkdir()
    (made / "model.tflite").write_bytes(b"graph")
    (made / PROBES_FILE).write_bytes(b"probes")
    store.add(made, report)
    found = store.find("k2")
    assert found is not None
    assert (found.folder / "model.tflite").read_bytes() == b"graph"
    (found.folder / "model.tflite").write_bytes(b"other")
    assert store.find("k2") is None
    assert [entry.reason for entry in store.find_stale()] == ["model.tflite is not the file that the report describes"]


@pytest.mark.parametrize("name", [MODEL_FILE, REPORT_FILE, PROBES_FILE])
def test_an_incomplete_entry_is_not_found_and_is_listed_as_stale(
    store: CompiledStore, tmp_path: Path, name: str
) -> None:
    put(store, tmp_path / "made")
    (store.locate("k1") / name).unlink()
    assert store.find("k1") is None
    assert [(entry.name, name in entry.reason) for entry in store.find_stale()] == [("k1", True)]


def test_an_altered_model_is_not_found_and_is_replaced_by_the_next_compilation(
    store: CompiledStore, tmp_path: Path
) -> None:
    put(store, tmp_path / "made")
    (store.locate("k1") / MODEL_FILE).write_bytes(b"other")
    assert store.find("k1") is None
    assert "not the file" in store.find_stale()[0].reason
    put(store, tmp_path / "made")
    assert store.find("k1") is not None


@pytest.mark.parametrize("text", ["", "{", '{"key": "k1"}'])
def test_a_damaged_report_makes_the_entry_stale(store: CompiledStore, tmp_path: Path, text: str) -> None:
    put(store, tmp_path / "made")
    (store.locate("k1") / REPORT_FILE).write_text(text)
    assert store.find("k1") is None
    assert "not readable" in store.find_stale()[0].reason


def test_a_folder_renamed_to_another_key_is_not_found_under_it(store: CompiledStore, tmp_path: Path) -> None:
    put(store, tmp_path / "made")
    store.locate("k1").rename(store.locate("k2"))
    assert store.find("k2") is None


def test_leftovers_and_other_compiler_versions_are_stale_and_can_be_removed(
    store: CompiledStore, tmp_path: Path
) -> None:
    put(store, tmp_path / "made", version=COMPILER_VERSION + 1)
    (store.root / ".new-123").mkdir()
    (store.root / ".new-123" / MODEL_FILE).write_bytes(b"half")
    stale = store.find_stale()
    assert {entry.name: entry.bytes > 0 for entry in stale} == {".new-123": True, "k1": True}
    for entry in stale:
        store.remove(entry.name)
    assert store.find_stale() == []
    assert list(store.root.iterdir()) == []


def test_remove_stays_inside_the_store(store: CompiledStore, tmp_path: Path) -> None:
    store.root.mkdir()
    (tmp_path / "precious").write_text("x")
    store.remove("../precious")
    assert (tmp_path / "precious").exists()


def test_the_key_covers_source_spec_and_compiler_but_not_the_order_of_words(
    store: CompiledStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = store.compute_key("a", None)
    assert store.compute_key("a", PartialSpec()) == plain
    assert store.compute_key("b", None) != plain
    spec = PartialSpec(labels=("x", "y"), activation=OutputActivation.SIGMOID)
    assert store.compute_key("a", spec) != plain
    same = PartialSpec.model_validate_json('{"activation": "sigmoid", "labels": ["x", "y"]}')
    assert store.compute_key("a", same) == store.compute_key("a", spec)
    monkeypatch.setattr("understudy.compiler.compiled_store.COMPILER_VERSION", COMPILER_VERSION + 1)
    assert store.compute_key("a", None) != plain
