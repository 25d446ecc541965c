"""Structured logs: readable lines on a terminal, JSON lines otherwise. Logging never raises and never waits long."""

import logging
import os
import select
import sys
import threading
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

# A reader that is only slow gets this time; one that stands still has had it once.
_PATIENCE_MILLISECONDS = 50


class LogStream:
    """Writes lines to a text stream, and drops and counts those that the system does not take.

    The outcome of a request must not depend on its log line: the disk of the log may be full, and the process that
    reads standard error may have ended or stand still.
    """

    def __init__(self, stream: TextIO | None) -> None:
        """`stream` is None in a process without standard error."""
        self.lost = 0
        self._stream = stream
        self._stuck = False
        self._guard = threading.Lock()

    def write(self, text: str) -> None:
        """Write `text`, or count it as lost. Never raises."""
        with self._guard:
            try:
                if not self._write(text):
                    self.lost += 1
            except Exception:  # noqa: BLE001  # whatever it is, the caller's work goes on
                self.lost += 1

    def flush(self) -> None:
        """Do nothing: `write` has written everything."""

    def _write(self, text: str) -> bool:
        """Return whether the stream took the whole text."""
        if self._stream is None:
            return False
        try:
            poll = select.poll()
            poll.register(self._stream.fileno(), select.POLLOUT)
        except (AttributeError, OSError, ValueError):  # Windows, or a stream without a descriptor
            self._stream.write(text)
            self._stream.flush()
            return True
        self._stream.flush()
        content = text.encode(errors="backslashreplace")
        while content:
            ready = poll.poll(0 if self._stuck else _PATIENCE_MILLISECONDS)
            self._stuck = not ready
            if not ready:
                return False
            # A pipe that is ready takes PIPE_BUF bytes at once; a longer text could block the process.
            content = content[os.write(self._stream.fileno(), content[: select.PIPE_BUF]) :]
        return True


_stream = LogStream(sys.stderr)


def count_lost_lines() -> int:
    """Return the number of log lines of this process that could not be written."""
    return _stream.lost


def _render_safely(renderer: structlog.typing.Processor) -> structlog.typing.Processor:
    """Return a processor that renders a line with `renderer`, and a plain line where that fails."""

    def render(logger: Any, method: str, line: MutableMapping[str, Any]) -> Any:
        event = line.get("event")
        try:
            return renderer(logger, method, line)
        except Exception as error:  # noqa: BLE001  # a value of the line cannot be written
            return f"{method}: {event!r} (its values cannot be written: {type(error).__name__})"

    return render


def configure_logs(form: str, level: str) -> None:
    """Configure structlog for this process; every line goes to standard error.

    `form` is `auto`, `human` or `json`, and `level` the lowest that is logged: `debug`, `info`, `warning` or `error`.
    """
    global _stream  # there is one standard error
    terminal = _is_terminal(sys.stderr)
    human = form == "human" or (form == "auto" and terminal)
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=terminal) if human else structlog.processors.JSONRenderer()
    )
    _stream = LogStream(sys.stderr)
    render = _render_safely(renderer)
    prepare: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    # Libraries that log by the standard library must not stop the process either, and write lines of the same form.
    logging.raiseExceptions = False
    logging.lastResort = logging.StreamHandler(cast("TextIO", _stream))
    logging.lastResort.setLevel(logging.WARNING)
    logging.lastResort.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *prepare],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    structlog.configure(
        processors=[*prepare, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _stream)),
        cache_logger_on_first_use=False,
    )


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it was closed
        return False
