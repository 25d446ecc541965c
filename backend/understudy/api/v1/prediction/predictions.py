"""The log of predictions over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.dependencies import Served
from understudy.api.problems.problem_responses import describe_problems
from understudy.errors import RequestInvalid
from understudy.registry.models.prediction_rows import PredictionFilter
from understudy.schemas.registry.logged_prediction import LoggedPredictionPage
from understudy.schemas.registry.model import ModelId

router = APIRouter(prefix="/predictions", tags=["predict"])


@router.get(
    "",
    summary="The log of predictions",
    responses=describe_problems(RequestInvalid),
    dependencies=require(Action.READ_PREDICTIONS),
)
async def list_predictions(
    services: Served,
    since: Annotated[datetime | None, Query(description="UTC unless it names a zone")] = None,
    until: Annotated[datetime | None, Query(description="UTC unless it names a zone")] = None,
    model_id: ModelId | None = None,
    label: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> LoggedPredictionPage:
    """Return logged predictions, the latest first; empty where `UNDERSTUDY_PREDICTION_LOG_DAYS` is 0."""
    wanted = PredictionFilter(since, until, model_id, label)
    return await services.prediction_log.list(wanted, limit=limit, cursor=cursor)
