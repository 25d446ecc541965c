"""Remembers which sources were refused, so that the same source is not compiled again and again."""

import hashlib
import importlib.metadata
import json
import platform
import time
import uuid
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from understudy import errors
from understudy.compiler.isolation.child_protocol import ChildRefusal
from understudy.compiler.packages import list_versions
from understudy.settings import Settings

# Refusals that depend on the source, its spec, the installed packages and the limits, and on nothing else; and the end
# of the child by another process, which is remembered for some minutes after the third time.
REMEMBERED = (
    errors.FormatUnknown,
    errors.ModelUnsafe,
    errors.CompileFailed,
    errors.ParityFailed,
    errors.SpecInvalid,
    errors.CompilationEnded,
)
# How often the child may be ended by another process, such as the kernel when memory is short, before it is left alone
# for a while.
_MOST_ENDED = 3
_PASSING_SECONDS = 600.0
_RETRY = "This refusal is remembered; to try again all the same: understudy compile MODEL_ID."


class _Refusal(BaseModel):
    model_config = ConfigDict(frozen=True)

    conditions: str
    until: float | None = None  # seconds since 1970
    ended: int = 0
    refusal: ChildRefusal


class RefusalStore:
    """One small file for each refused key of the compiled store. Its methods block on the disk.

    A refusal counts only under the conditions that it was made under: another program, package or limit may accept the
    same source.
    """

    def __init__(self, settings: Settings, *, read_only: bool = False) -> None:
        self._root = settings.var_dir / "refusals"
        self._read_only = read_only
        self._conditions = _describe_conditions(settings)

    def find(self, key: str) -> errors.UnderstudyError | None:
        """Return the remembered refusal, or None."""
        found = self._read(key)
        if (
            found is None
            or found.conditions != self._conditions
            or (found.until is not None and found.until < time.time())
        ):
            return None
        if found.ended:
            return errors.CompilationEnded(found.refusal.detail)
        error = found.refusal.to_error()
        return type(error)(error.detail, remedy=f"{error.remedy} {_RETRY}")

    def remember(self, key: str, error: errors.UnderstudyError) -> None:
        """Remember why a source was refused. Where the disk refuses, it is compiled again the next time."""
        if self._read_only or not isinstance(error, REMEMBERED):
            return
        ended, until = 0, None
        if isinstance(error, errors.CompilationEnded):
            before = self._read(key)
            ended = 1 + (before.ended if before is not None else 0)
            until = time.time() + (_PASSING_SECONDS if ended % _MOST_ENDED == 0 else 0)
        refusal = _Refusal(
            conditions=self._conditions, until=until, ended=ended, refusal=ChildRefusal.from_error(error)
        )
        document = refusal.model_dump_json()
        temporary = self._root / f".new-{uuid.uuid4().hex}"
        with suppress(OSError):
            try:
                self._root.mkdir(parents=True, exist_ok=True)
                temporary.write_text(document, encoding="utf-8")
                temporary.replace(self._locate(key))
            finally:
                temporary.unlink(missing_ok=True)

    def forget(self, key: str) -> None:
        """Have the source compiled again."""
        if not self._read_only:
            with suppress(OSError):
                self._locate(key).unlink(missing_ok=True)

    def _read(self, key: str) -> _Refusal | None:
        try:
            return _Refusal.model_validate_json(self._locate(key).read_bytes())
        except (OSError, ValidationError):
            return None

    def _locate(self, key: str) -> Path:
        return self._root / f"{key}.json"


def _find_version() -> str:
    try:
        return importlib.metadata.version("understudy")
    except importlib.metadata.PackageNotFoundError:  # a checkout that is not installed
        return ""


def _describe_conditions(settings: Settings) -> str:
    """Return a digest over everything beside source and spec that decides whether a source is refused."""
    limits = {name: value for name, value in settings.model_dump(mode="json").items() if name.startswith("compile_")}
    parts = [_find_version(), platform.python_version(), list_versions(), limits]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:40]
