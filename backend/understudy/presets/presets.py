"""List and read the presets.

A preset is a JSON file {"description": …, "spec": {…}}. Its spec names the way from the recording to the model's input,
and not the model's labels: `input` or `front_end`, `sample_rate` (Hz or "file"), `sound`, `pooling`, `arrangement`,
`window_seconds` (null: the whole clip), `hop_seconds`, `aggregation`, `tail`.
"""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from understudy.errors import SpecInvalid


@dataclass(frozen=True)
class Preset:
    """A preset's name and what it does."""

    name: str
    description: str


def list_presets() -> list[Preset]:
    """Return all presets in the order of their names."""
    return [Preset(name, _load(name)["description"]) for name in _list_names()]


def read_preset(name: str) -> dict[str, Any]:
    """Return the spec of a preset, a new object of plain JSON values.

    Raises SpecInvalid with all names, and the nearest one, when there is no preset of this name.
    """
    names = _list_names()
    if name not in names:
        nearest = get_close_matches(name, names, n=1, cutoff=0.5)
        raise SpecInvalid(
            f"There is no preset {name!r}." + (f" The nearest name is {nearest[0]!r}." if nearest else ""),
            remedy=f"Use one of these presets: {', '.join(names)}.",
        )
    spec: dict[str, Any] = _load(name)["spec"]
    return spec


@cache
def _list_names() -> tuple[str, ...]:
    suffix = ".json"
    names = sorted(
        file.name.removesuffix(suffix) for file in files(__package__).iterdir() if file.name.endswith(suffix)
    )
    return tuple(names)


@cache
def _read_text(name: str) -> str:
    """Return a preset's file, which is read once: every stored spec that names a preset is parsed anew."""
    return files(__package__).joinpath(f"{name}.json").read_text("utf-8")


def _load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_read_text(name))
    return content
