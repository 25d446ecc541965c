"""Every format and generation of Keras, written by its framework, converted and proven; hostile ones refused."""

from typing import Any

import pytest

# The first test pays for writing and converting every file, on machines that may be busy.
pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(600)]

Matrix = dict[str, dict[str, Any]]

SIGNATURES: dict[str, tuple[list[int | None], list[int | None], str]] = {
    "dense": ([None, 1024], [None, 3], "softmax"),
    "scores": ([None, 521], [None, 2], "sigmoid"),
    "logits": ([None, 1024], [None, 4], "none"),
    "conv": ([None, 96, 64], [None, 5], "softmax"),
    "bilstm": ([None, None, 64], [None, 3], "softmax"),
    "lstm": ([None, None, 64], [None, 1], "sigmoid"),
    "waveform": ([None, None, 1], [None, 3], "softmax"),
    "window": ([None, 8000], [None, 2], "softmax"),
}


@pytest.mark.parametrize("what", SIGNATURES)
@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("generation", [2, 3])
def test_keras_files_of_both_generations_agree_with_their_framework(
    matrix: Matrix, generation: int, suffix: str, what: str
) -> None:
    row = matrix[f"keras{generation}-{what}.{suffix}"]
    shape, output, activation = SIGNATURES[what]
    assert [signature["shape"] for signature in row["inputs"]] == [shape]
    assert list(row["outputs"].values()) == [output]
    assert row["activation"] == activation
    assert row["framework"].startswith("keras 3." if generation == 3 else "tf_keras 2.")
    assert row["written_by"].startswith(f"keras {generation}.")
    assert max(row["errors"]) <= 1e-5
    assert len(row["errors"]) >= 3


@pytest.mark.parametrize(
    ("name", "shape", "activation"),
    [
        ("keras3-mel.keras", [None, 16_000], "softmax"),
        ("keras3-ops.keras", [None, 1024], "softmax"),
        ("keras2-ops.keras", [None, 1024], "softmax"),
        ("keras2-ops.h5", [None, 1024], "softmax"),
        ("keras3-saved_model", [None, 1024], "softmax"),
        ("keras2-saved_model", [None, 96, 64], "softmax"),
        ("tf1-saved_model", [None, 1024], "softmax"),
        ("tflite-dense.tflite", [None, 1024], "softmax"),
        ("tflite-conv.tflite", [None, 96, 64], "softmax"),
        ("tflite-lstm.tflite", [1, 96, 64], "sigmoid"),
        ("tflite-waveform.tflite", [1, 16_000, 1], "softmax"),
        ("onnx-dense.onnx", [None, 1024], "softmax"),
    ],
)
def test_other_formats_and_layers_agree_with_their_framework(
    matrix: Matrix, name: str, shape: list[int | None], activation: str
) -> None:
    row = matrix[name]
    assert [signature["shape"] for signature in row["inputs"]] == [shape]
    assert row["activation"] == activation
    assert max(row["errors"]) <= 1e-5


def test_a_yamnet_like_saved_model_gives_its_scores_first_and_its_class_map_as_labels(matrix: Matrix) -> None:
    row = matrix["yammy-saved_model"]
    assert [(signature["name"], signature["shape"]) for signature in row["inputs"]] == [("waveform", [None])]
    assert row["outputs"] == {"scores": [None, 3], "embeddings": [None, 8], "log_mel": [None, 64]}
    assert (row["activation"], row["labels"]) == ("sigmoid", ["Dog", "Rain", "Siren"])
    silence = full_scale = [16_000]
    assert [shapes[0] for shapes in row["shapes"]] == [[16_000], [24_001], [40_320], silence, full_scale]
    assert all(error <= tolerance for error, tolerance in zip(row["errors"], row["tolerances"], strict=True))


