"""Every container with every fault: all sound that can be decoded is answered, and every loss is named.

The duration, rate, channels and level of a damaged file are compared with those of the undamaged sound. docs/audio.md
shows the outcome; `python -m scripts.recordings.tables` writes it.
"""

import pytest

from scripts.recordings.tables import PAGE, TABLES, mark


@pytest.mark.parametrize("name", ["faults", "lengths"])
def test_the_documentation_shows_what_becomes_of_every_damaged_file(name: str) -> None:
    table = mark(name, TABLES[name]())
    assert table in PAGE.read_text(encoding="utf-8"), f"{PAGE.name} should hold this table:\n{table}"
