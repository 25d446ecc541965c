"""Features become the array that a model takes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from scripts.originals.sound_signals import make_image
from understudy.audio.features.arrangement import Arranger
from understudy.errors import SpecInvalid
from understudy.schemas.front_end.arrangement import Arrangement, Picture

GOLDEN = Path(__file__).parent / "golden"
FRAMES = np.array([[1, 2, 3], [4, 5, 9]], np.float32)


def arrange(features: Any, **steps: Any) -> NDArray[np.float32]:
    arranged = Arranger(Arrangement.model_validate(steps)).arrange(np.asarray(features, np.float32))
    assert arranged.dtype == np.float32
    assert arranged.flags.c_contiguous
    return arranged


def load(name: str) -> Any:
    return np.load(GOLDEN / f"{name}.npz")


def test_scaler_scales_as_scikit_learn_does() -> None:
    data = make_image(60, 12)
    data[:, 5] = 3.0
    with load("scikit_learn_1.9") as golden:
        per_feature = {"kind": "per_feature", "mean": list(golden["mean_"]), "std": list(golden["scale_"])}
        np.testing.assert_allclose(arrange(data[40:], standardize=per_feature), golden["scaled"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(arrange(data[45], standardize=per_feature), golden["scaled"][5], rtol=0, atol=1e-6)


@pytest.mark.parametrize("axes", ["time_first", "features_first"])
def test_scaler_of_flattened_features_scales_each_value(axes: str) -> None:
    data = make_image(60, 12)
    data[:, 5] = 3.0
    flat = data.reshape(12, 60)[3]
    features = flat.reshape(10, 6) if axes == "time_first" else flat.reshape(6, 10).T
    with load("scikit_learn_1.9") as golden:
        rule = {
            "kind": "per_feature",
            "over": "value",
            "mean": list(golden["flat_mean"]),
            "std": list(golden["flat_scale"]),
        }
        arranged = arrange(features, standardize=rule, layout={"axes": axes, "flatten": True})
        np.testing.assert_allclose(arranged, golden["flat_scaled"][0], rtol=0, atol=1e-6)


def test_standardization_of_another_number_of_features_names_both() -> None:
    rule = {"kind": "per_feature", "mean": [0.0] * 40, "std": [1.0] * 40}
    for features in (FRAMES, FRAMES[0]):
        with pytest.raises(SpecInvalid, match="40 features, and the front end gives 3"):
            arrange(features, standardize=rule)
    with pytest.raises(SpecInvalid, match="40 values, and the front end gives 6"):
        arrange(FRAMES, standardize=rule | {"over": "value"})


def test_scaler_file_that_was_not_read_is_refused() -> None:
    with pytest.raises(SpecInvalid, match=r"scaler\.json were not read"):
        arrange(FRAMES, standardize={"kind": "per_feature", "file": "scaler.json"})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"kind": "scalar", "mean": 1.0, "std": 2.0}, (FRAMES - 1) / 2),
        ({"kind": "per_clip"}, (FRAMES - 4) / FRAMES.std()),
        ({"kind": "per_clip", "over": "time"}, [[-1, -1, -1], [1, 1, 1]]),
        ({"kind": "per_clip", "std": False}, FRAMES - 4),
        ({"kind": "per_clip", "mean": False, "epsilon": 0.5}, FRAMES / (FRAMES.std() + 0.5)),
        ({"kind": "per_clip", "unbiased": True}, (FRAMES - 4) / FRAMES.std(ddof=1)),
        (
            {"kind": "per_clip", "epsilon": 0.5, "epsilon_in_root": True},
            (FRAMES - 4) / np.sqrt(FRAMES.var() + 0.5),
        ),
        ({"kind": "min_max", "low": -1.0}, (FRAMES - 1) / 4 - 1),
    ],
)
def test_features_are_standardized(rule: dict[str, object], expected: Any) -> None:
    np.testing.assert_allclose(arrange(FRAMES, standardize=rule), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(arrange(FRAMES, standardize_before=rule), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("kind", "value"), [("per_clip", 0.0), ("min_max", 0.25)])
def test_clip_of_one_value_stays_finite(kind: str, value: float) -> None:
    rule = {"kind": kind} | ({"low": 0.25} if kind == "min_max" else {})
    np.testing.assert_array_equal(arrange(np.full((3, 2), 7), standardize=rule), np.full((3, 2), value))


@pytest.mark.parametrize(("keras", "side"), [("pre", "start"), ("post", "end")])
def test_frames_are_padded_and_cut_as_keras_does(keras: str, side: str) -> None:
    with load("tensorflow_2.21") as golden:
        for count, expected in zip((7, 12), golden[f"pad_sequences {keras}"], strict=True):
            frames = {"count": 9, "pad": side, "cut": side, "value": -1.5}
            np.testing.assert_array_equal(arrange(make_image(count, 6), frames=frames), expected)


def test_frames_are_centered_and_filled_with_the_smallest_value() -> None:
    arranged = arrange(FRAMES, frames={"count": 5, "pad": "center", "value": "minimum"})
    np.testing.assert_array_equal(arranged, [[1] * 3, *FRAMES, [1] * 3, [1] * 3])
    np.testing.assert_array_equal(arrange(np.arange(5)[:, None], frames={"count": 2, "cut": "center"}), [[1], [2]])
    assert arrange(np.zeros((0, 3)), frames={"count": 2, "value": "minimum"}).shape == (2, 3)


def test_standardization_before_frames_does_not_count_their_padding() -> None:
    rule, frames = {"kind": "per_clip", "std": False}, {"count": 4}
    np.testing.assert_array_equal(arrange(FRAMES, standardize_before=rule, frames=frames)[2:], np.zeros((2, 3)))
    np.testing.assert_array_equal(arrange(FRAMES, standardize=rule, frames=frames)[2:], np.full((2, 3), -2))


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ({}, FRAMES),
        ({"axes": "features_first"}, FRAMES.T),
        ({"channel": "last"}, FRAMES[:, :, None]),
        ({"axes": "features_first", "channel": "first"}, FRAMES.T[None]),
        ({"axes": "features_first", "flatten": True}, FRAMES.T.reshape(-1)),
        ({"axes": "features_first", "shape": (2, 1, 3)}, FRAMES.T.reshape(2, 1, 3)),
    ],
)
def test_axes_are_laid_out(layout: dict[str, object], expected: Any) -> None:
    np.testing.assert_array_equal(arrange(FRAMES, layout=layout), expected)


def test_pooled_features_get_channel_axes_and_shapes() -> None:
    pooled = np.arange(40)
    assert arrange(pooled, layout={"channel": "last"}).shape == (40, 1)
    assert arrange(pooled, layout={"channel": "first"}).shape == (1, 40)
    assert arrange(pooled, layout={"shape": (10, 4, 1)}).shape == (10, 4, 1)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ({"frames": {"count": 3}}, r"arrangement\.frames needs features over time"),
        ({"picture": {"height": 3, "width": 3}}, r"arrangement\.picture needs features over time"),
        ({"standardize": {"kind": "per_clip", "over": "time"}}, "pooled over time"),
        ({"layout": {"shape": (3, 2)}}, "shape is 3 x 2, and the features have the shape 3"),
    ],
)
def test_step_that_does_not_fit_pooled_features_is_refused(steps: dict[str, object], message: str) -> None:
    with pytest.raises(SpecInvalid, match=message):
        arrange(FRAMES[0], **steps)


@pytest.mark.parametrize(("height", "width"), [(64, 48), (24, 100)])
@pytest.mark.parametrize(
    ("original", "resize"),
    [
        ("tensorflow_2.21", "bilinear"),
        ("tensorflow_2.21", "nearest"),
        ("pillow_11.3", "pil_bilinear"),
        ("pillow_11.3", "nearest"),
    ],
)
def test_picture_is_resized_as_the_original_does(original: str, resize: str, height: int, width: int) -> None:
    picture = {"height": height, "width": width, "channels": 1, "resize": resize}
    arranged = arrange(make_image(90, 40), picture=picture)
    assert arranged.shape == (height, width, 1)
    with load(original) as golden:
        np.testing.assert_allclose(arranged[::3, ::3, 0], golden[f"{resize} {height} {width}"], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(64, 48), (24, 100)])
@pytest.mark.parametrize("resize", ["pil_bilinear", "nearest"])
def test_bytes_are_those_of_pillow(resize: str, height: int, width: int) -> None:
    picture = {"height": height, "width": width, "channels": 1, "resize": resize, "round_to_8_bit": True, "scale": 255}
    with load("pillow_11.3") as golden:
        np.testing.assert_array_equal(
            arrange(make_image(90, 40), picture=picture)[:, :, 0].round(4), golden[f"{resize} bytes {height} {width}"]
        )


@pytest.mark.parametrize("colors", ["viridis", "magma", "jet"])
def test_colors_are_those_of_matplotlib(colors: str) -> None:
    picture = {"height": 20, "width": 30, "colors": colors, "resize": "nearest"}
    with load("matplotlib_3.11") as golden:
        ramp = arrange(np.arange(256)[:, None], picture=picture | {"height": 1, "width": 256})
        np.testing.assert_allclose(ramp[0], golden[colors], rtol=0, atol=1e-6)
        np.testing.assert_allclose(
            arrange(make_image(30, 20), picture=picture), golden[f"picture {colors}"], rtol=0, atol=1e-6
        )
        in_bytes = arrange(make_image(30, 20), picture=picture | {"round_to_8_bit": True, "scale": 255})
        np.testing.assert_array_equal(in_bytes.round(4), golden[f"bytes {colors}"])


def test_picture_has_the_channels_and_the_direction_of_the_spec() -> None:
    picture = {"height": 3, "width": 2, "resize": "nearest", "scale": 8}
    drawn = arrange(FRAMES, picture=picture)
    assert drawn.shape == (3, 2, 3)
    np.testing.assert_array_equal(drawn[:, :, 0], [[2, 8], [1, 4], [0, 3]])
    np.testing.assert_array_equal(drawn[:, :, 2], drawn[:, :, 0])
    upright = arrange(FRAMES, picture=picture | {"low_at_bottom": False, "channels_first": True})
    np.testing.assert_array_equal(upright, np.repeat(drawn[::-1].transpose(2, 0, 1)[:1], 3, axis=0))
    np.testing.assert_array_equal(arrange(np.ones((2, 3)), picture=picture), np.zeros((3, 2, 3)))


def test_colors_need_three_channels() -> None:
    with pytest.raises(ValidationError, match="jet need 3 channels"):
        Picture.model_validate({"height": 2, "width": 2, "channels": 1, "colors": "jet"})
