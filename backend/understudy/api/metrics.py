"""Serves the metrics to Prometheus."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.dependencies import Served
from understudy.api.paths import METRICS

router = APIRouter(tags=["status"])


@router.get(
    METRICS,
    summary="Metrics for Prometheus",
    response_class=PlainTextResponse,
    dependencies=require(Action.READ_METRICS),
)
async def get_metrics(services: Served, request: Request) -> Response:
    """Text format 0.0.4, or OpenMetrics where `Accept` asks for it; docs/metrics.md lists every metric."""
    page, content_type = services.prometheus.render(request.headers.get("accept", ""))
    return Response(page, headers={"Content-Type": content_type, "Cache-Control": "no-store"})
