"""Finds the person behind a principal: for a key, the one for whom it speaks."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import AccessKey, Principal, PrincipalKind, utc_now
from understudy.schemas.access.actor import SYSTEM_USER, ActingPrincipal
from understudy.schemas.access.role import MAY_ACTIVATE

_KINDS = (PrincipalKind.PERSON, PrincipalKind.IDENTITY)


@dataclass(frozen=True)
class Standing:
    """Says whether a principal counts where an activation needs two people.

    `person_id` is the person who counts. `fault` says as the end of a sentence why nobody does, or is None.
    """

    person_id: int | None
    fault: str | None = None
    remedy: str | None = None


async def find_standing(session: AsyncSession, principal: ActingPrincipal | None) -> Standing:
    """Return the person behind a principal as the accounts are now."""
    if principal is None:
        return Standing(None, "is not signed in")
    if principal.kind == SYSTEM_USER:
        return Standing(
            None,
            "is a user of this machine and has no account here",
            "Give the word with an account: on the page, or with --url URL and the key of a person in UNDERSTUDY_KEY.",
        )
    person_id = principal.principal_id
    if principal.kind == PrincipalKind.KEY:
        key = await session.get(AccessKey, principal.principal_id, populate_existing=True)
        if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= utc_now()):
            return Standing(None, "is a key that does not hold any more")
        if (person_id := key.person_id) is None:
            return Standing(
                None,
                "is a key that speaks for nobody",
                f"An admin names its person: `understudy keys assign {principal.name} --person NAME`.",
            )
    person = await session.get(Principal, person_id, populate_existing=True)
    if person is None or person.kind not in _KINDS:
        return Standing(None, "has no account any more")
    if person.disabled_at is not None:
        return Standing(None, f"cannot be counted: the account of {person.name} is disabled")
    if person.role not in MAY_ACTIVATE:
        return Standing(None, f"cannot be counted: {person.name} may not activate models")
    return Standing(person.principal_id)


async def count_activators(session: AsyncSession) -> int:
    """Return how many people may activate models."""
    query = select(func.count()).select_from(Principal)
    return (
        await session.scalar(
            query.where(Principal.kind.in_(_KINDS), Principal.role.in_(MAY_ACTIVATE), Principal.disabled_at.is_(None))
        )
        or 0
    )
