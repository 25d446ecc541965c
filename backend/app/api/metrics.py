"""What Prometheus scrapes."""

from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import PlainTextResponse

from app.api.deps import Served

router = APIRouter(tags=["status"])


@router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
async def scrape(services: Served, accept: Annotated[str, Header()] = "") -> Response:
    """Text format 0.0.4, or OpenMetrics where `Accept` asks for it; docs/metrics.md lists every metric."""
    page, content_type = services.exposition.render(accept)
    return Response(page, headers={"Content-Type": content_type, "Cache-Control": "no-store"})
