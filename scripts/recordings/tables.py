"""Write the tables of docs/audio.md from what becomes of the recordings.

PYTHONPATH=backend python -m scripts.recordings.tables
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.recordings.damage import tabulate_faults, tabulate_lengths
from scripts.recordings.oracle import compare_formats, find_missing, tabulate_formats

PAGE = Path(__file__).resolve().parents[2] / "docs" / "audio.md"
TABLES: dict[str, Callable[[], str]] = {
    "faults": tabulate_faults,
    "lengths": tabulate_lengths,
    "formats": lambda: tabulate_formats(compare_formats()),
}


def mark(name: str, table: str) -> str:
    """Return a table between the marks by which it is found in the page."""
    return f"<!-- table {name}, by scripts/recordings/tables.py -->\n{table}\n<!-- end of table {name} -->"


def main() -> int:
    """Write all tables; those of the formats need ffmpeg and sox."""
    page = PAGE.read_text(encoding="utf-8")
    for name, tabulate in TABLES.items():
        if name == "formats" and find_missing():
            sys.stderr.write(f"The table of formats stays as it is: {', '.join(find_missing())} is not installed.\n")
            continue
        written = mark(name, tabulate())
        place = re.compile(f"<!-- table {name},.*?<!-- end of table {name} -->", re.DOTALL)
        page, count = place.subn(written.replace("\\", r"\\"), page)
        if count != 1:
            raise ValueError(f"{PAGE} has {count} places for the table {name}")
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