def test_quantized_tflite_is_served_by_litert_although_onnx_is_within_tolerance(matrix: Matrix) -> None:
    row = matrix["tflite-conv_int8.tflite"]
    assert row["runtime"] == "litert"
    assert "serves it as it is" in row["notes"][0]
    assert row["tolerances"] == [2e-2] * len(row["errors"])
    assert max(row["errors"]) <= 2e-2
    assert row["activation"] == "softmax"


@pytest.mark.parametrize(
    ("name", "shape", "reason", "largest"),
    [
        ("dense_int8_ends", [None, 1024], "The file is quantized", 1.0),
        ("yammy", [None], "ONNX has no equivalent for these operators of the model: ComplexAbs", 5e-5),
    ],
)
def test_tflite_that_onnx_does_not_carry_is_served_by_litert_and_proven_against_its_reference_kernels(
    matrix: Matrix, name: str, shape: list[int | None], reason: str, largest: float
) -> None:
    row = matrix[f"tflite-{name}.tflite"]
    assert row["runtime"] == "litert"
    assert [signature["shape"] for signature in row["inputs"]] == [shape]
    assert max(row["errors"]) <= largest
    assert len(row["errors"]) >= 3
    [note] = row["notes"]
    assert "ai-edge-litert" in note
    assert reason in note


def test_the_final_activation_of_a_litert_model_is_found(matrix: Matrix) -> None:
    found = {name: matrix[f"tflite-{name}.tflite"]["activation"] for name in ("dense_int8_ends", "yammy")}
    assert found == {"dense_int8_ends": "softmax", "yammy": "sigmoid"}


def test_every_other_format_is_served_by_onnx_runtime(matrix: Matrix) -> None:
    others = {row["runtime"] for name, row in matrix.items() if "runtime" in row and not name.startswith("tflite-")}
    assert others == {"onnxruntime"}


@pytest.mark.parametrize(
    ("name", "group"), [("keras3-bilstm", r"layers\bidirectional"), ("keras2-conv", r"layers\batch")]
)
def test_an_archive_written_on_windows_opens_with_its_own_weights_and_a_note(
    matrix: Matrix, name: str, group: str
) -> None:
    row = matrix[f"{name.replace('-', '-windows_')}.keras"]
    assert row["answer"] == matrix[f"{name}.keras"]["answer"]
    assert max(row["errors"]) <= 1e-5
    [note] = row["notes"]
    assert "written on Windows" in note
    assert group in note
    assert matrix[f"{name}.keras"]["notes"] == []


def test_half_precision_is_compared_with_its_own_tolerance(matrix: Matrix) -> None:
    row = matrix["keras3-half.keras"]
    assert row["tolerances"] == [5e-3] * 5
    assert max(row["errors"]) <= 1e-3


BFLOAT = (
    *(f"keras{generation}-{name}" for generation in (2, 3) for name in ("bfloat.keras", "bfloat.h5")),
    *(f"keras{generation}-{name}.keras" for generation in (2, 3) for name in ("bfloat_conv", "bfloat_lstm")),
    *(f"keras{generation}-bfloat-saved_model" for generation in (2, 3)),
)


@pytest.mark.parametrize("name", BFLOAT)
def test_bfloat16_is_served_in_float32_and_proven_as_closely(matrix: Matrix, name: str) -> None:
    row = matrix[name]
    assert row["activation"] == "softmax"
    assert [signature["dtype"] for signature in row["inputs"]] == ["float32"]
    assert row["tolerances"] == [1e-4] * len(row["errors"])
    assert len(row["errors"]) >= 3
    assert max(row["errors"]) <= 1e-5


@pytest.mark.parametrize("way", ["magnitude", "power", "conjugate", "fft"])
def test_a_spectrum_of_a_batch_in_a_saved_model_agrees_with_tensorflow(matrix: Matrix, way: str) -> None:
    row = matrix[f"stft_{way}-saved_model"]
    assert [signature["shape"] for signature in row["inputs"]] == [[None, None]]
    assert row["outputs"] == {"scores": [None, 3]}
    assert [shapes[0][0] for shapes in row["shapes"]] == [1, 2, 7, 1, 1, 1]  # the last two: silence and full scale
    assert max(row["errors"]) <= 5e-5


