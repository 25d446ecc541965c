"""The documented API, version 1."""

from fastapi import APIRouter

from understudy.api.problem_responses import problems
from understudy.api.v1 import (
    batch,
    demo,
    events,
    files,
    history,
    models,
    operations,
    predict,
    status,
    stream,
)
from understudy.api.v1 import deployment as stage
from understudy.api.v1 import recent_statistics as traffic
from understudy.errors import RequestInvalid

router = APIRouter(prefix="/api/v1", responses=problems(RequestInvalid))
# Routes are tried in order, and predictions come by the thousand.
for part in (predict, batch, stream, stage, files, models, demo, operations, history, events, traffic, status):
    router.include_router(part.router)
