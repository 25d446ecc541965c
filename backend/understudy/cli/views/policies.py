"""Shows the policies of activations, and what they hold back."""

from rich import box
from rich.console import RenderableType
from rich.table import Table

from understudy.cli.views.cells import build_fact_table, format_time, to_text
from understudy.schemas.server.policies import ActivationRequest, Confirmation, Policies, PolicyStatus


def format_policies(policies: Policies) -> RenderableType:
    """Return the policies as facts."""
    four_eyes = f"on; a request expires after {policies.request_hours} h" if policies.four_eyes else "off"
    freezes = "\n".join(map(str, policies.freezes)) or "none"
    minutes = policies.confirm_minutes
    confirm = "off" if minutes is None else f"within {minutes} min, or the model before is live again"
    signers = ", ".join(each.name for each in policies.signers) or "none: unsigned models go live"
    return build_fact_table(
        [
            ("four eyes", to_text(four_eyes)),
            ("freezes", to_text(freezes)),
            ("confirmation", to_text(confirm)),
            ("signers", to_text(signers)),
        ]
    )


def format_status(status: PolicyStatus) -> list[RenderableType]:
    """Return the policies, then a line or a table for everything that they hold back now."""
    views: list[RenderableType] = [format_policies(status.policies)]
    if status.freeze is not None:
        views.append(to_text(f"Frozen now: {status.freeze}", "yellow"))
    if status.confirmation is not None:
        views.append(to_text(_describe(status.confirmation), "yellow"))
    if status.requests:
        views.append(_build_table(status.requests))
    return views


def _describe(confirmation: Confirmation) -> str:
    before = confirmation.return_model_name or "whose record is gone"
    left = "at any moment" if confirmation.seconds_left <= 0 else f"in {confirmation.seconds_left:.0f} s"
    return (
        f"Model {confirmation.model_id} ({confirmation.model_name}) is not confirmed: model "
        f"{confirmation.return_model_id} ({before}) is live again {left}. Keep it: understudy policy confirm"
    )


def _build_table(requests: tuple[ActivationRequest, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("request", "what", "model", "asked by", "when", "expires", "reason"):
        table.add_column(heading, overflow="fold")
    for each in requests:
        table.add_row(
            to_text(each.request_id),
            to_text(each.kind),
            to_text(f"{each.model_id} {each.model_name} {each.version or ''}".strip()),
            to_text(each.requested_by.name if each.requested_by else None),
            format_time(each.requested_at),
            format_time(each.expires_at),
            to_text(each.reason),
        )
    return table
