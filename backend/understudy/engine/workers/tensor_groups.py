"""Sends requests for tensors that arrive together as one: a message costs more than a row of a tiny graph."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import accumulate

import numpy as np

from understudy.engine.engine import Outputs
from understudy.engine.scheduling.batcher import Key, build_key
from understudy.engine.workers.remote_model import RemoteModel
from understudy.inference.runtime.session import Tensors

Answer = tuple[Outputs, float]


class Sharing(Enum):
    """Says of a request whether it stands for several, may share a run with others, or must run alone."""

    JOINED = auto()
    ALLOWED = auto()
    ALONE = auto()


Run = Callable[[RemoteModel, Tensors, Sharing], Awaitable[Answer]]


class SharedRunBroken(Exception):
    """The worker ended, or its step was stopped, while it ran a request that stands for several."""


@dataclass(eq=False, slots=True)
class _Member:
    inputs: Tensors
    rows: int
    answer: "asyncio.Future[Answer]"


@dataclass(eq=False, slots=True)
class _Group:
    model: RemoteModel
    key: Key
    members: list[_Member] = field(default_factory=list)
    rows: int = 0
    task: "asyncio.Task[None] | None" = None


class TensorGroups:
    """Joins the requests of one turn of the event loop whose rows may share a run, as a worker has found out.

    A request that comes alone is sent at once. Where the joined request fails, each of its requests runs alone, so that
    each gets its own error. Use it on one event loop.
    """

    def __init__(self, run: Run) -> None:
        """`run` raises SharedRunBroken where a worker ended under a request that stands for several."""
        self._run = run
        self._open: dict[tuple[int, Key], _Group] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way = 0

    async def infer(self, model: RemoteModel, inputs: Tensors) -> Answer:
        """Return the outputs by name, and the milliseconds that the request waited. Raises what `run` raises."""
        self._under_way += 1
        try:
            key, rows = build_key(inputs)
            if self._under_way == 1 or key == () or not 0 < rows < model.join_rows:
                return await self._run(model, inputs, Sharing.ALLOWED)
            return await self._join(model, key, _Member(inputs, rows, asyncio.get_running_loop().create_future()))
        finally:
            self._under_way -= 1

    async def close(self) -> None:
        """Cancel all requests."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _join(self, model: RemoteModel, key: Key, member: _Member) -> Answer:
        group = self._open.get((model.number, key))
        if group is None or group.rows + member.rows > model.join_rows:
            group = self._open[model.number, key] = _Group(model, key)
            asyncio.get_running_loop().call_soon(self._start, group)
        group.members.append(member)
        group.rows += member.rows
        try:
            return await member.answer
        except asyncio.CancelledError:
            if group.task is not None and all(each.answer.done() for each in group.members):
                group.task.cancel()
            raise

    def _start(self, group: _Group) -> None:
        if self._open.get((group.model.number, group.key)) is group:
            del self._open[group.model.number, group.key]
        group.task = asyncio.create_task(self._run_group(group))
        self._tasks.add(group.task)
        group.task.add_done_callback(self._tasks.discard)

    async def _run_group(self, group: _Group) -> None:
        members = [member for member in group.members if not member.answer.done()]  # the others' callers went away
        try:
            sharing = Sharing.ALLOWED if len(members) == 1 else await self._run_joined(group.model, members)
            if sharing is not Sharing.JOINED:
                await asyncio.gather(*(self._run_one(group.model, member, sharing) for member in members))
        finally:  # nobody waits for ever, also where this task is cancelled
            for member in members:
                member.answer.cancel()

    async def _run_joined(self, model: RemoteModel, members: list[_Member]) -> Sharing:
        """Run all in one, or return how each of them must be run now where that fails."""
        ends = list(accumulate(member.rows for member in members))
        try:
            joined = {name: np.concatenate([each.inputs[name] for each in members]) for name in members[0].inputs}
            outputs, waited = await self._run(model, joined, Sharing.JOINED)
        except SharedRunBroken:
            return Sharing.ALONE  # finds the one that ends workers
        except Exception:  # noqa: BLE001  # each gets its own, where it comes again
            return Sharing.ALLOWED
        if any(not output.ndim or len(output) != ends[-1] for output in outputs.values()):
            return Sharing.ALONE
        for member, end in zip(members, ends, strict=True):
            if not member.answer.done():
                own = {name: output[end - member.rows : end] for name, output in outputs.items()}
                member.answer.set_result((own, waited))
        return Sharing.JOINED

    async def _run_one(self, model: RemoteModel, member: _Member, sharing: Sharing) -> None:
        try:
            answer = await self._run(model, member.inputs, sharing)
        except Exception as error:  # noqa: BLE001  # it is raised where the answer is awaited
            if not member.answer.done():
                member.answer.set_exception(error)
        else:
            if not member.answer.done():
                member.answer.set_result(answer)
