"""A spec is completed from the user's entries, the file's metadata and the model's signature."""

import pytest
from pydantic import ValidationError

from understudy.compiler.spec_resolution import choose_score_output, list_spec_notes, resolve
from understudy.errors import FIND_SPEC, SpecInvalid
from understudy.presets.presets import list_presets
from understudy.schemas.compiler.assumptions import describe_assumptions
from understudy.schemas.compiler.likely_rates import suggest_rates
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.spec import (
    Aggregation,
    Assumption,
    InputKind,
    OutputActivation,
    PartialSpec,
    Spec,
)
from understudy.schemas.front_end.pooling import Pooling, Statistic
from understudy.yamnet.class_map import read_class_names

Shape = tuple[int | None, ...]


def signature(shape: Shape, dtype: str = "float32") -> TensorSignature:
    return TensorSignature(name="x", dtype=dtype, shape=shape)


def resolve_shape(
    shape: Shape,
    given: PartialSpec | None = None,
    *,
    output: Shape = (None, 3),
    read: PartialSpec | None = None,
    ends_with: OutputActivation = OutputActivation.NONE,
    dtype: str = "float32",
) -> Spec:
    return resolve(
        given or PartialSpec(), read or PartialSpec(), [signature(shape, dtype)], [signature(output)], ends_with
    )


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((None, 1024), InputKind.EMBEDDING),
        ((1, 1024), InputKind.EMBEDDING),
        ((None, 521), InputKind.SCORES),
        ((None, 96, 64), InputKind.LOG_MEL_PATCH),
        ((None, 96, 64, 1), InputKind.LOG_MEL_PATCH),
        ((None,), InputKind.WAVEFORM),
        ((None, None), InputKind.WAVEFORM),
        ((None, None, 1), InputKind.WAVEFORM),
        ((None, 16_000), InputKind.WAVEFORM),
        ((15_600,), InputKind.WAVEFORM),
        ((None, 16_000, 1), InputKind.WAVEFORM),
        ((None, 128), InputKind.TENSOR),
        ((None, None, 64), InputKind.TENSOR),
        ((None, 224, 224, 3), InputKind.TENSOR),
    ],
)
def test_the_input_kind_follows_from_the_shape(shape: Shape, kind: InputKind) -> None:
    assert resolve_shape(shape).input is kind


@pytest.mark.parametrize(
    ("fmax", "rate", "noted"),
    [(12_000, 22_050, True), (11_025, 22_050, False), (None, 22_050, False), (9, "file", False)],
)
def test_bands_above_half_the_sample_rate_are_noted(fmax: float | None, rate: int | str, noted: bool) -> None:
    part = {"kind": "mfcc", "n_mfcc": 13, "mel": {"fmax": fmax}}
    given = PartialSpec.model_validate({"front_end": [part], "sample_rate": rate, "pooling": "mean"})
    notes = list(list_spec_notes(resolve_shape((None, 13), given)))
    assert len(notes) == noted
    assert all("front_end[0].mel.fmax is 12000 Hz, above half the sample rate (11025 Hz)" in note for note in notes)


def test_integers_several_inputs_and_outputs_without_scores_make_a_tensor_model() -> None:
    assert resolve_shape((None, 1024), dtype="int32").input is InputKind.TENSOR
    two = resolve(
        PartialSpec(), PartialSpec(), [signature((None, 1024))] * 2, [signature((None, 3))], OutputActivation.NONE
    )
    assert two.input is InputKind.TENSOR
    assert two.labels == ("class_0", "class_1", "class_2")
    image = resolve_shape((None, 96, 64), output=(None, 96, 64))
    assert (image.input, image.labels, image.labels_named) == (InputKind.TENSOR, (), False)


def test_a_fixed_waveform_gives_windows_that_overlap_by_half_and_a_varying_one_takes_the_whole_clip() -> None:
    fixed = resolve_shape((None, 8000), PartialSpec(sample_rate=8000))
    assert (fixed.sample_rate, fixed.window_seconds, fixed.hop_seconds) == (8000, 1.0, 0.5)
    whole = resolve_shape((None, None, 1))
    assert (whole.window_seconds, whole.hop_seconds) == (None, None)
    cut = resolve_shape((None, None, 1), PartialSpec(window_seconds=2.0))
    assert (cut.window_seconds, cut.hop_seconds) == (2.0, 1.0)


