"""Sends the changes of every process to the open pages."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from understudy import __version__
from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import change_feed
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.schemas.registry.model import HistoryEntry
from understudy.schemas.server.event import (
    DeploymentChanged,
    Heartbeat,
    Hello,
    ModelChanged,
    ServerEvent,
)
from understudy.serving.sync.replica_reporter import ReplicaReporter

_MAX_QUEUED = 1000
HEARTBEAT_SECONDS = 2.0
# Transactions may commit in another order than that of their history_id: each tick reads this many entries again.
_OVERLAP = 64
_WENT_LIVE = {HistoryEvent.ACTIVATED, HistoryEvent.ROLLED_BACK}


class Events:
    """Reads the new history entries and operations at each tick, once for all subscribers.

    The position of an event is a history_id, from which a reader resumes.
    """

    def __init__(self, database: Database, reporter: ReplicaReporter) -> None:
        """`reporter` knows the name of this server, which may change: two servers may have begun with the same."""
        self._database = database
        self._reporter = reporter
        self._subscribers: set[asyncio.Queue[ServerEvent | None]] = set()
        self._position = 0
        self._sent: deque[int] = deque(maxlen=_OVERLAP)
        self._since = self._read_at = datetime.now(UTC)
        self.closed = False

    async def subscribe(self, after: int | None) -> AsyncGenerator[ServerEvent, None]:
        """Yield `hello`, then every event after position `after` (None: from now on), until the reader disconnects.

        While there is none, yield a heartbeat every two seconds.
        It ends when the server stops: `closed` is then true. The subscription of a reader that is 1000 events behind
        ends; it resumes when the reader connects again.
        """
        queue: asyncio.Queue[ServerEvent | None] = asyncio.Queue(_MAX_QUEUED)
        async with self._database.read() as session:
            newest = await change_feed.find_newest_entry(session)
            recent = await change_feed.list_entries_after(session, newest - _OVERLAP)
            missed = await change_feed.list_entries_after(session, after) if after is not None else []
        self._read_at = datetime.now(UTC)
        if not self._subscribers:
            self._position, self._since = newest, datetime.now(UTC)
            self._sent = deque((entry.history_id for entry in recent), _OVERLAP)
        self._subscribers.add(queue)
        try:
            yield ServerEvent(
                "hello", Hello(replica=self._reporter.replica, version=__version__), newest if after is None else after
            )
            for entry in missed:
                yield _build_event(entry)
            while not self.closed and (next_event := await self._receive(queue)) is not None:
                yield next_event
        finally:
            self._subscribers.discard(queue)

    async def tick(self) -> None:
        """Send the new events to the subscribers. Raises DatabaseUnavailable."""
        if not self._subscribers:
            return
        async with self._database.read(Use.OWN) as session:
            entries = await change_feed.list_entries_after(session, self._position - _OVERLAP)
            operations = await change_feed.list_operations_after(session, self._since)
        self._read_at = datetime.now(UTC)
        for entry in entries:
            if entry.history_id in self._sent:
                continue
            self._sent.append(entry.history_id)
            self._position = max(self._position, entry.history_id)
            self._send(_build_event(entry))
        for operation in operations:
            self._since = max(self._since, operation.updated_at)
            self._send(ServerEvent("operation", operation, self._position))

    def close(self) -> None:
        """End every subscription, now and from now on, because the server stops."""
        self.closed = True
        for queue in self._subscribers:
            _end_subscription(queue)

    async def _receive(self, queue: asyncio.Queue[ServerEvent | None]) -> ServerEvent | None:
        """Return the next event of a subscription, or a heartbeat where none comes in time."""
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                return await queue.get()
        except TimeoutError:
            return ServerEvent("heartbeat", Heartbeat(at=datetime.now(UTC), read_at=self._read_at), None)

    def _send(self, event: ServerEvent) -> None:
        for queue in self._subscribers:
            if queue.full():
                _end_subscription(queue)
            else:
                queue.put_nowait(event)


def _end_subscription(queue: asyncio.Queue[ServerEvent | None]) -> None:
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)


def _build_event(entry: HistoryEntry) -> ServerEvent:
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
