"""Requests that go on while something else happens: predictions, swaps, live streams, and looks at readiness."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from scripts.torture.report import FamilyReport
from scripts.torture.server import Client, find_misattribution

# What a request may be answered while its worker process is killed.
ALLOWED = frozenset({"worker_died", "overloaded", "model_not_loaded", "no_active_model"})
_RATE = 16_000


@dataclass
class Load:
    """The clients of one server. Each answer is one attempt of the report."""

    url: str
    labels: Mapping[int, str]
    report: FamilyReport
    allowed: frozenset[str] = ALLOWED
    codes: Counter[str] = field(default_factory=Counter)
    swaps: int = 0
    _stopping: bool = False

    @asynccontextmanager
    async def run(self, *, clients: int, swap: bool = True, streams: int = 0) -> AsyncIterator[None]:
        """Send requests until the block ends, and wait for the last answers; then the connections are closed."""
        async with Client(self.url, self.report) as client:
            jobs: list[Coroutine[Any, Any, None]] = [self._predict(client) for _ in range(clients)]
            jobs += [self._stream() for _ in range(streams)]
            jobs.append(self._watch_readiness(client))
            if swap:
                jobs.append(self._swap(client))
            async with asyncio.TaskGroup() as group:
                for job in jobs:
                    group.create_task(job)
                try:
                    yield
                finally:
                    self._stopping = True
        self.report.notes.append(
            f"{sum(self.codes.values())} predictions ({', '.join(f'{n} {code}' for code, n in self.codes.items())}) "
            f"and {self.swaps} swaps."
        )

    async def _predict(self, client: Client) -> None:
        while not self._stopping:
            try:
                answer = await client.predict()
            except httpx.TransportError as error:
                self.report.check(False, f"a prediction was not answered: {type(error).__name__} {error}")
                continue
            if answer.is_success:
                self.codes["answered"] += 1
                wrong = find_misattribution(answer.json(), self.labels)
                self.report.check(wrong is None, wrong or "")
            else:
                code = answer.json().get("code", "none")
                self.codes[code] += 1
                self.report.check(code in self.allowed, f"a prediction was answered {answer.status_code} {code}")
                await asyncio.sleep(0.01)

    async def _watch_readiness(self, client: Client) -> None:
        while not self._stopping:
            answer = await client.send("GET", "/health/ready")
            self.report.check(answer.is_success, f"/health/ready answered {answer.status_code}: {answer.text[:200]}")
            await asyncio.sleep(0.05)

    async def _swap(self, client: Client) -> None:
        turn = 0
        while not self._stopping:
            turn += 1
            model_id = sorted(self.labels)[turn % 2]
            answer = await client.activate(model_id)
            self.swaps += answer.is_success
            code = "" if answer.is_success else answer.json().get("code", "none")
            held = answer.is_success or code in self.allowed | {"probe_failed", "warm_up_failed"}
            self.report.check(held, f"the activation of model {model_id} was answered {answer.status_code} {code}")
            await asyncio.sleep(0.3)

    async def _stream(self) -> None:
        """Stream sound again and again; a stream that a killed worker ends is begun anew."""
        sound = (3000 * np.sin(np.arange(_RATE) / 5)).astype(np.int16).tobytes()
        while not self._stopping:
            try:
                async with connect(self.url.replace("http", "ws", 1) + "/api/v1/stream", proxy=None) as stream:
                    await stream.send(json.dumps({"sample_rate": _RATE, "encoding": "pcm16"}))
                    for _ in range(4):
                        await stream.send(sound)
                        await asyncio.sleep(0.05)
                    await stream.send('{"type": "end"}')
                    async for message in stream:
                        self._judge_message(json.loads(message))
            except (WebSocketException, OSError) as error:
                self.codes[f"stream: {type(error).__name__}"] += 1
                await asyncio.sleep(0.05)

    def _judge_message(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "error":
            code = message["problem"]["code"]
            self.report.check(code in self.allowed, f"a stream ended with {code}: {message}")
        elif message["type"] == "window" and message["label"] is not None:
            wrong = find_misattribution(message, self.labels)
            self.report.check(wrong is None, f"on a stream, {wrong}")