def test_yamnet_inputs_have_yamnets_windows() -> None:
    spec = resolve_shape((None, 96, 64))
    assert (spec.sample_rate, spec.window_seconds, spec.hop_seconds) == (16_000, 0.96, 0.48)


@pytest.mark.parametrize(
    ("shape", "given", "detail"),
    [
        ((None, 1024), PartialSpec(input=InputKind.SCORES), "takes x"),
        ((None, 1024), PartialSpec(input=InputKind.LOG_MEL_PATCH), "takes x"),
        ((None, 1024), PartialSpec(sample_rate=44_100), "16000 Hz"),
        ((None, 1024), PartialSpec(window_seconds=1.0), "0.96 s"),
        ((None, 16_000), PartialSpec(window_seconds=2.0), "32000 samples"),
        ((None, 1024), PartialSpec(labels=("a", "b")), "2 labels are given, but the model returns 3"),
        ((None, 1024), PartialSpec(thresholds={"dog": 0.5}), "dog"),
    ],
)
def test_a_spec_that_contradicts_the_model_is_refused(shape: Shape, given: PartialSpec, detail: str) -> None:
    with pytest.raises(SpecInvalid, match=detail):
        resolve_shape(shape, given)


def test_an_audio_input_for_a_model_without_scores_is_refused() -> None:
    with pytest.raises(SpecInvalid, match="not one score for each label"):
        resolve_shape((None, 96, 64), PartialSpec(input=InputKind.LOG_MEL_PATCH), output=(None, 4, 4, 3))


def test_labels_come_from_the_user_then_the_file_then_numbers() -> None:
    read = PartialSpec(labels=("dog", "rain", "siren"))
    mine = PartialSpec(labels=("a", "b", "c"))
    assert resolve_shape((None, 1024), mine, read=read).labels == ("a", "b", "c")
    named = resolve_shape((None, 1024), read=read)
    assert (named.labels, named.labels_named) == (("dog", "rain", "siren"), True)
    bare = resolve_shape((None, 1024))
    assert (bare.labels, bare.labels_named) == (("class_0", "class_1", "class_2"), False)


def test_yamnet_itself_gets_the_names_of_audioset() -> None:
    spec = resolve_shape((None,), output=(None, 521))
    assert spec.labels == read_class_names()
    assert spec.labels_named
    assert spec.labels[0] == "Speech"
    assert len(set(spec.labels)) == 521
    assert resolve_shape((None,), output=(None, 520)).labels[0] == "class_0"


def test_the_graphs_activation_wins_and_a_contradiction_is_refused() -> None:
    assert resolve_shape((None, 1024), ends_with=OutputActivation.SOFTMAX).activation is OutputActivation.SOFTMAX
    assert (
        resolve_shape((None, 1024), PartialSpec(activation=OutputActivation.SIGMOID)).activation
        is OutputActivation.SIGMOID
    )
    assert resolve_shape((None, 1024)).activation is OutputActivation.NONE
    nothing_more = resolve_shape(
        (None, 1024), PartialSpec(activation=OutputActivation.NONE), ends_with=OutputActivation.SOFTMAX
    )
    assert nothing_more.activation is OutputActivation.SOFTMAX
    with pytest.raises(SpecInvalid, match="itself ends with 'softmax'"):
        resolve_shape(
            (None, 1024), PartialSpec(activation=OutputActivation.SIGMOID), ends_with=OutputActivation.SOFTMAX
        )


def test_aggregation_and_thresholds_of_the_user_are_kept() -> None:
    given = PartialSpec(aggregation=Aggregation.TOP_K_MEAN, top_k=5, thresholds={"class_1": 0.4}, hop_seconds=0.96)
    spec = resolve_shape((None, 1024), given)
    assert (spec.aggregation, spec.top_k, spec.thresholds) == (Aggregation.TOP_K_MEAN, 5, {"class_1": 0.4})
    assert spec.hop_seconds == 0.96


