"""Gives the subjects of other services' tokens an id of their own, for the history and `created_by_user_id`."""

from sqlalchemy.ext.asyncio import AsyncSession

from understudy.access.tokens.token_verifier import TokenFacts
from understudy.models import Principal, PrincipalKind
from understudy.registry.access import principals


async def find_or_add_identity(session: AsyncSession, facts: TokenFacts) -> Principal:
    """Return the identity of this issuer and subject, with the token's name and role; add it on first sight."""
    found = await principals.find_subject(session, facts.issuer, facts.subject)
    if found is None:
        return await principals.insert(
            session,
            PrincipalKind.IDENTITY,
            facts.name,
            role=facts.role,
            issuer=facts.issuer,
            subject=facts.subject,
        )
    found.role, found.name = facts.role, facts.name
    return found
