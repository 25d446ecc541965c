"""The page that promises every error has every error."""

import inspect
from pathlib import Path

from understudy import errors
from understudy.errors import UnderstudyError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "troubleshooting.md"


def test_every_error_that_is_raised_has_its_line() -> None:
    known = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, UnderstudyError)]
    page = PAGE.read_text(encoding="utf-8")
    assert [error.code for error in known if not error.__subclasses__() and f"`{error.code}`" not in page] == []
