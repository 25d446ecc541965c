"""Recent statistics of this process over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.dependencies import Served
from understudy.schemas.server.recent_statistics import TrafficSummary
from understudy.serving.telemetry.recent_statistics import BUCKET_SECONDS, KEPT_BUCKETS

router = APIRouter(prefix="/metrics", tags=["status"])

KEPT_MINUTES = KEPT_BUCKETS * BUCKET_SECONDS // 60


@router.get(
    "/summary", summary="Requests, latency, errors and swaps of the last minutes", dependencies=require(Action.VIEW)
)
async def get_recent_statistics(
    services: Served,
    minutes: Annotated[float, Query(gt=0, le=KEPT_MINUTES)] = 15,
    buckets: Annotated[bool, Query(description="false leaves the buckets out and answers the totals only")] = True,
) -> TrafficSummary:
    """Predictions that this process answered, in buckets of ten seconds."""
    summary = services.recent_statistics.summary(minutes)
    return summary if buckets else summary.model_copy(update={"buckets": []})
