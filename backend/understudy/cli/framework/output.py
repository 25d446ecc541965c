"""Where a command writes: its answer on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.text import Text

from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    from rich.progress import Progress

_PIPE_WIDTH = 140


def _build_console(*, stderr: bool) -> Console:
    """Text from rows and files is shown as it is: no markup, no emoji codes, no highlighting."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def strip_controls(text: str) -> str:
    """`text` without characters that could steer a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else "\ufffd" for character in text)


class Output:
    """Tables for people or, with `as_json`, one JSON document for machines."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = _build_console(stderr=False)
        self._err = _build_console(stderr=True)

    def print_answer(self, value: BaseModel | dict[str, object] | list[object], *shown: RenderableType) -> None:
        """The command's result: `value` as JSON, or `shown`."""
        if not self.as_json:
            self._out.print(*shown, sep="\n")
        elif isinstance(value, BaseModel):
            self._write(value.model_dump_json(indent=2))
        else:
            self._write(json.dumps(value, indent=2, ensure_ascii=False))

    def print_line(self, value: dict[str, object]) -> None:
        """A document on one line, for whoever reads while the command goes on; nothing without `as_json`."""
        if self.as_json:
            self._write(json.dumps(value, ensure_ascii=False))

    def print_text(self, *shown: RenderableType) -> None:
        """For a person who watches; nothing in JSON mode."""
        if not self.as_json:
            self._out.print(*shown, sep="\n", soft_wrap=True)

    def print_note(self, text: str) -> None:
        """Beside the answer, on standard error."""
        if not self.as_json:
            self._err.print(strip_controls(text), style="dim", soft_wrap=True)

    def print_problem(self, error: UnderstudyError) -> None:
        """Detail and remedy on standard error, or the problem document on standard output."""
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
        """Bars on standard error while the block runs; invisible unless a person watches."""
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        visible = self._err.is_terminal and not self.as_json
        with Progress(*columns, console=self._err, transient=True, disable=not visible) as progress:
            yield progress

    @staticmethod
    def _write(document: str) -> None:
        sys.stdout.write(document + "\n")
        sys.stdout.flush()
