"""Prints a measurement as a table."""

from scripts.followers_simulation.fleets import Plan
from scripts.followers_simulation.measurement import Measurement

_MIB = 1 << 20


def format_measurement(plan: Plan, found: Measurement) -> str:
    """Return the table of one way to follow."""
    way = "LISTEN" if plan.listen else "polling only, through PgBouncer"
    times = found.switches
    rows = [
        ("connections to PostgreSQL", f"{found.connections}"),
        ("memory of PostgreSQL", f"{found.memory / _MIB:.0f} MiB"),
        ("at rest: transactions a second", f"{found.rest.transactions:.0f}"),
        ("at rest: statements a second", f"{found.rest.statements:.0f}"),
        ("at rest: CPU of PostgreSQL", f"{found.rest.server_cpu:.2f} cores"),
        ("at rest: CPU of PgBouncer", f"{found.rest.pooler_cpu:.2f} cores"),
        ("at rest: CPU of the simulated servers", f"{found.fleet_cpu:.2f} cores"),
        ("commit to live, p50", f"{times.median:.2f} s"),
        ("commit to live, p99", f"{times.p99:.2f} s"),
        ("commit to the last server, median", f"{times.last_median:.2f} s"),
        ("commit to the last server, longest", f"{times.longest:.2f} s"),
        ("wait=all, median", f"{times.call_median:.2f} s"),
        ("switches that not all followed in time", f"{times.incomplete}"),
        ("CPU of PostgreSQL for a switch", f"{times.server_cpu_seconds:.2f} s"),
        ("statements for a switch", f"{times.statements:.0f}"),
        ("GET /api/v1/replicas: reading", f"{found.listing.read_ms:.0f} ms"),
        ("GET /api/v1/replicas: JSON", f"{found.listing.encode_ms:.0f} ms, {found.listing.size / 1024:.0f} KiB"),
        ("a model that nobody can load: all reported it after", f"{found.failed.reported_seconds:.1f} s"),
        ("a model that nobody can load: rows of history", f"{found.failed.history_rows}"),
        ("a model that nobody can load: statements a second", f"{found.failed.statements_per_second:.0f}"),
        ("servers in an outage at the end", f"{found.outages}"),
    ]
    for name, (before, after) in found.tables.items():
        text = f"{before.rows} to {after.rows}, {before.size / 1024:.0f} to {after.size / 1024:.0f} KiB"
        rows.append((f"{name}: rows, size", f"{text}, {after.dead_rows} dead"))
    lines = [f"{plan.followers} servers, {way}, a poll every {plan.poll_seconds:g} s", ""]
    lines += ["| | |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows), ""]
    lines += ["| statement at rest | a second |", "|---|---:|"]
    for query, rate in sorted(found.calls.items(), key=lambda each: -each[1]):
        lines.append(f"| `{' '.join(query.split())[:110]}` | {rate:.1f} |")
    return "\n".join((*lines, ""))
