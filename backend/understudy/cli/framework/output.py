"""Prints a command's answer on standard output, and everything else on standard error."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.text import Text

from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    from rich.progress import Progress

_PIPE_WIDTH = 140


def _build_console(*, stderr: bool) -> Console:
    """Return a console that prints text from rows and files unchanged: no markup, no emoji codes, no highlighting."""
    stream = sys.stderr if stderr else sys.stdout
    if stream is None:  # it was closed when the process started
        stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # as long as the process
    width = None if stream.isatty() else _PIPE_WIDTH
    kind = _ErrorConsole if stderr else Console
    return kind(file=stream, width=width, markup=False, emoji=False, highlight=False)


class _ErrorConsole(Console):
    """Prints what the system takes: what a command does must not depend on its remarks."""

    def print(self, *objects: Any, **options: Any) -> None:
        with suppress(OSError, ValueError, SystemExit):  # rich exits where the reader has ended
            super().print(*objects, **options)


def strip_controls(text: str) -> str:
    """Return `text` with U+FFFD in place of characters that could control a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else "\ufffd" for character in text)


class Output:
    """Prints tables for people or, with `as_json`, one JSON document for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = _build_console(stderr=False)
        self._err = _build_console(stderr=True)

    def print_answer(self, value: BaseModel | dict[str, object] | list[object], *views: RenderableType) -> None:
        """Print the result of the command: `value` with `as_json`, else `views`."""
        if not self.as_json:
            self._out.print(*views, sep="\n")
        elif isinstance(value, BaseModel):
            self._write(value.model_dump_json(indent=2))
        else:
            self._write(json.dumps(value, indent=2, ensure_ascii=False))

    def print_line(self, value: dict[str, object]) -> None:
        """Print a document on one line while the command goes on. Without `as_json`, print nothing."""
        if self.as_json:
            self._write(json.dumps(value, ensure_ascii=False))

    def print_text(self, *views: RenderableType) -> None:
        """Print to standard output while the command goes on. With `as_json`, print nothing."""
        if not self.as_json:
            self._out.print(*views, sep="\n", soft_wrap=True)

    def print_note(self, text: str) -> None:
        """Print a remark to standard error. With `as_json`, print nothing."""
        if not self.as_json:
            self._err.print(strip_controls(text), style="dim", soft_wrap=True)

    def print_problem(self, error: UnderstudyError) -> None:
        """Print detail and remedy to standard error or, with `as_json`, the problem document to standard output."""
        notes: list[str] = getattr(error, "__notes__", [])
        if self.as_json:
            self._write(json.dumps(error.problem() | ({"notes": notes} if notes else {}), indent=2, ensure_ascii=False))
            return
        self._err.print(
            Text(f"{error.title}: ", "bold red").append(strip_controls(error.detail), "default"), soft_wrap=True
        )
        for line in (*notes, error.remedy):
            self._err.print(strip_controls(line), soft_wrap=True)

    @contextmanager
    def show_progress(self) -> Iterator["Progress"]:
        """Show progress bars on standard error while the block runs, if standard error is a terminal."""
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        visible = self._err.is_terminal and not self.as_json
        with Progress(*columns, console=self._err, transient=True, disable=not visible) as progress:
            yield progress

    @staticmethod
    def _write(document: str) -> None:
        if sys.stdout is not None:  # else it was closed when the process started
            sys.stdout.write(document + "\n")
            sys.stdout.flush()
