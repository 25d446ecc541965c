"""Twenty activations back and forth under a steady stream of requests, against a running server.

    python benchmarks/swap_under_load.py CLIP MODEL_ID MODEL_ID [--url URL] [--turns 20] [--clients 4]

Says how many requests failed, how many answers named a model that was not live at any moment of their request, how
many answers that began after an activation returned still came from the old model, how latency around a swap compares
with the rest of the same run, and the server's resident memory before and after (Linux).
"""

import argparse
import asyncio
import re
import statistics
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx


@dataclass
class Log:
    """Every request (began, ended, generation or None when it failed) and every swap (began, ended, generation)."""

    answers: list[tuple[float, float, int | None]] = field(default_factory=list)
    swaps: list[tuple[float, float, int]] = field(default_factory=list)


async def listen(client: httpx.AsyncClient, clip: bytes, log: Log, done: asyncio.Event) -> None:
    while not done.is_set():
        began = time.perf_counter()
        answer = await client.post("/api/v1/predict", content=clip, headers={"content-type": "audio/wav"})
        generation = answer.json()["generation"] if answer.is_success else None
        log.answers.append((began, time.perf_counter(), generation))


async def activate(client: httpx.AsyncClient, model_id: int, log: Log) -> None:
    began = time.perf_counter()
    answer = await client.post(f"/api/v1/models/{model_id}/activate")
    answer.raise_for_status()
    log.swaps.append((began, time.perf_counter(), answer.json()["generation"]))


def resident_megabytes(replica: str) -> float:
    """Resident memory of the server process that `replica` names as host:pid."""
    status = Path(f"/proc/{replica.rpartition(':')[2]}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else float("nan")


def report(log: Log, memory: list[float]) -> str:
    wrong = late = 0
    near: list[float] = []
    apart: list[float] = []
    for began, ended, generation in log.answers:
        if generation is None:
            continue
        possible = {number for start, _, number in log.swaps if start <= ended}
        required = max((number for _, end, number in log.swaps if end <= began), default=0)
        wrong += generation not in possible
        late += generation < required
        close = any(start - 0.5 <= began <= end + 0.5 for start, end, _ in log.swaps[1:])
        (near if close else apart).append(ended - began)
    failed = sum(generation is None for *_, generation in log.answers)
    p99 = [statistics.quantiles(values, n=100)[98] * 1e3 for values in (near, apart) if len(values) > 1]
    ends = sorted(ended for _, ended, _ in log.answers)
    longest = max(later - earlier for earlier, later in pairwise(ends))
    rows = [
        ("requests", len(log.answers)),
        ("activations", len(log.swaps)),
        ("failed requests", failed),
        ("answers naming a model that was not live", wrong),
        ("stale answers after an activation returned", late),
        ("longest gap between answers, ms", f"{longest * 1e3:.0f}"),
        ("p99 within half a second of a swap, ms", f"{p99[0]:.1f}"),
        ("p99 otherwise, ms", f"{p99[1]:.1f}" if len(p99) > 1 else "-"),
        ("resident memory before / after ten / after all, MB", " / ".join(f"{value:.0f}" for value in memory)),
    ]
    return "\n".join(f"| {name} | {value} |" for name, value in rows)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("models", type=int, nargs=2)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--clients", type=int, default=4)
    asked = parser.parse_args()
    log, done, clip = Log(), asyncio.Event(), asked.clip.read_bytes()
    async with httpx.AsyncClient(base_url=asked.url, timeout=120) as client:
        replica = (await client.get("/api/v1/status")).json()["replica"]
        for model_id in asked.models:
            await activate(client, model_id, log)
        memory = [resident_megabytes(replica)]
        listeners = [asyncio.create_task(listen(client, clip, log, done)) for _ in range(asked.clients)]
        await asyncio.sleep(2)
        for turn in range(asked.turns):
            await activate(client, asked.models[turn % 2], log)
            await asyncio.sleep(1)
            if turn + 1 in {10, asked.turns}:
                memory.append(resident_megabytes(replica))
        await asyncio.sleep(2)
        done.set()
        await asyncio.gather(*listeners)
    print(report(log, memory))


asyncio.run(main())
