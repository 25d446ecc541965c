"""Clients that predict real recordings while something happens, and judge every answer."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx

_TIMEOUT = 120.0
_SCORE_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Recording:
    """An encoded recording, and the score of its first label by each model's id, as the model gives it alone."""

    content: bytes
    expected: Mapping[int, float]


@dataclass
class Tally:
    """What the clients of one phase were answered."""

    answered: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    misattributed: int = 0
    stale: int = 0
    slowest: float = 0.0

    @property
    def failed(self) -> int:
        return self.failures.total()

    def describe(self) -> str:
        """Return the counts as one line."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.failures.most_common())
        return (
            f"{self.answered} answered, {self.failed} failed{f' ({kinds})' if kinds else ''}, {self.stale} stale, "
            f"{self.misattributed} misattributed, slowest {self.slowest:.1f} s, {dict(self.models)}"
        )


@dataclass
class Load:
    """Clients of the proxies at `urls`. `settled` is the newest generation that every replica was said to serve."""

    urls: Sequence[str]
    recordings: Sequence[Recording]
    settled: int = 0
    tally: Tally = field(default_factory=Tally)
    _stopping: bool = False

    @asynccontextmanager
    async def run(self, clients: int) -> AsyncIterator[Tally]:
        """Predict with `clients` clients at once until the block ends, and wait for their last answers."""
        self._stopping, self.tally = False, Tally()
        async with asyncio.TaskGroup() as group:
            for number in range(clients):
                group.create_task(self._predict(number))
            try:
                yield self.tally
            finally:
                self._stopping = True

    async def _predict(self, number: int) -> None:
        url = self.urls[number % len(self.urls)]
        async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, trust_env=False) as client:
            turn = number
            while not self._stopping:
                turn += 1
                await self._ask(client, self.recordings[turn % len(self.recordings)])

    async def _ask(self, client: httpx.AsyncClient, recording: Recording) -> None:
        settled, started = self.settled, time.monotonic()
        try:
            answer = await client.post(
                "/api/v1/predict", content=recording.content, headers={"content-type": "audio/ogg"}
            )
        except httpx.TransportError as error:
            self.tally.failures[type(error).__name__] += 1
            await asyncio.sleep(0.1)
            return
        self.tally.slowest = max(self.tally.slowest, time.monotonic() - started)
        if not answer.is_success:
            code = ""
            with suppress(ValueError, AttributeError):
                code = answer.json().get("code", "")
            self.tally.failures[f"{answer.status_code} {code or 'by Ray'}"] += 1
            await asyncio.sleep(0.1)
            return
        self._judge(answer.json(), recording, settled)

    def _judge(self, prediction: dict[str, object], recording: Recording, settled: int) -> None:
        model, scores, generation = prediction["model"], prediction["scores"], prediction["generation"]
        assert isinstance(model, dict) and isinstance(scores, dict) and isinstance(generation, int)  # noqa: PT018, S101
        first = next(iter(sorted(scores)))
        expected = recording.expected[model["model_id"]]
        self.tally.answered += 1
        self.tally.models[model["model_name"]] += 1
        self.tally.stale += generation < settled
        self.tally.misattributed += abs(scores[first] - expected) > _SCORE_TOLERANCE
