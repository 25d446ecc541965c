"""Gives each request to a worker, and to another one where that ended before it began."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import structlog

from understudy.engine.engine import Priority, StreamLost
from understudy.engine.wire.channel import Frame
from understudy.engine.wire.content import Content
from understudy.engine.wire.messages import ClipWindows, FromWorker, OpenStream, StreamOpened, ToWorker
from understudy.engine.workers.remote_model import RemoteModel
from understudy.engine.workers.remote_stream import RemoteStream
from understudy.engine.workers.tensor_groups import SharedRunBroken, Sharing
from understudy.engine.workers.worker import Worker, WorkerGone
from understudy.engine.workers.worker_team import WorkerTeam
from understudy.errors import ModelSetAside, Unavailable, UnderstudyError, WorkerDied
from understudy.schemas.inference.stream import StreamStart

log = structlog.get_logger()

T = TypeVar("T", bound=FromWorker)

_MAX_TRIES = 10


class Dispatcher:
    """A request goes to the worker that has the fewest.

    When a worker dies, the request that it was computing fails, and all others that it held go to another worker. Of
    requests that shared a run each is tried once more, alone, to find the one that ends workers.
    """

    def __init__(self, team: WorkerTeam, numbers: Iterator[int]) -> None:
        """`numbers` are those of requests and streams; no two are equal."""
        self._team = team
        self._numbers = numbers

    async def request(
        self,
        model: RemoteModel,
        kind: type[T],
        build: Callable[[int, bool], ToWorker],
        content: Content,
        priority: Priority,
        on_windows: Callable[[ClipWindows, Frame], None] | None = None,
        *,
        sharing: Sharing = Sharing.ALLOWED,
    ) -> tuple[T, Frame, float]:
        """Return the answer of kind `kind`, its frame, and the time at which the request was sent.

        Raises ModelSetAside, WorkerDied, Unavailable where no worker runs, and the worker's error; SharedRunBroken in
        place of WorkerDied for a request that stands for several.
        """
        alone = sharing is Sharing.ALONE
        for _ in range(_MAX_TRIES):
            self._refuse(model)
            worker = await self._team.acquire(model.number, priority)
            request, sent = next(self._numbers), time.perf_counter()
            try:
                answer, frame = await worker.request(
                    build(request, alone), request, content, seconds=model.step_seconds, on_windows=on_windows
                )
            except WorkerGone as gone:
                if gone.unclear and not alone:
                    alone = True
                elif request in gone.held:
                    if sharing is Sharing.JOINED:
                        raise SharedRunBroken from gone
                    if len(gone.held) == 1:
                        raise self._blame(model, gone) from gone
                    alone = True
                continue
            finally:
                self._team.release(worker)
            if not isinstance(answer, kind):
                frame.close()
                worker.kill("it gave another answer than was asked")
                raise WorkerDied("A worker gave another answer than was asked.")
            return answer, frame, sent
        raise WorkerDied(f"{_MAX_TRIES} worker processes ended before they began this request.")

    async def open_stream(self, model: RemoteModel, start: StreamStart) -> RemoteStream:
        """Return a stream of a worker. Raises what `request` raises, except SharedRunBroken."""
        for _ in range(_MAX_TRIES):
            self._refuse(model)
            worker = await self._team.acquire(model.number, Priority.STREAM)
            try:
                return await self._open_stream(worker, model, start)
            except StreamLost:
                continue
            finally:
                self._team.release(worker)
        raise WorkerDied(f"{_MAX_TRIES} worker processes ended before they opened the stream.")

    async def _open_stream(self, worker: Worker, model: RemoteModel, start: StreamStart) -> RemoteStream:
        stream = next(self._numbers)

        async def send(build: Callable[[int], ToWorker], content: Content) -> tuple[FromWorker, Frame]:
            self._refuse(model)
            request = next(self._numbers)
            try:
                return await worker.request(build(request), request, content, seconds=model.step_seconds, owner=stream)
            except WorkerGone as gone:
                if stream in gone.held and not gone.unclear:
                    raise self._blame(model, gone) from gone
                raise StreamLost from gone

        opened, frame = await send(
            lambda request: OpenStream(request=request, model=model.number, stream=stream, start=start), Content()
        )
        frame.close()
        if not isinstance(opened, StreamOpened):
            worker.kill("it gave another answer than was asked")
            raise StreamLost
        return RemoteStream(stream, opened, send, worker.tell)

    def find_problem(self, model: RemoteModel) -> UnderstudyError | None:
        """Return why no worker answers on `model`, or None."""
        if model.set_aside is not None:
            return ModelSetAside(model.set_aside)
        if model.refused is not None and self._team.lacks(model.number):
            return Unavailable(
                f"No worker process could load the model: {model.refused}",
                remedy="Activate the model again, which compiles it anew where its files are missing.",
            )
        return None

    def _refuse(self, model: RemoteModel) -> None:
        if (problem := self.find_problem(model)) is not None:
            raise problem

    def _blame(self, model: RemoteModel, gone: WorkerGone) -> WorkerDied:
        if gone.decoding:  # no model ran, so that the death counts against none
            return WorkerDied(
                f"The worker process ended or was stopped while it decoded this recording: {gone.reason}.",
                remedy="Convert the recording: `ffmpeg -i FILE recording.flac`, and send recording.flac. Other "
                "recordings are answered as before.",
            )
        name = model.report.source_digest[:12]
        if not gone.outside and model.count_death(gone.reason):
            log.error("model set aside", digest=model.report.source_digest, reason=model.set_aside)
        return WorkerDied(
            f"The worker process ended or was stopped on this request, on the model {name}…: {gone.reason}."
        )
