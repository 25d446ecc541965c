"""The documented API, version 1."""

from fastapi import APIRouter

from understudy.api import health
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.v1 import deployment, events, policies, recent_statistics, replicas, status
from understudy.api.v1.access import account, keys, oidc, session, users
from understudy.api.v1.prediction import batch, demo, predict, predictions, stream
from understudy.api.v1.registry import examples, files, history, models, signatures
from understudy.errors import RequestInvalid

router = APIRouter(responses=describe_problems(RequestInvalid))
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
