"""The keys of machines, over HTTP."""

from fastapi import APIRouter, status

from understudy.access.actions import Action
from understudy.api.access.permission import CurrentCaller, require
from understudy.api.dependencies import Served
from understudy.api.paths import KEYS
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.uploads.json_route import JsonRoute
from understudy.errors import AccountRefused, AccountTaken, KeyNotFound, RequestInvalid, UserNotFound
from understudy.models import PrincipalKind
from understudy.schemas.access.account import KeyCreate, KeyList, KeyOut, KeyUpdate, NewKey

router = APIRouter(prefix=KEYS, tags=["access"], route_class=JsonRoute, dependencies=require(Action.MANAGE_ACCESS))


@router.get("", summary="List keys")
async def list_keys(services: Served) -> KeyList:
    """All keys without their secrets; revoked ones stay in the list."""
    return KeyList(keys=await services.access.keys.list())


@router.post(
    "",
    summary="Make a key",
    status_code=status.HTTP_201_CREATED,
    responses=describe_problems(AccountTaken, AccountRefused, UserNotFound, RequestInvalid),
)
async def create_key(services: Served, caller: CurrentCaller, body: KeyCreate) -> NewKey:
    """Make a key for a machine. The answer holds the secret, which is stored as a hash only and not shown again."""
    if body.person_id is None and caller.kind in (PrincipalKind.PERSON, PrincipalKind.IDENTITY):
        body = body.model_copy(update={"person_id": caller.principal_id})
    key = await services.access.keys.create(body, by=caller.name or "api")
    await services.access.refresh()
    return key


@router.patch(
    "/{name}",
    summary="Change a key's limits or its person",
    responses=describe_problems(KeyNotFound, UserNotFound, RequestInvalid),
)
async def update_key(services: Served, caller: CurrentCaller, name: str, body: KeyUpdate) -> KeyOut:
    """Change the fields that are present, of a key by its name or prefix. They count within a second."""
    key = await services.access.keys.update(name, body, by=caller.name or "api")
    await services.access.refresh()
    return key


@router.delete("/{name}", summary="Revoke a key", responses=describe_problems(KeyNotFound))
async def revoke_key(services: Served, caller: CurrentCaller, name: str) -> KeyOut:
    """Revoke a key by its name or prefix. Its open event streams and WebSockets end within a second."""
    key = await services.access.keys.revoke(name, by=caller.name or "api")
    await services.access.refresh()
    return key
