"""Recordings that Debian's ffmpeg and sox make are decoded as these programs decode them, or refused by name."""

import pytest

from scripts.recordings.oracle import (
    Outcome,
    check_table,
    compare_damaged,
    compare_formats,
    find_missing,
    tabulate_formats,
)
from scripts.recordings.tables import PAGE

pytestmark = pytest.mark.skipif(bool(find_missing()), reason=f"not installed: {', '.join(find_missing())}")


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return compare_formats()


def test_every_format_is_decoded_as_ffmpeg_and_sox_decode_it_or_refused_by_name(outcomes: list[Outcome]) -> None:
    assert [outcome for outcome in outcomes if outcome.faulty] == []


def test_the_documentation_lists_the_formats_that_are_decoded_and_refused(outcomes: list[Outcome]) -> None:
    assert check_table(outcomes, PAGE.read_text(encoding="utf-8")) == [], tabulate_formats(outcomes)


def test_no_sound_is_lost_without_a_word_that_ffmpeg_finds_in_a_damaged_file() -> None:
    faults = ("cut to 70 %", "2000 bytes missing", "twice")
    assert [outcome for outcome in compare_damaged(faults) if outcome.faulty] == []
