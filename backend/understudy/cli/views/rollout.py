"""Shows which servers serve a model that was activated."""

from rich.text import Text

from understudy.cli.views.cells import to_text
from understudy.schemas.server.rollout import ReplicaBehind, Rollout


def format_rollout(rollout: Rollout) -> list[Text]:
    """Return a line for all servers, and one for each that does not serve the model."""
    if rollout.problem is not None:
        return [to_text(f"Which servers serve it is unknown: {rollout.problem.detail}", "red")]
    if rollout.replicas == 0:
        return [to_text("No server runs on this database.", "dim")]
    serving = rollout.replicas - len(rollout.behind)
    line = f"{serving} of {rollout.replicas} servers serve it after {rollout.waited_seconds:.1f} s."
    return [to_text(line, "green" if rollout.complete else "yellow"), *map(_format_behind, rollout.behind)]


def _format_behind(replica: ReplicaBehind) -> Text:
    has = "no model" if replica.model_id is None else f"model {replica.model_id}, generation {replica.generation}"
    reason = replica.error.detail if replica.error else "It has not loaded the model yet."
    ago = f"{replica.reported_seconds_ago:.0f} s ago"
    return to_text(f"{replica.replica} ({replica.state}) serves {has}, as it reported {ago}. {reason}", "red")
