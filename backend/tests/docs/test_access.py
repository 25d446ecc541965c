"""docs/access.md shows the tables that the code decides by."""

from pathlib import Path

from understudy.api.access.access_reference import render_matrix, render_routes
from understudy.main import create_app
from understudy.settings import Settings

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "access.md").read_text(encoding="utf-8")


def test_the_matrix_of_the_page_is_the_one_of_the_code() -> None:
    """`PYTHONPATH=backend python scripts/access_tables.py` prints both tables."""
    assert render_matrix() in PAGE


def test_the_page_lists_every_route_with_its_action(settings: Settings) -> None:
    assert render_routes(create_app(settings)) in PAGE
