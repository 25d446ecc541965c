"""People who may activate models, and policies that are set without a look at who they are."""

from collections.abc import Awaitable, Callable

import pytest

from understudy.container import Services
from understudy.models import AccessKey, PrincipalKind
from understudy.registry.access import principals
from understudy.registry.deployment import policies
from understudy.schemas.access.actor import ActingPrincipal, Actor, Source
from understudy.schemas.access.role import Role
from understudy.schemas.server.policies import Policies

AddPerson = Callable[..., Awaitable[Actor]]
SetPolicies = Callable[..., Awaitable[None]]


@pytest.fixture
def add_person(services: Services) -> AddPerson:
    """Adds a person, or with `speaks_for` the key of one, and returns who asks for changes in that name."""

    async def add(
        name: str, role: Role = Role.OPERATOR, *, speaks_for: Actor | None = None, key: bool = False
    ) -> Actor:
        kind = PrincipalKind.KEY if key or speaks_for is not None else PrincipalKind.PERSON
        async with services.database.write() as session:
            added = await principals.insert(session, kind, name, role=role, login=name)
            if kind is PrincipalKind.KEY:
                person_id = speaks_for.principal.principal_id if speaks_for and speaks_for.principal else None
                session.add(
                    AccessKey(principal_id=added.principal_id, prefix=name, secret_hash=name, person_id=person_id)
                )
            return Actor(Source.API, ActingPrincipal(added.principal_id, name, kind))

    return add


@pytest.fixture
def set_policies(services: Services) -> SetPolicies:
    async def write(**values: object) -> None:
        async with services.database.write() as session:
            await policies.write(session, Policies.model_validate(values))

    return write


def find_live(services: Services) -> int | None:
    return services.live.current.model.identity.model_id if services.live.current else None
