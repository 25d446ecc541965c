"""What happens to the cluster under load, one function for each."""

import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from scripts.ray_trial.load import Load
from scripts.ray_trial.nodes import Node
from tests.faults import TcpProxy

CLIENTS = 4
_PATIENCE = 400.0
_OUTAGE_SECONDS = 60.0


@dataclass
class Trial:
    """The running application: `url` is the proxy on the head, `models` the ids that are switched."""

    url: str
    load: Load
    models: tuple[int, int]
    deploy: Callable[..., None]
    database: TcpProxy
    lines: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        print(line, flush=True)
        self.lines.append(line)

    async def list_replicas(self) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False) as client:
            answer = await client.get("/api/v1/replicas")
            replicas: list[dict[str, Any]] = answer.raise_for_status().json()["replicas"]
            return replicas

    async def wait_for_replicas(self, wanted: int, *, without: frozenset[str] = frozenset()) -> float:
        """Wait until exactly `wanted` replicas but those of `without` are live; return the seconds that it took."""
        began = time.monotonic()
        while time.monotonic() - began < _PATIENCE:
            with suppress(httpx.HTTPError):
                found = [each for each in await self.list_replicas() if each["replica"] not in without]
                if len(found) == wanted and all(each["state"] == "live" for each in found):
                    return time.monotonic() - began
            await asyncio.sleep(0.5)
        raise TimeoutError(f"there were not {wanted} live replicas within {_PATIENCE:g} s")


async def swap(trial: Trial, swaps: int) -> None:
    """Switch the live model again and again, and wait each time until all replicas serve it."""
    times, incomplete = [], 0
    async with trial.load.run(CLIENTS) as tally, httpx.AsyncClient(base_url=trial.url, timeout=120) as client:
        for turn in range(swaps):
            model_id = trial.models[(turn + 1) % 2]
            params = {"wait": "all", "timeout": "60"}
            began = time.monotonic()
            answer = (await client.post(f"/api/v1/models/{model_id}/activate", params=params)).raise_for_status().json()
            times.append(time.monotonic() - began)
            incomplete += not answer["rollout"]["complete"]
            if answer["rollout"]["complete"]:
                trial.load.settled = answer["generation"]
            await asyncio.sleep(1)
    trial.note(f"{swaps} swaps over {len(await trial.list_replicas())} replicas: {tally.describe()}")
    trial.note(
        f"  until every replica served it: median {statistics.median(times):.2f} s, longest {max(times):.2f} s, "
        f"{incomplete} not complete"
    )


async def scale(trial: Trial) -> None:
    """Let Ray go from one replica to four and back by the load alone."""
    await asyncio.to_thread(
        trial.deploy, "--min-replicas", "1", "--max-replicas", "4", "--target-requests", "1", "--max-requests", "20"
    )
    await trial.wait_for_replicas(1)
    async with trial.load.run(8) as tally:
        up = await trial.wait_for_replicas(4)
    first = tally.describe()
    async with trial.load.run(1) as tally:
        down = await trial.wait_for_replicas(1)
    trial.note(f"1 to 4 replicas in {up:.0f} s: {first}")
    trial.note(f"4 to 1 replicas in {down:.0f} s: {tally.describe()}")


async def lose_node(trial: Trial, node: Node) -> None:
    """Kill a node under load; the clients ask the head's proxy."""
    before = frozenset(each["replica"] for each in await trial.list_replicas())
    async with trial.load.run(CLIENTS) as tally:
        await asyncio.sleep(10)
        began = time.monotonic()
        await asyncio.to_thread(node.kill)
        while True:  # dead ones leave the list 30 s after their last report
            with suppress(httpx.HTTPError):
                found = await trial.list_replicas()
                if len(found) == len(before) and {each["replica"] for each in found} != before:
                    break
            if time.monotonic() - began > _PATIENCE:
                break
            await asyncio.sleep(0.5)
        took = time.monotonic() - began
        await asyncio.sleep(5)
    trial.note(f"a node with its replicas killed, {len(found)} live again after {took:.0f} s: {tally.describe()}")


async def lose_database(trial: Trial) -> None:
    """Cut the registry's database off for a minute."""
    before = {each["replica"] for each in await trial.list_replicas()}
    async with trial.load.run(CLIENTS) as tally:
        await asyncio.sleep(5)
        trial.database.silence()
        trial.database.cut()
        await asyncio.sleep(_OUTAGE_SECONDS)
        trial.database.resume()
        began = time.monotonic()
        while True:
            with suppress(httpx.HTTPError):
                if {each["replica"] for each in await trial.list_replicas()} >= before:
                    break
            await asyncio.sleep(0.2)
        back = time.monotonic() - began
    after = {each["replica"] for each in await trial.list_replicas()}
    trial.note(
        f"{_OUTAGE_SECONDS:.0f} s without the database: {tally.describe()}; {len(before - after)} of {len(before)} "
        f"replicas replaced; all report again {back:.1f} s after its return"
    )
