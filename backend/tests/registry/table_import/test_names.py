from hypothesis import given
from hypothesis import strategies as st

from understudy.registry.table_import.names import Named, choose_names


def test_a_name_of_one_row_stays() -> None:
    assert choose_names([Named("one", "v1", "1"), Named("two", "v1", "2")], ()) == ["one", "two"]


def test_rows_that_share_a_name_are_told_apart_by_their_versions() -> None:
    rows = [Named("yamnet", "v1", "1"), Named("yamnet", "v2", "2"), Named("other", None, "3")]
    assert choose_names(rows, ()) == ["yamnet v1", "yamnet v2", "other"]


def test_the_key_follows_where_the_version_does_not_tell_them_apart() -> None:
    rows = [
        Named("yamnet", None, "1"),
        Named("yamnet", None, "2"),
        Named("yamnet", "v1", "3"),
        Named("yamnet", "v1", "4"),
    ]
    assert choose_names(rows, ()) == ["yamnet (1)", "yamnet (2)", "yamnet v1", "yamnet v1 (4)"]


def test_a_sole_name_wins_over_one_that_was_made() -> None:
    rows = [Named("yamnet", "v1", "1"), Named("yamnet", "v2", "2"), Named("yamnet v1", None, "3")]
    assert choose_names(rows, ()) == ["yamnet v1 (1)", "yamnet v2", "yamnet v1"]


def test_a_name_that_a_registered_model_has_is_taken() -> None:
    assert choose_names([Named("one", "v2", "1"), Named("two", None, "2")], {"one", "two"}) == ["one v2", "two (2)"]


def test_a_row_that_was_imported_before_counts_and_gets_no_name() -> None:
    rows = [Named("yamnet", "v1", "1", waits=False), Named("yamnet", "v2", "2")]
    assert choose_names(rows, {"yamnet"}) == [None, "yamnet v2"]


_WORDS = st.sampled_from(["a", "a v1", "a v1 (1)", "a (1)", "b"])


@given(st.lists(st.tuples(_WORDS, st.sampled_from([None, "", "v1", "v2"]))), st.sets(_WORDS))
def test_names_are_unique_and_do_not_depend_on_chance(rows: list[tuple[str, str | None]], taken: set[str]) -> None:
    named = [Named(name, version, str(number)) for number, (name, version) in enumerate(rows)]
    chosen = choose_names(named, taken)
    assert len({*chosen, *taken}) == len(chosen) + len(taken)
    assert choose_names(named, sorted(taken)) == chosen
