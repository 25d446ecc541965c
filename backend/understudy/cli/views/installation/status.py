"""Shows the status of a server, or of the database without a server."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.views.cells import ABSENT, build_fact_table, format_time, to_text
from understudy.schemas.server.problem import Problem
from understudy.schemas.server.status import Status


def _format_problem(problem: Problem) -> Text:
    return to_text(problem.detail, "red").append(f" {problem.remedy}", "default")


def format_status(answer: Status, *, server: bool) -> RenderableType:
    """Return the status as a table. `server` False leaves out the facts that only a running server has."""
    live, desired, backbone, database = answer.live, answer.desired, answer.backbone, answer.database
    rows: list[tuple[str, RenderableType]] = [("version", answer.version)]
    if server:
        rows.append(("up", f"{answer.uptime_seconds:.0f} s as {answer.replica}"))
        rows.append(
            (
                "live",
                to_text(
                    f"{live.model.model_name} (model {live.model.model_id}, {live.model.precision}), "
                    f"digest {live.model.digest[:12]}",
                    "green",
                )
                if live
                else Text("no model", "yellow"),
            )
        )
        rows += [("note", to_text(note, "yellow")) for note in (live.notes if live else ())]
        rows.append(("in sync", Text("yes", "green") if answer.in_sync else Text("no", "red")))
        if answer.registry_age_seconds is not None:
            rows.append(("registry read", to_text(f"{answer.registry_age_seconds:.0f} s ago")))
    desired_text = (
        ABSENT
        if desired is None
        else f"model {desired.model_id or ABSENT}, generation {desired.generation}, {desired.precision}"
    )
    rows += [
        ("task", to_text(f"{each.name} is down: {each.reason}", "red")) for each in answer.tasks if not each.running
    ]
    rows.append(("desired", desired_text))
    if answer.problem:
        rows.append(("problem", _format_problem(answer.problem)))
    state = "installed" if backbone.installed else "not installed"
    rows.append(("backbone", to_text(f"{backbone.file} {state}")))
    rows += [
        ("backbone", to_text(f"{each.name}: {each.width} values, digest {each.digest[:12]}"))
        for each in answer.backbones
    ]
    rows.append(("database", to_text(f"{database.dialect}, {'reachable' if database.reachable else 'not reachable'}")))
    if database.problem:
        rows.append(("problem", _format_problem(database.problem)))
    if not answer.replicas:
        return Group(build_fact_table(rows), Text("No server has reported lately.", "dim"))
    failures = [to_text(f"{each.replica}: {each.error.detail}", "red") for each in answer.replicas if each.error]
    return Group(build_fact_table(rows), _build_replica_table(answer), *failures)


def _build_replica_table(answer: Status) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("server", "state", "model", "generation", "lag", "seen"):
        table.add_column(heading)
    for each in answer.replicas:
        style = {"live": "green", "failed": "red"}.get(each.state, "")
        table.add_row(
            to_text(each.replica),
            Text(each.state, style),
            to_text(each.model_id),
            to_text(each.generation),
            ABSENT if each.lag_seconds is None else f"{each.lag_seconds:.2f} s",
            format_time(each.seen_at),
        )
    return table
