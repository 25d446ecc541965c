"""The history of all models over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.dependencies import Served
from understudy.api.problems.problem_responses import describe_problems
from understudy.errors import RequestInvalid
from understudy.schemas.registry.model import HistoryPage, ModelId

router = APIRouter(prefix="/history", tags=["models"])


@router.get(
    "",
    summary="The history of all models",
    responses=describe_problems(RequestInvalid),
    dependencies=require(Action.VIEW),
)
async def get_history(
    services: Served,
    event: Annotated[list[str] | None, Query(description="Only these events; repeat it for several")] = None,
    model_id: ModelId | None = None,
    at: Annotated[
        datetime | None,
        Query(description="The history as it was then, with the model that was live in `live_at`. UTC unless it says"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> HistoryPage:
    """Registrations, activations and refusals of every model, latest first."""
    return await services.registry.list_history(model_id=model_id, event=event, at=at, limit=limit, cursor=cursor)
