"""Mutated recordings: no crash, no block, no memory growth, no number that is not finite, no words of a library."""

import sys
from pathlib import Path

import pytest

from scripts.recordings import fuzz as fuzzer
from scripts.recordings.fuzz import FuzzReport, fuzz, make_seeds, mutate
from scripts.recordings.reading import find_library_words, read_recording


def test_a_few_hundred_mutated_recordings_keep_every_promise() -> None:
    """The long form: python -m scripts.recordings.fuzz --count 20000."""
    report = fuzz(300, seed=13)
    assert report.faults == [], report.describe()
    assert report.answered + report.refused == 300
    assert report.answered > 100


def test_a_mutated_recording_depends_on_its_seed_and_number_alone() -> None:
    bodies = [bytes(range(256)) * 20, b"fLaC" * 900]
    made = [mutate(bodies, 3, index) for index in range(50)]
    assert made == [mutate(bodies, 3, index) for index in range(50)]
    assert made != [mutate(bodies, 4, index) for index in range(50)]


CHILD = """
import os, sys
sys.path[:0] = [{root!r}, {root!r} + "/backend"]
from scripts.recordings import fuzz

def read(body):
    match body[0]:
        case 1:
            os._exit(7)
        case 3:
            while True:
                pass
        case 5:
            return True, "numbers that are not finite"
    return True, None

fuzz.make_seeds = list
fuzz.mutate = lambda bodies, seed, index: bytes([index])
fuzz._read = read
sys.exit(fuzz.main())
"""


def test_each_fault_is_reported_with_its_number_and_the_rest_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = tmp_path / "child.py"
    child.write_text(CHILD.format(root=str(fuzzer.ROOT)))
    monkeypatch.setattr(fuzzer, "COMMAND", [sys.executable, str(child)])
    monkeypatch.setattr(fuzzer, "MOST_SECONDS", 0.2)
    monkeypatch.setattr(fuzzer, "MOST_GROWTH", -1)
    report = fuzz(7, seed=1)
    assert report.faults == [
        "recording 1 ends the process with 7",
        "recording 3 blocks the decoder",
        "recording 5: numbers that are not finite",
        f"memory grew by {report.growth_bytes} bytes",
    ]
    assert report.answered == 5


def test_a_report_names_its_figures() -> None:
    report = FuzzReport(2, seed=9)
    report.add(0, answered=True, seconds=0.5, growth=3 << 20, needed=1 << 20, fault=None)
    report.add(1, answered=False, seconds=0.1, growth=0, needed=5 << 20, fault="MemoryError: x")
    assert report.describe() == (
        "2 mutated recordings with the seed 9: 1 answered, 1 refused, 1 faults; slowest 0.50 s, one needed up to "
        "5.0 MiB, memory grew by 3.0 MiB."
        "\nrecording 1: MemoryError: x"
    )


@pytest.mark.parametrize("number", [1076, 1311, 2756, 3457, 3785, 10079, 12931, 16203])
def test_recordings_that_ended_in_an_error_of_the_program_no_longer_do(bodies: list[bytes], number: int) -> None:
    decoded = read_recording(mutate(bodies, 1, number))
    assert find_library_words(decoded) == []


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    return make_seeds()
