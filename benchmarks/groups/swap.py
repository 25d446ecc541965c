"""Models change places while requests come in: Understudy's activation beside MLServer's repository calls."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle

import httpx

from benchmarks import pressure
from benchmarks.bench import Bench
from benchmarks.exchange import exchange
from benchmarks.load import fire
from benchmarks.results import Figure, Result
from benchmarks.server import ServerError
from benchmarks.site import Site
from benchmarks.subject import HEAR, Launch
from benchmarks.subjects import SUBJECTS, UNDERSTUDY, write_mlserver_model
from benchmarks.trace import UNITS, Swap, judge, read_traces

GROUP = "swap"
TITLE = "Swaps under load"
ABOUT = """\
Two models take turns every two seconds under four connections. Stale answers began after the swap's call had returned
and came from the old model all the same; wrong ones name a model that was not live. MLServer's swap is its repository's
load call."""
_MLSERVER = "mlserver"
_CONNECTIONS = 4
_APART = 2.0
Swapper = Callable[[str], int]
"""Makes the model of that name live and returns its generation once the call has."""


def measure(bench: Bench) -> Iterator[Result]:
    """Swaps there and back under full and half load. Raises LoadError without wrk."""
    turns = 4 if bench.quick else 10  # even, so that the first model is live at the end
    for name, pair in ((UNDERSTUDY, "head"), (UNDERSTUDY, "net"), (_MLSERVER, "head")):
        if name not in bench.subjects:
            continue
        for load in ("half load", "full load"):
            case = f"{'a small head' if pair == 'head' else 'backbone and head'}, {load}"
            try:
                yield _measured(bench, name, pair, case, turns, half=load == "half load")
            except (ServerError, httpx.HTTPError) as error:
                yield Result(GROUP, case, name, problem=str(error))


def _measured(bench: Bench, name: str, pair: str, case: str, turns: int, *, half: bool) -> Result:
    subject = SUBJECTS[name]
    clip = bench.site.clip(1, "wav 16 kHz")
    route = subject.hearing
    body = route.wrap(clip.read(), clip.kind.content_type)
    with subject.launch(bench.site) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        swap = _understudy(client, bench.site) if name == UNDERSTUDY else _mlserver(client, bench.site)
        names = cycle([f"{pair}_b", f"{pair}_a"])
        for _ in range(2):  # both were live once, as models that take turns are
            first = swap(next(names))
        exchange(server, route.path, body)
        figures, _ = pressure.press(
            server, route.path, body, bench.work, connections=_CONNECTIONS, seconds=1, repeats=1
        )
        rate = figures[pressure.RATE].median / 2 if half else None
        trace = bench.work / f"trace-{name}-{pair}-{half}"
        with ThreadPoolExecutor(1) as pool:
            load = pool.submit(
                fire,
                server.url + route.path,
                body,
                bench.work,
                connections=_CONNECTIONS,
                seconds=(turns + 1) * _APART,
                rate=rate,
                trace=trace,
            )
            time.sleep(_APART)
            swaps = [_swap(swap, next(names)) for _ in range(turns)]
            problem = load.result().problem
    found = judge(read_traces(trace), first, swaps)
    return Result(GROUP, case, name, {each: Figure.of(unit, found[each]) for each, unit in UNITS.items()}, problem)


def _swap(swap: Swapper, name: str) -> Swap:
    began = time.monotonic()
    generation = swap(name)
    ended = time.monotonic()
    time.sleep(max(0.0, _APART - (ended - began)))
    return Swap(began, ended, generation)


def _understudy(client: httpx.Client, site: Site) -> Swapper:
    def swap(name: str) -> int:
        answer = client.post(f"/api/v1/models/{site.models[name].model_id}/activate")
        answer.raise_for_status()
        return int(answer.json()["generation"])

    return swap


def _mlserver(client: httpx.Client, site: Site) -> Swapper:
    """MLServer reads the model's settings anew when it is told to load a model that it has."""
    generations = count(2)
    subject = SUBJECTS[_MLSERVER]
    launch = Launch(site, HEAR, site.folder / _MLSERVER / HEAR, 0, subject.python)

    def swap(name: str) -> int:
        generation = next(generations)
        given: dict[str, str | int] = {"model": str(site.models[name].compiled), "generation": generation}
        write_mlserver_model(launch, "model", given)
        client.post("/v2/repository/models/model/load").raise_for_status()
        return generation

    return swap
