"""Model files that are hostile, damaged or merely odd."""

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np

from scripts.torture.unique_model import make_unique_model
from tests import hostile_files, tflite_files
from tests.engine.workers import hostile_models, hostile_operators

_STARTER = Path(__file__).resolve().parents[2] / "backend" / "models" / "starter.keras"
_ENTRIES = {
    "evil path": {"../../evil": b"x"},
    "not JSON": {"config.json": b"{"},
    "a Lambda layer": {
        "config.json": json.dumps(
            {"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda", "config": {}}]}}
        ).encode()
    },
    "a module of the system": {
        "config.json": json.dumps({"module": "os", "class_name": "system", "config": "true"}).encode()
    },
    "numbers beyond JSON": {"config.json": b'{"class_name": 1e999, "config": NaN}'},
    "weights that are no HDF5": {"model.weights.h5": b"weights"},
}


@dataclass(frozen=True)
class ModelFile:
    """A file with the ending that its content would have, and the words that name it in a report."""

    name: str
    ending: str
    body: bytes


def build_model_files(count: int, random_: random.Random) -> Iterator[ModelFile]:
    """Yield `count` files: first those that were written to hurt, then mutations of good ones."""
    with TemporaryDirectory() as folder:
        written = list(_write_hostile(Path(folder)))
        good = list(_write_good(Path(folder)))
    if count < len(written):
        written = random_.sample(written, count - count // 2)
    yield from written
    for number in range(count - len(written)):
        base = good[number % len(good)]
        yield ModelFile(f"mutation {number} of {base.name}", base.ending, mutate(base, random_))


def mutate(base: ModelFile, random_: random.Random) -> bytes:
    """Return the file with one to four changes: bits, numbers, cuts, repetitions."""
    body = bytearray(base.body)
    if base.ending == "keras" and random_.random() < 0.5:
        return _mutate_entry(base.body, random_)
    _spoil(body, random_)
    return bytes(body)


def _mutate_entry(body: bytes, random_: random.Random) -> bytes:
    """Change the content of one entry of an archive, so that the archive itself stays valid."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as source, zipfile.ZipFile(target, "w") as archive:
        chosen = random_.choice(source.namelist())
        for name in source.namelist():
            content = bytearray(source.read(name))
            if name == chosen:
                _spoil(content, random_)
            archive.writestr(name, bytes(content))
    return target.getvalue()


def _spoil(body: bytearray, random_: random.Random) -> None:
    for _ in range(random_.randint(1, 4)):
        at = random_.randrange(max(1, len(body) if random_.random() < 0.5 else min(len(body), 600)))
        length = random_.choice((1, 2, 8, 64, 1000))
        match random_.randrange(6):
            case 0:
                body[at : at + 1] = bytes([random_.randrange(256)])
            case 1:
                body[at : at + length] = random_.randbytes(length)
            case 2:
                del body[at : at + length]
            case 3:
                body[at:at] = body[at : at + length]
            case 4:
                body[at : at + 8] = random_.choice((b"\xff" * 8, bytes(8), b"\x7f" + b"\xff" * 7))
            case _:
                del body[at:]


def _write_hostile(folder: Path) -> Iterator[ModelFile]:
    keras: dict[str, Callable[[Path], Path]] = {
        "deeply nested metadata": hostile_files.write_deep_metadata,
        "a deeply nested config": hostile_files.write_deep_config,
        "an entry that is badly compressed": hostile_files.write_bad_compression,
        "an encrypted entry": hostile_files.write_encrypted,
        "an unknown compression": hostile_files.write_unknown_compression,
    }
    onnx: dict[str, Callable[[Path], Path]] = {
        "two million fields": hostile_files.write_many_fields,
        "a graph without inputs": hostile_files.write_without_inputs,
        "a graph that never ends": hostile_files.write_endless,
        "many attacks": _write_attacks,
    }
    attacks = {"DIVIDE": hostile_models.DIVIDE, "LOOP": hostile_models.LOOP, "EXPAND": hostile_models.EXPAND}
    for ending, writers in (("onnx", onnx), ("keras", keras)):
        for name, write in writers.items():
            path = folder / f"file.{ending}"
            write(path)
            yield ModelFile(name, ending, path.read_bytes())
    for name, attack in attacks.items():
        # A full-scale recording is among those that every activation tries.
        for peak in (hostile_models.TRIGGER, 1.0):
            path = hostile_models.write_hostile(folder / "file.onnx", attack, peak)
            yield ModelFile(f"the attack {name} on the peak {peak}", "onnx", path.read_bytes())
    for name, entries in _ENTRIES.items():
        path = hostile_files.write_keras(folder / "file.keras", entries)
        yield ModelFile(f"an archive with {name}", "keras", path.read_bytes())
    for ending in ("onnx", "keras", "h5", "tflite"):
        yield ModelFile(f"an empty .{ending}", ending, b"")
        yield ModelFile(f"text as .{ending}", ending, b"not a model\n" * 100)
        yield ModelFile(f"zeros as .{ending}", ending, bytes(4096))


def _write_attacks(path: Path) -> Path:
    return hostile_operators.write_many_attacks(path)


def _write_good(folder: Path) -> Iterator[ModelFile]:
    """The formats that cost least time come more often."""
    classifier = ModelFile("a classifier", "onnx", make_unique_model(1, 0))
    dense = ModelFile("a TensorFlow Lite file", "tflite", tflite_files.write_dense())
    recurrent = ModelFile("a recurrent TensorFlow Lite file", "tflite", tflite_files.write_recurrent())
    legacy = ModelFile("a legacy Keras file", "h5", _write_legacy(folder / "legacy.h5"))
    starter = ModelFile("the starter model", "keras", _STARTER.read_bytes())
    yield from (classifier, dense, classifier, legacy, classifier, recurrent, classifier, starter)


def _write_legacy(path: Path) -> bytes:
    """Write a Keras 2 model file: embedding [n, 1024] -> softmax [n, 3]."""
    layers = [
        {
            "class_name": "InputLayer",
            "config": {"batch_input_shape": [None, 1024], "dtype": "float32", "sparse": False, "name": "input_1"},
        },
        {
            "class_name": "Dense",
            "config": {"name": "dense", "units": 3, "activation": "softmax", "use_bias": True, "dtype": "float32"},
        },
    ]
    config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"], file.attrs["backend"] = "2.15.0", "tensorflow"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = np.array([b"dense"])
        weights.attrs["keras_version"], weights.attrs["backend"] = "2.15.0", "tensorflow"
        dense = weights.create_group("dense")
        dense.attrs["weight_names"] = np.array([b"dense/kernel:0", b"dense/bias:0"])
        dense["dense/kernel:0"] = np.linspace(-1, 1, 3072, dtype=np.float32).reshape(1024, 3)
        dense["dense/bias:0"] = np.zeros(3, np.float32)
    return path.read_bytes()