@pytest.mark.parametrize(
    ("shapes", "labels", "chosen"),
    [
        ([(None, 1024), (None, 3)], ("a", "b", "c"), 1),
        ([(None, 3), (None, 1024)], ("a", "b", "c"), 0),
        ([(None, 1024), (None, 521)], None, 0),
        ([(None, 1024), (None, 521)], ("a", "b"), 0),
    ],
)
def test_of_several_outputs_the_one_as_wide_as_the_labels_holds_the_scores(
    shapes: list[Shape], labels: tuple[str, ...] | None, chosen: int
) -> None:
    assert choose_score_output([signature(shape) for shape in shapes], labels) == chosen


def test_a_lone_waveform_or_yamnet_part_is_another_name_of_an_input() -> None:
    given = PartialSpec.model_validate({"front_end": [{"kind": "yamnet", "output": "embedding"}], "pooling": "mean"})
    assert (given.input, given.front_end) == (InputKind.EMBEDDING, None)
    assert PartialSpec.model_validate({"front_end": [{"kind": "waveform"}]}).input is InputKind.WAVEFORM
    assert PartialSpec.model_validate({"front_end": [{"kind": "mfcc"}]}).input is InputKind.FEATURES
    with pytest.raises(ValidationError, match="leave `input` out"):
        PartialSpec.model_validate({"front_end": [{"kind": "mfcc"}], "input": "waveform"})


def test_a_stronger_input_replaces_a_weaker_front_end() -> None:
    weaker = PartialSpec.model_validate({"front_end": [{"kind": "mfcc"}], "sample_rate": 22_050})
    merged = PartialSpec(input=InputKind.EMBEDDING).over(weaker)
    assert (merged.input, merged.front_end, merged.sample_rate) == (InputKind.EMBEDDING, None, 22_050)
    assert PartialSpec().over(weaker) == weaker


def test_pooled_embeddings_take_the_whole_clip_or_blocks_that_follow_one_another() -> None:
    whole = resolve_shape((None, 1024), PartialSpec(pooling=Pooling(statistics=(Statistic.MEAN,))))
    assert (whole.window_seconds, whole.hop_seconds, whole.assumptions) == (None, None, ())
    both = Pooling(statistics=(Statistic.MEAN, Statistic.STD))
    blocks = resolve_shape((None, 2048), PartialSpec(input=InputKind.EMBEDDING, pooling=both, window_seconds=4.0))
    assert (blocks.window_seconds, blocks.hop_seconds) == (4.0, 4.0)
    with pytest.raises(SpecInvalid, match=r"items of \[2048\], and the model's input x takes \[1024\]"):
        resolve_shape((None, 1024), PartialSpec(pooling=both))


@pytest.mark.parametrize(
    ("shape", "given", "assumed"),
    [
        ((None, 1024), {}, (Assumption.POOLING,)),
        ((None, 1024), {"pooling": "none"}, ()),
        ((None, 16_000), {}, (Assumption.SAMPLE_RATE,)),
        ((None, 16_000), {"sample_rate": 16_000}, ()),
        ((None, 96, 64), {}, ()),
    ],
)
def test_what_no_source_states_is_recorded(
    shape: Shape, given: dict[str, object], assumed: tuple[Assumption, ...]
) -> None:
    spec = resolve_shape(shape, PartialSpec.model_validate(given))
    assert spec.assumptions == assumed
    assert len(list(describe_assumptions(spec))) == len(assumed)
    assert spec.pooling is None


@pytest.mark.parametrize(
    ("shape", "given", "words"),
    [
        ((None, 40), {"front_end": [{"kind": "mfcc", "n_mfcc": 13}], "pooling": "mean"}, "no `sample_rate`"),
        ((None, 40), {"input": "waveform"}, "40 values, 2.5 ms of sound at 16000 Hz"),
        ((None, 1599), {"input": "waveform"}, "1599 values, 99.9 ms of sound"),
        ((None, 16_000), {"input": "waveform", "sample_rate": "file"}, "cannot keep the recording's own sample rate"),
        (
            (None, 40),
            {"front_end": [{"kind": "mfcc", "n_mfcc": 40}], "sample_rate": 22_050},
            r"items of \[\?, 40\], and the model's input x takes \[40\]",
        ),
        (
            (None, 40),
            {"front_end": [{"kind": "mfcc", "n_mfcc": 13}], "sample_rate": 22_050, "pooling": "mean"},
            r"items of \[13\], and the model's input x takes \[40\]",
        ),
    ],
)
def test_a_spec_that_does_not_fit_the_models_shapes_is_refused(
    shape: Shape, given: dict[str, object], words: str
) -> None:
    with pytest.raises(SpecInvalid, match=words):
        resolve_shape(shape, PartialSpec.model_validate(given))


