"""Tells every open page what changes, whichever process changed it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from understudy import __version__
from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.deployment import change_feed
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.schemas.registry.model import HistoryEntry
from understudy.schemas.server.event import (
    DeploymentChanged,
    Hello,
    ModelChanged,
    ServerEvent,
)

_QUEUE = 1000
# Transactions may commit in another order than they drew their history_id: look back this far.
_OVERLAP = 64
_WENT_LIVE = {HistoryEvent.ACTIVATED, HistoryEvent.ROLLED_BACK}


class Events:
    """Reads the history's new entries once a tick for all subscribers; the history is what a reader resumes from."""

    def __init__(self, database: Database, replica: str) -> None:
        self._database = database
        self._replica = replica
        self._subscribers: set[asyncio.Queue[ServerEvent | None]] = set()
        self._position = 0
        self._told: deque[int] = deque(maxlen=_OVERLAP)
        self._since = datetime.now(UTC)

    async def subscribe(self, after: int | None) -> AsyncIterator[ServerEvent]:
        """`hello`, then everything after position `after` (or from now on), until the reader goes away.

        A reader too slow for its queue is let go, and catches up when it reconnects.
        """
        queue: asyncio.Queue[ServerEvent | None] = asyncio.Queue(_QUEUE)
        async with self._database.read() as session:
            newest = await change_feed.find_newest_entry(session)
            recent = await change_feed.list_entries_after(session, newest - _OVERLAP)
            missed = await change_feed.list_entries_after(session, after) if after is not None else []
        if not self._subscribers:
            self._position, self._since = newest, datetime.now(UTC)
            self._told = deque((entry.history_id for entry in recent), _OVERLAP)
        self._subscribers.add(queue)
        try:
            yield ServerEvent(
                "hello", Hello(replica=self._replica, version=__version__), newest if after is None else after
            )
            for entry in missed:
                yield _event(entry)
            while (next_event := await queue.get()) is not None:
                yield next_event
        finally:
            self._subscribers.discard(queue)

    async def tick(self) -> None:
        """Tell the subscribers what is new. Raises DatabaseUnavailable."""
        if not self._subscribers:
            return
        async with self._database.read() as session:
            entries = await change_feed.list_entries_after(session, self._position - _OVERLAP)
            operations = await change_feed.list_operations_after(session, self._since)
        for entry in entries:
            if entry.history_id in self._told:
                continue
            self._told.append(entry.history_id)
            self._position = max(self._position, entry.history_id)
            self._tell(_event(entry))
        for operation in operations:
            self._since = max(self._since, operation.updated_at)
            self._tell(ServerEvent("operation", operation, self._position))

    def close(self) -> None:
        """End every subscription: the server stops."""
        for queue in self._subscribers:
            _let_go(queue)

    def _tell(self, event: ServerEvent) -> None:
        for queue in self._subscribers:
            if queue.full():
                _let_go(queue)
            else:
                queue.put_nowait(event)


def _let_go(queue: asyncio.Queue[ServerEvent | None]) -> None:
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)


def _event(entry: HistoryEntry) -> ServerEvent:
    if entry.event not in _WENT_LIVE or entry.generation is None:
        return ServerEvent(
            "models", ModelChanged(model_id=entry.model_id, change=entry.event, at=entry.at), entry.history_id
        )
    model = None
    if entry.model_id is not None and entry.model_name is not None and entry.digest is not None:
        model = ModelIdentity(
            model_id=entry.model_id,
            model_name=entry.model_name,
            version=entry.version,
            digest=entry.digest,
            precision=Precision.of(entry.form or Precision.FLOAT32),
        )
    changed = DeploymentChanged(generation=entry.generation, model_id=entry.model_id, model=model, at=entry.at)
    return ServerEvent("stage", changed, entry.history_id)
