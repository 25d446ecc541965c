"""Measures a fleet at rest, while it follows switches, and while it cannot load a model."""

import asyncio
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.followers_simulation.fleets import Fleets, Plan
from scripts.followers_simulation.postgres_load import PostgresLoad, Rates, TableState, compute_rates
from scripts.followers_simulation.switches import ListCost, Switcher

_WAIT_SECONDS = 120.0
# After a switch the fleet comes to rest again, for its reports to be due at moments of their own.
_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class SwitchTimes:
    """Seconds from a commit until a follower served the model, of all switches; `calls` are those of `wait=all`."""

    median: float
    p99: float
    last_median: float
    longest: float
    call_median: float
    incomplete: int
    server_cpu_seconds: float
    statements: float


@dataclass(frozen=True)
class FailedSwitch:
    """A switch to a model that no follower can load."""

    reported_seconds: float
    history_rows: int
    statements_per_second: float


@dataclass(frozen=True)
class Measurement:
    """Everything about one way to follow."""

    rest: Rates
    connections: int
    memory: int
    fleet_cpu: float
    calls: Mapping[str, float]
    switches: SwitchTimes
    listing: ListCost
    tables: Mapping[str, tuple[TableState, TableState]]
    failed: FailedSwitch
    outages: int


async def measure(
    plan: Plan, fleets: Fleets, load: PostgresLoad, switcher: Switcher, rest_seconds: float, switches: int
) -> Measurement:
    """Return the measurement of a fleet that runs."""
    tables = load.describe_tables()
    before, state, calls = load.read(), fleets.read_state(), load.count_calls()
    await asyncio.sleep(rest_seconds)
    after, state_after, calls_after = load.read(), fleets.read_state(), load.count_calls()
    seconds = after.at - before.at
    rate = {query: (count - calls.get(query, 0)) / seconds for query, count in calls_after.items()}
    times = await _measure_switches(plan, load, switcher, switches)
    listing = await switcher.measure_list()
    after_switches = load.describe_tables()
    failed = await _measure_failure(plan, fleets, load, switcher)
    return Measurement(
        compute_rates(before, after),
        after.connections,
        load.measure_memory(),
        (state_after.cpu_seconds - state.cpu_seconds) / seconds,
        {query: each for query, each in rate.items() if each >= plan.followers / 1000},
        times,
        listing,
        {name: (tables[name], after_switches[name]) for name in tables},
        failed,
        fleets.read_state().outages,
    )


async def _measure_switches(plan: Plan, load: PostgresLoad, switcher: Switcher, switches: int) -> SwitchTimes:
    lags: list[float] = []
    last: list[float] = []
    calls: list[float] = []
    incomplete, cpu, statements = 0, 0.0, 0
    for _ in range(switches):
        before = load.read()
        generation = await switcher.switch()
        began = time.monotonic()
        rollout = await switcher.wait_for_all(generation, _WAIT_SECONDS)
        calls.append(time.monotonic() - began)
        after = load.read()
        cpu += after.server_cpu - before.server_cpu
        statements += after.statements - before.statements
        found = load.read_lags(generation)
        incomplete += not rollout.complete or rollout.replicas != plan.followers or len(found) != plan.followers
        lags += found
        last.append(max(found, default=0.0))
        await asyncio.sleep(_PAUSE_SECONDS)
    return SwitchTimes(
        _quantile(lags, 50),
        _quantile(lags, 99),
        statistics.median(last),
        max(last),
        statistics.median(calls),
        incomplete,
        cpu / switches,
        statements / switches,
    )


async def _measure_failure(plan: Plan, fleets: Fleets, load: PostgresLoad, switcher: Switcher) -> FailedSwitch:
    """Switch to a model that nobody can load, until all have reported that."""
    fleets.send("fail")
    rows = load.describe_tables()["understudy_history"].rows
    before = load.read()
    await switcher.switch()
    began = time.monotonic()
    await asyncio.to_thread(_wait_until_failed, load, plan.followers)
    took = time.monotonic() - began
    rates = compute_rates(before, load.read())
    return FailedSwitch(took, load.describe_tables()["understudy_history"].rows - rows, rates.statements)


def _wait_until_failed(load: PostgresLoad, followers: int) -> None:
    ends = time.monotonic() + _WAIT_SECONDS
    while load.count_failed() < followers and time.monotonic() < ends:
        time.sleep(0.1)


def _quantile(values: Sequence[float], percent: int) -> float:
    """Return NaN where no follower reported that it followed."""
    if not values:
        return math.nan
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
