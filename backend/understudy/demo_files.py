"""Finds the files of the demo: in a wheel they lie inside the package, in a checkout in backend/demo/."""

from pathlib import Path

_IN_WHEEL = Path(__file__).with_name("demo")
_IN_CHECKOUT = Path(__file__).resolve().parents[1] / "demo"

DEMO_FOLDER = _IN_WHEEL if _IN_WHEEL.is_dir() else _IN_CHECKOUT
