"""Keeps a log of predictions, off the way of the requests."""

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import structlog

from understudy.errors import DatabaseUnavailable, RequestInvalid, UnderstudyError
from understudy.models import utc_now
from understudy.models.base import to_naive_utc
from understudy.registry.database.column_values import refuse_nul
from understudy.registry.database.database import Database
from understudy.registry.models import prediction_rows
from understudy.registry.models.prediction_rows import PredictionFilter
from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.registry.logged_prediction import LoggedPredictionPage
from understudy.serving.telemetry.counters import Counters
from understudy.settings import Settings

log = structlog.get_logger()

_WRITE_SECONDS = 1.0
_LONGEST_WRITE_SECONDS = 5.0
_CLEAN_SECONDS = 3600.0
_BATCH = 500
# Recordings whose digest is not computed yet: each holds up to a mebibyte of memory, or a file.
_MOST_CLIPS = 256
# From so many on they are not left waiting for the next second.
_MANY_CLIPS = 32
# Entries while the database does not answer.
_MOST_ENTRIES = 20_000
_BLOCK = 1 << 20


@dataclass(frozen=True)
class _Pending:
    row: dict[str, Any]
    clip: BinaryIO


class PredictionLog:
    """Computes digests and writes entries in batches, in the background. What cannot be kept is dropped and counted."""

    def __init__(self, settings: Settings, database: Database, counters: Counters) -> None:
        self.days = settings.prediction_log_days
        self._database = database
        self._counters = counters
        self._clips: deque[_Pending] = deque()
        self._entries: deque[dict[str, Any]] = deque()
        self._cleaned: float | None = None
        self._failing = False
        self._clips_lock, self._save_lock = asyncio.Lock(), asyncio.Lock()
        self._many = asyncio.Event()

    @property
    def is_enabled(self) -> bool:
        return self.days > 0

    @property
    def waiting(self) -> int:
        """The number of predictions that are not written yet."""
        return len(self._clips) + len(self._entries)

    def record(
        self, prediction: Prediction, keep_open: Callable[[], BinaryIO], principal_id: int | None, name: str | None
    ) -> None:
        """Note an answer; never waits and never raises. `keep_open` returns the recording, which stays open for us."""
        if len(self._clips) >= _MOST_CLIPS or self.waiting >= _MOST_ENTRIES:
            self._counters.predictions_not_logged += 1
            return
        try:
            clip = keep_open()
        except (OSError, ValueError):
            self._counters.predictions_not_logged += 1
            return
        model = prediction.model
        row = {
            "at": utc_now(),
            "principal_id": principal_id,
            "principal_name": name,
            "model_id": model.model_id,
            "model_name": model.model_name,
            "version": model.version,
            "digest": model.digest,
            "generation": prediction.generation,
            "label": prediction.label.replace("\x00", ""),  # PostgreSQL's text cannot hold it
            "score": prediction.score,
        }
        self._clips.append(_Pending(row, clip))
        if len(self._clips) >= _MANY_CLIPS:
            self._many.set()

    async def watch(self) -> None:
        """Write what was recorded, and remove what is too old, until the task is cancelled.

        Digests are computed beside the writing: a database that is slow holds no recording open.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_clips())
            tasks.create_task(self._watch_entries())

    async def _watch_clips(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_WRITE_SECONDS):
                    await self._many.wait()
            self._many.clear()
            await asyncio.shield(self._finish_clips())

    async def _watch_entries(self) -> None:
        while True:
            await asyncio.sleep(_WRITE_SECONDS)
            # A batch that is being written when the server stops is finished, so that `write` does not repeat it.
            await asyncio.shield(self._save())

    async def write(self) -> None:
        """Write what was recorded. While the database does not answer, entries wait."""
        await self._finish_clips()
        await self._save()

    async def _finish_clips(self) -> None:
        async with self._clips_lock:
            while self._clips:
                pending = [self._clips.popleft() for _ in range(min(len(self._clips), _MANY_CLIPS))]
                finished = await asyncio.to_thread(_finish_all, pending)
                self._counters.predictions_not_logged += len(pending) - len(finished)
                self._entries.extend(finished)

    async def _save(self) -> None:
        async with self._save_lock:
            await self._save_or_wait()

    async def _save_or_wait(self) -> None:
        try:
            await self._store()
            await self._clean()
        except DatabaseUnavailable as error:
            if not self._failing:
                log.warning("predictions not logged yet", detail=error.detail, waiting=self.waiting)
            self._failing = True
        else:
            self._failing = False

    async def _store(self) -> None:
        while self._entries:
            batch = [self._entries[index] for index in range(min(len(self._entries), _BATCH))]
            try:
                async with self._database.write(seconds=_LONGEST_WRITE_SECONDS) as session:
                    await prediction_rows.insert_all(session, batch)
            except DatabaseUnavailable:
                raise
            except UnderstudyError as error:  # it would refuse them again
                log.error("predictions not logged", detail=error.detail, remedy=error.remedy, predictions=len(batch))
                self._counters.predictions_not_logged += len(batch)
            else:
                self._counters.predictions_logged += len(batch)
            for _ in batch:
                self._entries.popleft()

    async def _clean(self) -> None:
        """Remove entries past their days, once an hour. A server without the setting removes nothing."""
        now = time.monotonic()
        if not self.is_enabled or (self._cleaned is not None and now - self._cleaned < _CLEAN_SECONDS):
            return
        await self.remove_before(utc_now() - timedelta(days=self.days))
        self._cleaned = now

    async def remove_before(self, moment: datetime) -> None:
        while True:
            async with self._database.write(seconds=_LONGEST_WRITE_SECONDS) as session:
                if await prediction_rows.delete_before(session, moment, most=_BATCH) < _BATCH:
                    return

    async def list(
        self, wanted: PredictionFilter, *, limit: int = 100, cursor: str | None = None
    ) -> LoggedPredictionPage:
        """Return a page of the log, the newest first. Raises RequestInvalid, DatabaseUnavailable."""
        refuse_nul("label", wanted.label)
        wanted = replace(wanted, since=_to_utc(wanted.since), until=_to_utc(wanted.until))
        async with self._database.read() as session:
            return await prediction_rows.read_page(session, wanted, limit=limit, cursor=cursor)


def _to_utc(moment: datetime | None) -> datetime | None:
    try:
        return None if moment is None else to_naive_utc(moment)
    except OverflowError:
        raise RequestInvalid(f"{moment} is no time that can be asked for.", remedy="Give another time.") from None


def _finish_all(pending: list[_Pending]) -> list[dict[str, Any]]:
    """Compute the digests; leave out the recordings that cannot be read any more."""
    finished = []
    for each in pending:
        try:
            finished.append({**each.row, "clip_digest": _compute_digest(each.clip)})
        except (OSError, ValueError):
            continue
        finally:
            each.clip.close()
    return finished


def _compute_digest(clip: BinaryIO) -> str:
    digest = hashlib.sha256()
    clip.seek(0)
    while block := clip.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()
