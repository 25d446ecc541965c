"""AudioSet's names of YAMNet's classes."""

import csv
from functools import cache
from importlib.resources import files


@cache
def read_class_names() -> tuple[str, ...]:
    """Return the 521 display names in the order of YAMNet's scores, from Google's yamnet_class_map.csv (CC BY 4.0)."""
    text = files("understudy.yamnet").joinpath("yamnet_class_map.csv").read_text(encoding="utf-8")
    return tuple(row["display_name"] for row in csv.DictReader(text.splitlines()))
