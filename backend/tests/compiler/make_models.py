"""Write one small model file of every format, with the frameworks themselves. Run as: make_models.py FOLDER.

Started in a process of its own by conftest.py, so that the tests' process never imports a training framework.
"""

import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}

import h5py
import keras
import numpy as np
import onnx
import tensorflow as tf
import tf_keras
from onnx import TensorProto, helper, numpy_helper


def build_heads(api: Any) -> dict[str, Any]:
    """Models that both generations of Keras can express, by name."""
    layers = api.layers
    return {
        "dense": api.Sequential(
            [layers.Input((1024,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")]
        ),
        "scores": api.Sequential([layers.Input((521,)), layers.Dense(2, activation="sigmoid")]),
        "logits": api.Sequential([layers.Input((1024,)), layers.Dense(8, activation="gelu"), layers.Dense(4)]),
        "conv": api.Sequential(
            [
                layers.Input((96, 64)),
                layers.Reshape((96, 64, 1)),
                layers.Conv2D(4, 3, strides=2, padding="same"),
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.DepthwiseConv2D(3, strides=2, padding="same"),
                layers.SeparableConv2D(8, 3, activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(5, activation="softmax"),
            ]
        ),
        "bilstm": api.Sequential(
            [
                layers.Input((None, 64)),
                layers.Bidirectional(layers.LSTM(6, return_sequences=True)),
                layers.GRU(5),
                layers.Dense(3, activation="softmax"),
            ]
        ),
        "lstm": api.Sequential([layers.Input((None, 64)), layers.LSTM(6), layers.Dense(1, activation="sigmoid")]),
        "waveform": api.Sequential(
            [
                layers.Input((None, 1)),
                layers.Conv1D(4, 64, strides=16, activation="relu"),
                layers.Conv1D(4, 8, strides=4, activation="relu"),
                layers.GlobalMaxPooling1D(),
                layers.Dense(3, activation="softmax"),
            ]
        ),
        "window": api.Sequential(
            [layers.Input((8000,)), layers.Reshape((50, 160)), layers.LSTM(4), layers.Dense(2, activation="softmax")]
        ),
    }


def write_keras_files(folder: Path) -> None:
    for generation, api in (("keras3", keras), ("keras2", tf_keras)):
        api.utils.set_random_seed(7)
        for name, model in build_heads(api).items():
            model.save(folder / f"{generation}-{name}.keras")
            model.save(folder / f"{generation}-{name}.h5")
    mel = keras.Sequential(
        [
            keras.Input((16_000,)),
            keras.layers.MelSpectrogram(512, 160, 400, sampling_rate=16_000, num_mel_bins=32),
            keras.layers.Rescaling(1 / 80),
            keras.layers.Permute((2, 1)),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    mel.save(folder / "keras3-mel.keras")
    write_windows_files(folder)
    write_bfloat_files(folder)
    half = keras.DTypePolicy("mixed_float16")
    keras.Sequential(
        [
            keras.Input((1024,)),
            keras.layers.Dense(8, activation="relu", dtype=half),
            keras.layers.Dense(3, activation="softmax", dtype="float32"),
        ]
    ).save(folder / "keras3-half.keras")
    inputs = keras.Input((1024,), name="embedding")
    hidden = keras.layers.Dense(8)(inputs)
    spread = keras.ops.mean(hidden, axis=-1, keepdims=True)
    keras.Model(inputs, keras.ops.softmax(hidden - spread)).save(folder / "keras3-ops.keras")
    inputs = tf_keras.Input((1024,), name="embedding")
    hidden = tf_keras.layers.Dense(8)(inputs)
    hidden = hidden - tf.math.reduce_mean(hidden, axis=-1, keepdims=True)
    ops = tf_keras.Model(inputs, tf.nn.softmax(hidden[:, :4]))
    ops.save(folder / "keras2-ops.keras")
    ops.save(folder / "keras2-ops.h5")


def write_windows_files(folder: Path) -> None:
    """Archives as Keras wrote them on Windows, and one whose entries a packer named with backslashes."""
    for name in ("keras3-bilstm", "keras2-conv"):
        with zipfile.ZipFile(folder / f"{name}.keras") as source:
            parts = {entry: source.read(entry) for entry in source.namelist()}
        weights = folder / "windows.h5"
        weights.write_bytes(parts["model.weights.h5"])
        with h5py.File(weights, "a") as file:
            groups: list[str] = []
            file.visit(groups.append)
            for path in sorted(
                {path.rpartition("/vars")[0] for path in groups if path.endswith("/vars")}, reverse=True
            ):
                file.move(path, path.replace("/", "\\"))
        parts["model.weights.h5"] = weights.read_bytes()
        weights.unlink()
        with zipfile.ZipFile(folder / f"{name.replace('-', '-windows_')}.keras", "w") as target:
            for entry, content in (parts | {"assets\\notes.txt": b"x"}).items():
                target.writestr(entry, content)


def write_bfloat_files(folder: Path) -> None:
    """Models whose layers compute in bfloat16, dense and recurrent, of both generations and as a SavedModel."""
    for generation, api in (("keras3", keras), ("keras2", tf_keras)):
        layers = api.layers
        policy = (keras.DTypePolicy if api is keras else tf_keras.mixed_precision.Policy)("mixed_bfloat16")
        api.utils.set_random_seed(7)
        for name, model in {
            "bfloat": [
                layers.Input((1024,)),
                layers.Dense(8, activation="relu", dtype=policy),
                layers.Dense(3, activation="softmax", dtype=policy),
            ],
            "bfloat_conv": [
                layers.Input((96, 64)),
                layers.Reshape((96, 64, 1), dtype=policy),
                layers.Conv2D(4, 3, strides=2, padding="same", dtype=policy),
                layers.BatchNormalization(dtype=policy),
                layers.DepthwiseConv2D(3, dtype=policy),
                layers.GlobalAveragePooling2D(dtype=policy),
                layers.Dense(5, activation="softmax", dtype="float32"),
            ],
            "bfloat_lstm": [
                layers.Input((None, 64)),
                layers.LSTM(6, dtype=policy),
                layers.Dense(3, activation="softmax", dtype="float32"),
            ],
        }.items():
            built = api.Sequential(model)
            built.save(folder / f"{generation}-{name}.keras")
            if name == "bfloat":
                built.save(folder / f"{generation}-{name}.h5")
                exported = folder / f"{generation}-{name}-saved_model"
                built.export(exported, verbose=False) if api is keras else built.save(exported, save_format="tf")


class Yammy(tf.Module):  # type: ignore[misc]
    """YAMNet's outline: waveform [T] -> scores [frames, 3], embeddings [frames, 8], log-mel [frames', 64]."""

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        self.mel = tf.constant(np.abs(random.standard_normal((257, 64))).astype(np.float32) / 64)
        self.hidden = tf.Variable(random.standard_normal((96 * 64, 8)).astype(np.float32) / 100)
        self.head = tf.Variable(random.standard_normal((8, 3)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="waveform")])  # type: ignore[untyped-decorator]
    def __call__(self, waveform: Any) -> dict[str, Any]:
        spectrum = tf.abs(tf.signal.stft(waveform, 400, 160, 512))
        log_mel = tf.math.log(spectrum @ self.mel + 0.001)
        patches = tf.signal.frame(log_mel, 96, 48, axis=0)
        embeddings = tf.nn.relu(tf.reshape(patches, [-1, 96 * 64]) @ self.hidden)
        return {
            "embeddings": embeddings,
            "log_mel": log_mel,
            "scores": tf.sigmoid(embeddings @ self.head),
        }


class BatchedStft(tf.Module):  # type: ignore[misc]
    """Waveforms [n, samples] -> scores [n, 3] over a spectrum, computed in one of several usual ways."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.head = tf.Variable(np.random.default_rng(3).standard_normal((257, 3)).astype(np.float32) / 9)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32, name="waveform")])  # type: ignore[untyped-decorator]
    def __call__(self, waveform: Any) -> dict[str, Any]:
        if self.way == "fft":
            frames = tf.signal.frame(waveform, 512, 256)
            spectrum = tf.signal.fft(tf.cast(frames, tf.complex64))[..., :257]
        else:
            spectrum = tf.signal.stft(waveform, 400, 160, 512)
        if self.way == "power":
            strength = tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2
        elif self.way == "conjugate":
            turned = tf.transpose(spectrum, [0, 2, 1])
            strength = tf.transpose(tf.math.real(turned * tf.math.conj(turned)), [0, 2, 1])
        elif self.way == "inverse":
            strength = tf.abs(tf.signal.irfft(spectrum))[..., :257]
        else:
            strength = tf.abs(spectrum) + 0.1 * tf.math.angle(spectrum)[..., :1]
        return {"scores": tf.sigmoid(tf.reduce_mean(tf.math.log(strength + 0.01), axis=1) @ self.head)}


class Half(tf.Module):  # type: ignore[misc]
    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self.head = tf.Variable(np.random.default_rng(3).standard_normal((1024, 3)).astype(np.float32) / 30)

    @tf.function(input_signature=[tf.TensorSpec([None, 1024], tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> dict[str, Any]:
        scores = tf.sigmoid(tf.cast(x, self.kind) @ tf.cast(self.head, self.kind))
        return {"scores": tf.cast(scores, tf.float32)}


class WritesFiles(tf.Module):  # type: ignore[misc]
    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> dict[str, Any]:
        with tf.control_dependencies([tf.io.write_file("stolen.txt", "gotcha")]):
            return {"y": tf.identity(x)}


class Calls(tf.Module):  # type: ignore[misc]
    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> dict[str, Any]:
        return {"y": tf.py_function(lambda value: value, [x], tf.float32)}


def write_saved_models(folder: Path) -> None:
    build_heads(keras)["dense"].export(folder / "keras3-saved_model", verbose=False)
    tf_keras.utils.set_random_seed(7)
    build_heads(tf_keras)["conv"].save(folder / "keras2-saved_model", save_format="tf")
    spectra = {f"stft_{way}": BatchedStft(way) for way in ("magnitude", "power", "conjugate", "fft", "inverse")}
    halves = {"half": Half(tf.float16), "bfloat": Half(tf.bfloat16)}
    others: dict[str, Any] = {"yammy": Yammy(), "writes": WritesFiles(), "py": Calls()}
    for name, module in (others | spectra | halves).items():
        tf.saved_model.save(module, str(folder / f"{name}-saved_model"), signatures=module.__call__)
    assets = folder / "yammy-saved_model" / "assets"
    assets.mkdir(exist_ok=True)
    (assets / "class_map.csv").write_text("index,mid,display_name\n0,/m/a,Dog\n1,/m/b,Rain\n2,/m/c,Siren\n")
    assets = folder / "stft_power-saved_model" / "assets"
    assets.mkdir(exist_ok=True)
    (assets / "class_map.csv").write_bytes("index,mid,display_name\n0,a,Forêt\n1,b,Mer\n2,c,Chien\n".encode("cp1252"))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 1024], name="x")
        weight = tf.compat.v1.get_variable("w", [1024, 2], use_resource=False)
        y = tf.nn.softmax(x @ weight)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.saved_model.simple_save(session, str(folder / "tf1-saved_model"), {"x": x}, {"y": y})


def write_tflite_files(folder: Path) -> None:
    for name, fixed in (("dense", None), ("conv", None), ("lstm", (1, 96, 64)), ("waveform", (1, 16_000, 1))):
        keras.utils.set_random_seed(7)
        model = build_heads(keras)[name]
        if fixed:
            inputs = keras.Input(batch_shape=fixed)
            model = keras.Model(inputs, model(inputs))
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        (folder / f"tflite-{name}.tflite").write_bytes(converter.convert())
    for name, shape in (("conv", (1, 96, 64)), ("dense", (1, 1024))):
        converter = tf.lite.TFLiteConverter.from_keras_model(build_heads(keras)[name])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        (folder / f"tflite-{name}_dynamic.tflite").write_bytes(converter.convert())
        random = np.random.default_rng(1)
        converter.representative_dataset = lambda shape=shape, random=random: (
            [random.standard_normal(shape).astype(np.float32)] for _ in range(20)
        )
        (folder / f"tflite-{name}_int8.tflite").write_bytes(converter.convert())
    # With integers at its ends, as microcontrollers take it.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    (folder / "tflite-dense_int8_ends.tflite").write_bytes(converter.convert())
    # ONNX has no equivalent for the complex numbers of this one, as in YAMNet's own file.
    yammy = Yammy()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([yammy.__call__.get_concrete_function()], yammy)
    (folder / "tflite-yammy.tflite").write_bytes(converter.convert())
    with zipfile.ZipFile(folder / "tflite-dense.tflite", "a") as archive:
        archive.writestr("labels.txt", "dog\nrain\nsiren\n")


def make_dense_onnx(**changes: Any) -> onnx.ModelProto:
    """x [N, 1024] -> softmax(x w) [N, 3]."""
    weight = np.random.default_rng(5).standard_normal((1024, 3)).astype(np.float32) / 30
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
            helper.make_node("Reshape", ["probabilities", "shape"], ["y"]),
        ],
        "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1024])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(np.array([-1, 3]), "shape")],
    )
    opset = changes.pop("opset", 18)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9, **changes)
    helper.set_model_props(model, {"labels": json.dumps(["dog", "rain", "siren"])})
    return model


def write_onnx_files(folder: Path) -> None:
    onnx.save(make_dense_onnx(producer_name="pytorch", producer_version="2.9.0"), folder / "onnx-dense.onnx")
    onnx.save(make_dense_onnx(opset=6), folder / "onnx-old.onnx")
    custom = make_dense_onnx()
    custom.graph.node[0].domain = "com.example.evil"
    custom.opset_import.append(helper.make_opsetid("com.example.evil", 1))
    onnx.save(custom, folder / "onnx-custom.onnx")
    onnx.save(
        make_dense_onnx(),
        folder / "onnx-external.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    broken = make_dense_onnx()
    weight = numpy_helper.to_array(broken.graph.initializer[0]).copy()
    weight[0, 0] = np.nan
    broken.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "w"))
    onnx.save(broken, folder / "onnx-nan.onnx")


class Bespoke(keras.layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x


@tf_keras.saving.register_keras_serializable(package="Mine")
class Bespoke2(tf_keras.layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x


def write_hostile_files(folder: Path) -> None:
    keras.saving.register_keras_serializable(package="Mine")(Bespoke)
    for generation, api, custom in (("keras3", keras, Bespoke), ("keras2", tf_keras, Bespoke2)):
        layers = api.layers
        for suffix in ("keras", "h5"):
            model = api.Sequential([layers.Input((8,)), layers.Lambda(lambda x: x + 1), layers.Dense(2)])
            model.save(folder / f"{generation}-lambda.{suffix}")
            model = api.Sequential([layers.Input((8,)), custom(), layers.Dense(2)])
            model.save(folder / f"{generation}-custom.{suffix}")
    weights = folder / "twice.h5"
    with zipfile.ZipFile(folder / "keras3-dense.keras") as source:
        dense = {name: source.read(name) for name in source.namelist()}
    weights.write_bytes(dense["model.weights.h5"])
    with h5py.File(weights, "a") as file:
        file.create_group("layers\\dense")
    with zipfile.ZipFile(folder / "keras3-windows_twice.keras", "w") as target:
        for part, content in (dense | {"model.weights.h5": weights.read_bytes()}).items():
            target.writestr(part, content)
    weights.unlink()
    # A megabyte at most on disk that asks for 80 GB once built.
    small = keras.Sequential([keras.Input((1024,)), keras.layers.Dense(2)])
    small.save(folder / "keras3-small.keras")
    with zipfile.ZipFile(folder / "keras3-small.keras") as source:
        parts = {name: source.read(name) for name in source.namelist()}
    config = parts["config.json"].decode()
    for name, changed in (
        ("huge", config.replace('"units": 2', '"units": 20000000')),
        ("deep", config.replace('"units": 2', '"units": 2000000').replace('"build_config": {', '"unused": {')),
        ("import", config.replace('"module": "keras.layers"', '"module": "os"')),
    ):
        with zipfile.ZipFile(folder / f"keras3-{name}.keras", "w") as target:
            for part, content in (parts | {"config.json": changed.encode()}).items():
                target.writestr(part, content)
    with zipfile.ZipFile(folder / "keras3-bomb.keras", "w", zipfile.ZIP_DEFLATED) as target:
        for part, content in (parts | {"model.weights.h5": bytes(300_000_000)}).items():
            target.writestr(part, content)
    with zipfile.ZipFile(folder / "keras3-escape.keras", "w") as target:
        for part, content in (parts | {"../outside.txt": b"x"}).items():
            target.writestr(part, content)
    (folder / "secret.h5").write_bytes((folder / "keras3-logits.h5").read_bytes())
    for name, link in (
        ("external", h5py.ExternalLink("secret.h5", "/model_weights")),
        ("soft", h5py.SoftLink("/model_weights")),
    ):
        path = folder / f"keras3-{name}.h5"
        path.write_bytes((folder / "keras3-logits.h5").read_bytes())
        with h5py.File(path, "a") as file:
            file["stray"] = link
    path = folder / "keras3-storage.h5"
    path.write_bytes((folder / "keras3-logits.h5").read_bytes())
    with h5py.File(path, "a") as file:
        file.create_dataset("stray", (16,), "f4", external=[("/etc/passwd", 0, 64)])
    path = folder / "keras3-virtual.h5"
    path.write_bytes((folder / "keras3-logits.h5").read_bytes())
    with h5py.File(path, "a") as file:
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource("secret.h5", "stray", (4,))
        file.create_virtual_dataset("stray", layout)
    path = folder / "keras3-declared.h5"
    path.write_bytes((folder / "keras3-logits.h5").read_bytes())
    with h5py.File(path, "a") as file:
        file.create_dataset("stray", (20_000_000_000,), "f4", chunks=(1 << 20,))
    for name in ("keras3-dense.h5", "keras3-dense.keras", "tflite-dense.tflite"):
        stem, suffix = name.replace("dense", "truncated").split(".")
        content = (folder / name).read_bytes()
        (folder / f"{stem}.{suffix}").write_bytes(content[: len(content) // 2])
    tf.saved_model.save(tf.Module(), str(folder / "unsigned-saved_model"))
    with h5py.File(folder / "weights-only.h5", "w") as file:
        file.create_dataset("dense/kernel", data=np.zeros((4, 4), np.float32))


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for step in (write_keras_files, write_saved_models, write_tflite_files, write_onnx_files, write_hostile_files):
        step(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