def test_half_precision_in_a_saved_model_is_compared_as_in_keras(matrix: Matrix) -> None:
    assert set(matrix["half-saved_model"]["tolerances"]) == {5e-3}
    assert set(matrix["bfloat-saved_model"]["tolerances"]) == {1e-4}


def test_a_class_map_in_windows_1252_is_read(matrix: Matrix) -> None:
    assert matrix["stft_power-saved_model"]["labels"] == ["Forêt", "Mer", "Chien"]


def test_labels_inside_the_file_are_found(matrix: Matrix) -> None:
    assert matrix["onnx-dense.onnx"]["labels"] == ["dog", "rain", "siren"]
    assert matrix["tflite-dense.tflite"]["labels"] == ["dog", "rain", "siren"]
    assert matrix["onnx-dense.onnx"]["written_by"] == "pytorch 2.9.0"


@pytest.mark.parametrize(
    ("name", "code", "detail"),
    [
        ("keras3-lambda.keras", "model_unsafe", "Lambda"),
        ("keras3-lambda.h5", "model_unsafe", "Lambda"),
        ("keras2-lambda.keras", "model_unsafe", "Lambda"),
        ("keras2-lambda.h5", "model_unsafe", "Lambda"),
        ("keras3-custom.keras", "model_unsafe", "Mine>Bespoke"),
        ("keras3-custom.h5", "model_unsafe", "Mine>Bespoke"),
        ("keras2-custom.keras", "model_unsafe", "Mine>Bespoke2"),
        ("keras2-custom.h5", "model_unsafe", "Mine>Bespoke2"),
        ("keras3-import.keras", "model_unsafe", "module 'os'"),
        ("keras3-bomb.keras", "model_unsafe", "200 times"),
        ("keras3-escape.keras", "model_unsafe", "../outside.txt"),
        ("keras3-windows_twice.keras", "compile_failed", r"both 'layers\\dense' and 'layers/dense'"),
        ("keras3-huge.keras", "model_unsafe", "81920000000 bytes"),
        ("keras3-deep.keras", "model_unsafe", "the file holds 8200"),
        ("keras3-external.h5", "model_unsafe", "secret.h5"),
        ("keras3-soft.h5", "model_unsafe", "soft link"),
        ("keras3-storage.h5", "model_unsafe", "/etc/passwd"),
        ("keras3-virtual.h5", "model_unsafe", "virtual"),
        ("keras3-declared.h5", "model_unsafe", "compile_memory_bytes"),
        ("keras3-truncated.h5", "compile_failed", "truncated"),
        ("keras3-truncated.keras", "format_unknown", "truncated"),
        ("weights-only.h5", "format_unknown", "weights without a model"),
        ("py-saved_model", "model_unsafe", "EagerPyFunc"),
        ("writes-saved_model", "model_unsafe", "WriteFile"),
        ("unsigned-saved_model", "compile_failed", "serving_default"),
        ("stft_inverse-saved_model", "compile_failed", "complex numbers, and ONNX has no equivalent for IRFFT"),
        ("tflite-truncated.tflite", "compile_failed", "LiteRT"),
        ("onnx-custom.onnx", "model_unsafe", "com.example.evil.MatMul"),
        ("onnx-external.onnx", "model_unsafe", "another file"),
        ("onnx-nan.onnx", "parity_failed", "NaN"),
        ("onnx-old.onnx", "compile_failed", "operator set 6"),
    ],
)
def test_a_hostile_or_damaged_file_is_refused_and_the_detail_names_the_cause(
    matrix: Matrix, name: str, code: str, detail: str
) -> None:
    row = matrix[name]
    assert (row.get("code"), detail in row.get("detail", "")) == (code, True), row
    assert row["remedy"]


def test_no_file_is_written_beside_the_model_by_opening_it(matrix: Matrix) -> None:
    assert {name: row["left"] for name, row in matrix.items() if row["left"]} == {}