def test_features_take_the_whole_clip_unless_windows_are_given() -> None:
    mfcc = {"front_end": [{"kind": "mfcc", "n_mfcc": 40}], "sample_rate": 22_050, "pooling": "mean"}
    whole = resolve_shape((None, 40), PartialSpec.model_validate(mfcc))
    assert (whole.input, whole.window_seconds) == (InputKind.FEATURES, None)
    blocks = resolve_shape((None, 40), PartialSpec.model_validate(mfcc | {"window_seconds": 3.0}))
    assert (blocks.window_seconds, blocks.hop_seconds) == (3.0, 3.0)


def test_one_sigmoid_output_has_a_negative_and_a_positive_label() -> None:
    def resolve_one(given: PartialSpec, ends_with: OutputActivation = OutputActivation.SIGMOID) -> Spec:
        return resolve_shape((None, 1024), given, output=(None, 1), ends_with=ends_with)

    named = resolve_one(PartialSpec(labels=("calm", "scream")))
    assert (named.labels, named.otherwise, named.thresholds) == (("calm", "scream"), "calm", {"scream": 0.5})
    own = resolve_one(PartialSpec(labels=("calm", "scream"), thresholds={"scream": 0.3}))
    assert own.thresholds == {"scream": 0.3}
    unnamed = resolve_one(PartialSpec())
    assert (unnamed.labels, unnamed.labels_named) == (("negative", "positive"), False)
    with pytest.raises(SpecInvalid, match="decides between two") as caught:
        resolve_one(PartialSpec(labels=("scream",)))
    assert "--labels no_scream,scream" in caught.value.remedy
    with pytest.raises(SpecInvalid, match="neither its graph nor the spec has a sigmoid"):
        resolve_one(PartialSpec(labels=("calm", "scream")), OutputActivation.NONE)


def test_a_preset_fills_in_what_the_spec_leaves_open() -> None:
    given = PartialSpec.model_validate({"preset": "librosa-mfcc40-mean", "labels": ["a", "b", "c"]})
    assert (given.preset, given.input, given.sample_rate) == ("librosa-mfcc40-mean", InputKind.FEATURES, 22_050)
    assert resolve_shape((None, 40), given).pooling == Pooling(statistics=(Statistic.MEAN,))
    assert PartialSpec.model_validate({"preset": "librosa-mfcc40-mean", "sample_rate": 16_000}).sample_rate == 16_000
    with pytest.raises(SpecInvalid, match="nearest name is 'librosa-mfcc40-mean'"):
        PartialSpec.model_validate({"preset": "librosa-mfcc-40-mean"})


@pytest.mark.parametrize("name", [preset.name for preset in list_presets()])
def test_every_preset_is_a_spec(name: str) -> None:
    given = PartialSpec.model_validate({"preset": name})
    assert PartialSpec.model_validate(given.to_document()) == given


def test_a_spec_of_before_pooling_could_be_said_is_told_how_to_find_it() -> None:
    old = Spec(input=InputKind.EMBEDDING, labels=("a", "b"), labels_named=True, activation=OutputActivation.SOFTMAX)
    [sentence] = describe_assumptions(old)
    assert "`pooling`" in sentence
    assert FIND_SPEC in sentence


@pytest.mark.parametrize(
    ("samples", "rates"),
    [
        (144_000, (48_000,)),
        (44_032, (44_100,)),
        (15_600, (16_000,)),
        (16_000, (32_000, 16_000, 8_000)),
        (160_000, (32_000, 16_000)),
        (12_345, ()),
    ],
)
def test_likely_sample_rates_follow_from_the_shape(samples: int, rates: tuple[int, ...]) -> None:
    assert suggest_rates(samples) == rates


def test_an_assumed_sample_rate_is_named_with_the_likely_one() -> None:
    [sentence] = describe_assumptions(resolve_shape((None, 144_000), PartialSpec()))
    assert "16000 Hz is assumed" in sentence
    assert "144000 samples: 48000 Hz (3 s)" in sentence
