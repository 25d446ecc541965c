"""The keys of machines, over HTTP."""

from fastapi import APIRouter, status

from understudy.access.actions import Action
from understudy.api.dependencies import Served
from understudy.api.paths import KEYS
from understudy.api.permission import CurrentCaller, require
from understudy.api.problem_responses import describe_problems
from understudy.api.uploads.json_route import JsonRoute
from understudy.errors import AccountRefused, AccountTaken, KeyNotFound, RequestInvalid
from understudy.schemas.access.account import KeyCreate, KeyList, KeyOut, NewKey

router = APIRouter(prefix=KEYS, tags=["access"], route_class=JsonRoute, dependencies=require(Action.MANAGE_ACCESS))


@router.get("", summary="List keys")
async def list_keys(services: Served) -> KeyList:
    """All keys without their secrets; revoked ones stay in the list."""
    return KeyList(keys=await services.access.keys.list())


@router.post(
    "",
    summary="Make a key",
    status_code=status.HTTP_201_CREATED,
    responses=describe_problems(AccountTaken, AccountRefused, RequestInvalid),
)
async def create_key(services: Served, caller: CurrentCaller, body: KeyCreate) -> NewKey:
    """Make a key for a machine. The answer holds the secret, which is stored as a hash only and not shown again."""
    key = await services.access.keys.create(body, by=caller.name or "api")
    await services.access.refresh()
    return key


@router.delete("/{name}", summary="Revoke a key", responses=describe_problems(KeyNotFound))
async def revoke_key(services: Served, caller: CurrentCaller, name: str) -> KeyOut:
    """Revoke a key by its name or prefix. Its open event streams and WebSockets end within a second."""
    key = await services.access.keys.revoke(name, by=caller.name or "api")
    await services.access.refresh()
    return key
