"""The lists of files in CONTRIBUTING.md name files that exist."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
PAGE = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FIRST_CELLS = re.findall(r"^\| (`(?:backend|frontend|docs)/[^|]*) \|", PAGE, re.MULTILINE)
PATHS = sorted({path for cell in FIRST_CELLS for path in re.findall(r"`([\w./-]+/[\w./-]*)`", cell)})


def test_each_addition_has_a_list() -> None:
    assert re.findall(r"^## Add (.+)$", PAGE, re.MULTILINE) == ["a file format", "an input kind", "an endpoint"]
    assert len(PATHS) > 25


@pytest.mark.parametrize("path", PATHS)
def test_a_listed_file_exists(path: str) -> None:
    known, is_new, _ = path.partition("NAME")
    place = CHECKOUT / known
    assert (place if not is_new or known.endswith("/") else place.parent).exists()
