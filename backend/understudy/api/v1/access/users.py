"""The people who may use the server, over HTTP."""

from fastapi import APIRouter, status

from understudy.access.actions import Action
from understudy.api.access.permission import CurrentCaller, require
from understudy.api.dependencies import Served
from understudy.api.paths import USERS
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.uploads.json_route import JsonRoute
from understudy.errors import AccountRefused, AccountTaken, LastAdmin, PasswordRefused, RequestInvalid, UserNotFound
from understudy.schemas.access.account import UserCreate, UserList, UserOut, UserUpdate
from understudy.schemas.registry.model import ModelId

router = APIRouter(prefix=USERS, tags=["access"], route_class=JsonRoute, dependencies=require(Action.MANAGE_ACCESS))

_CHANGES = describe_problems(UserNotFound, LastAdmin, AccountRefused, PasswordRefused, RequestInvalid)


@router.get("", summary="List people")
async def list_users(services: Served) -> UserList:
    """People, and the identities of other services' tokens that were seen."""
    return UserList(users=await services.access.people.list())


@router.post(
    "",
    summary="Add a person",
    status_code=status.HTTP_201_CREATED,
    responses=describe_problems(AccountTaken, AccountRefused, PasswordRefused, RequestInvalid),
)
async def add_user(services: Served, caller: CurrentCaller, body: UserCreate) -> UserOut:
    """Add a person with a password. The first admin is made by the command line."""
    access = services.access
    user = await access.people.add(body.name, body.role, body.password.get_secret_value(), by=caller.name or "api")
    await access.refresh()
    return user


@router.patch("/{principal_id}", summary="Change a person", responses=_CHANGES)
async def update_user(services: Served, caller: CurrentCaller, principal_id: ModelId, body: UserUpdate) -> UserOut:
    """Change role or password, disable or enable; a new password and a disabled account end the person's sessions."""
    password = None if body.password is None else body.password.get_secret_value()
    user = await services.access.people.update(
        principal_id, role=body.role, password=password, disabled=body.disabled, by=caller.name or "api"
    )
    await services.access.refresh()
    return user


@router.delete(
    "/{principal_id}/sessions", summary="Sign a person out everywhere", responses=describe_problems(UserNotFound)
)
async def end_user_sessions(services: Served, caller: CurrentCaller, principal_id: ModelId) -> UserOut:
    """End all sessions of the person, in every browser; their open event streams and WebSockets end within a second."""
    user = await services.access.people.end_sessions(principal_id, by=caller.name or "api")
    await services.access.refresh()
    return user


@router.delete("/{principal_id}", summary="Remove a person", responses=_CHANGES)
async def remove_user(services: Served, caller: CurrentCaller, principal_id: ModelId) -> UserOut:
    """Remove the person and their sessions; the history keeps their name."""
    user = await services.access.people.remove(principal_id, by=caller.name or "api")
    await services.access.refresh()
    return user
