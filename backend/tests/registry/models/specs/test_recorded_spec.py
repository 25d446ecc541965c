from understudy.registry.models.specs.recorded_spec import change_given, given_to_json, is_recorded, merge_specs
from understudy.schemas.compiler.spec import PartialSpec

GIVEN = PartialSpec(labels=("a", "b"))
SIDECAR = PartialSpec(labels=("x", "y"), sample_rate=8000)


def test_what_is_given_wins_over_the_sidecar_field_by_field() -> None:
    assert merge_specs(GIVEN, SIDECAR) == PartialSpec(labels=("a", "b"), sample_rate=8000)
    assert merge_specs(None, None) is None


def test_a_sidecar_that_is_gone_keeps_what_it_had_given() -> None:
    recorded = merge_specs(GIVEN, SIDECAR)
    assert merge_specs(GIVEN, None, recorded) == recorded
    assert merge_specs(None, None, SIDECAR) == SIDECAR


def test_a_change_keeps_the_other_fields_and_null_clears_one() -> None:
    changed = change_given(PartialSpec(labels=("a", "b"), top_k=2), PartialSpec(labels=None, sample_rate=8000))
    assert changed == PartialSpec(top_k=2, sample_rate=8000)
    assert given_to_json(changed) == {"labels": None, "top_k": 2, "sample_rate": 8000}


def test_a_cleared_field_is_not_kept_from_the_record() -> None:
    cleared = change_given(GIVEN, PartialSpec(labels=None))
    assert merge_specs(cleared, None, GIVEN) is None
    assert merge_specs(change_given(GIVEN, None), None, GIVEN) is None


def test_a_stored_document_is_compared_by_what_it_says() -> None:
    assert is_recorded({"labels": ["a", "b"], "top_k": None}, GIVEN)
    assert is_recorded(None, PartialSpec())
    assert is_recorded({}, None)
    assert not is_recorded({"labels": ["b", "a"]}, GIVEN)
    assert not is_recorded({"labels": 3}, GIVEN)
