"""Reads and writes the row of policies, and finds the freeze that holds."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import Frozen, PolicyRefused
from understudy.models import PoliciesRow, utc_now
from understudy.schemas.server.freeze import FreezeWindow
from understudy.schemas.server.policies import Policies

_ROW = 1


async def read(session: AsyncSession) -> Policies:
    """Return the policies; all are off where nobody has set one.

    Raises PolicyRefused for a row that cannot be read: no activation may pass because somebody broke it.
    """
    row = await session.get(PoliciesRow, _ROW, populate_existing=True)
    try:
        return Policies.model_validate({} if row is None else row.document)
    except ValueError as error:
        raise PolicyRefused(
            f"The row of understudy_policies cannot be read: {error}",
            remedy="An admin deletes this row by SQL, which switches all policies off, and sets them again.",
        ) from error


async def write(session: AsyncSession, policies: Policies) -> None:
    """Replace the row."""
    await session.merge(PoliciesRow(policies_id=_ROW, document=policies.model_dump(mode="json"), changed_at=utc_now()))


def find_freeze(policies: Policies, moment: datetime | None = None) -> FreezeWindow | None:
    """Return the first span that covers `moment`, by default now. Raises PolicyRefused for an unknown time zone."""
    moment = moment or datetime.now(UTC)
    try:
        return next((each for each in policies.freezes if each.covers(moment)), None)
    except ValueError as error:
        raise PolicyRefused(f"A freeze cannot be read: {error}") from error


def refuse_frozen(policies: Policies) -> None:
    """Raises Frozen in a freeze."""
    if (freeze := find_freeze(policies)) is not None:
        raise Frozen(f"No model is activated from {freeze.begins} to {freeze.ends} ({freeze.time_zone}).")
