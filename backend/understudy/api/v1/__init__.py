"""The documented API, version 1."""

from fastapi import APIRouter

from understudy.api import health
from understudy.api.paths import V1
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.v1 import (
    account,
    batch,
    demo,
    deployment,
    events,
    examples,
    files,
    history,
    keys,
    models,
    oidc,
    policies,
    predict,
    predictions,
    recent_statistics,
    replicas,
    session,
    signatures,
    status,
    stream,
    users,
)
from understudy.errors import RequestInvalid

router = APIRouter(prefix=V1, responses=describe_problems(RequestInvalid))
router.include_router(examples.registration)
# Routes are tried in order, and most requests are predictions.
for part in (
    predict,
    batch,
    stream,
    deployment,
    files,
    examples,
    models,
    demo,
    history,
    predictions,
    events,
    recent_statistics,
    status,
    replicas,
    session,
    oidc,
    account,
    users,
    keys,
    policies,
    signatures,
):
    router.include_router(part.router)
router.include_router(deployment.operations)
router.include_router(health.v1_router)
