"""Hostile files are refused before any framework opens them."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from understudy.compiler.scan import archive, keras_config
from understudy.errors import CompileFailed, ModelUnsafe

BIG = 1 << 32


def layer(class_name: str = "Dense", module: str | None = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": class_name, "config": {"name": "one"} | config, "registered_name": None}


def scan(*layers: dict[str, Any], stored: int = 1 << 20, limit: int = BIG, **names: Any) -> None:
    text = json.dumps({"module": "keras", "class_name": "Sequential", "config": {"layers": layers}})
    keras_config.scan(text, stored_bytes=stored, max_bytes=limit, **names)


def test_a_plain_model_passes() -> None:
    scan(layer(), layer("Conv2D"), layer("LSTM", "tf_keras.layers", activation="tanh"))


@pytest.mark.parametrize(
    ("hostile", "detail"),
    [
        (layer("Lambda"), "Lambda layer"),
        (layer(function={"class_name": "__lambda__", "config": {"code": "4wEAAAA"}}), "marshalled"),
        (layer("TFSMLayer", filepath="/elsewhere"), "TFSMLayer"),
        (layer("TorchModuleWrapper"), "unpickles"),
        (layer("system", "os"), "module 'os'"),
        (layer("Mine", None), "custom class 'Mine'"),
        (layer("Dense", "keras_hub.layers"), "keras_hub"),
        (layer("Mine>Layer"), "custom class"),
        (layer() | {"registered_name": "Mine>Layer"}, "Mine>Layer"),
        (layer(kernel_initializer={"module": "subprocess", "class_name": "Popen", "config": {}}), "subprocess"),
        (layer("StringLookup", vocabulary="/etc/passwd"), "vocabulary"),
        (layer("TFOpLambda", function="io.read_file"), "io.read_file"),
        (layer("TFOpLambda", function="py_function"), "py_function"),
        (layer("TFOpLambda", function="raw_ops.WriteFile"), "raw_ops.WriteFile"),
        (layer("TensorFlowOpLayer", node_def="x"), "TensorFlowOpLayer"),
        (
            layer(activation={"module": "builtins", "class_name": "function", "config": "f", "registered_name": "M>f"}),
            "M>f",
        ),
    ],
)
def test_configs_that_would_run_or_read_something_are_refused(hostile: dict[str, Any], detail: str) -> None:
    nested = layer("TimeDistributed", layer=hostile)
    for where in (hostile, nested):
        with pytest.raises(ModelUnsafe, match=detail):
            scan(where)


def test_harmless_tensorflow_functions_pass() -> None:
    scan(layer("TFOpLambda", "tf_keras.src", function="math.reduce_mean"), layer("SlicingOpLambda", function="reshape"))


def test_classes_without_a_module_must_be_layers_of_the_framework() -> None:
    old = {"class_name": "Bespoke", "config": {"name": "one"}}
    with pytest.raises(ModelUnsafe, match="custom class 'Bespoke'"):
        scan(old, known_layers={"Sequential", "Dense"})
    scan(old | {"class_name": "Dense"}, known_layers={"Sequential", "Dense"})


def test_layers_that_do_not_belong_to_the_stored_weights_are_refused_before_they_are_built() -> None:
    huge = layer(units=20_000_000) | {"build_config": {"input_shape": [None, 1024]}}
    with pytest.raises(ModelUnsafe, match="81920000000 bytes, but the file holds 8200"):
        scan(huge, stored=8200)
    with pytest.raises(ModelUnsafe, match=r"81920000000 bytes; .* are allowed") as refused:
        scan(huge, stored=81_920_000_000)
    assert "UNDERSTUDY_COMPILE_MEMORY_BYTES" in refused.value.remedy
    with pytest.raises(ModelUnsafe, match="declare"):
        scan(layer("Embedding", input_dim=10_000_000, output_dim=4096), stored=1000)


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000])
def test_a_config_that_is_not_a_json_object_is_refused(text: str) -> None:
    with pytest.raises(CompileFailed):
        keras_config.scan(text, stored_bytes=1, max_bytes=1)


def test_deep_nesting_is_walked_without_recursion() -> None:
    item: dict[str, Any] = layer("Lambda")
    for _ in range(300):
        item = layer("TimeDistributed", layer=item)
    with pytest.raises(ModelUnsafe, match="Lambda"):
        scan(item)


def write_archive(path: Path, *names: str, content: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["../out", "/etc/cron.d/x", "a/../../b", "..\\out", "C:evil"])
def test_archive_entries_that_point_outside_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelUnsafe, match="points outside"):
        archive.scan(write_archive(tmp_path / "a.keras", "config.json", name), BIG)


def test_archives_that_unpack_to_too_much_are_refused(tmp_path: Path) -> None:
    bomb = write_archive(tmp_path / "bomb", "model.weights.h5", content=bytes(40_000_000))
    with pytest.raises(ModelUnsafe, match="200 times its size"):
        archive.scan(bomb, BIG)
    with pytest.raises(ModelUnsafe, match="max_model_bytes allows 100"):
        archive.scan(write_archive(tmp_path / "large", "a", content=bytes(200)), 100)
    many = write_archive(tmp_path / "many", *(str(index) for index in range(archive.MAX_ENTRIES + 1)))
    with pytest.raises(ModelUnsafe, match="entries"):
        archive.scan(many, BIG)


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = write_archive(tmp_path / "twice", "config.json", "config.json")
    with pytest.raises(ModelUnsafe, match="two entries"):
        archive.scan(twice, BIG)
