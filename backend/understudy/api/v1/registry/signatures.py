"""Signatures of models over HTTP."""

from typing import Any

from fastapi import APIRouter

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.dependencies import ModelIdPath, Served
from understudy.api.paths import MODELS
from understudy.api.problems.problem_responses import describe_problems
from understudy.api.uploads.json_route import JsonRoute
from understudy.api.v1.registry.models import FILE_REFUSALS
from understudy.errors import BodyTooLarge, ModelNotFound, RequestInvalid, SignatureInvalid
from understudy.schemas.registry.signature import ModelSignature, SignatureBundle

router = APIRouter(prefix=MODELS, tags=["models"], route_class=JsonRoute)

_PROBLEMS: dict[int | str, dict[str, Any]] = describe_problems(ModelNotFound, *FILE_REFUSALS, RequestInvalid)


@router.get(
    "/{model_id}/signature", summary="A model's signature", responses=_PROBLEMS, dependencies=require(Action.VIEW)
)
async def get_model_signature(services: Served, model_id: ModelIdPath) -> ModelSignature:
    """Return who signed the model, or why no signature counts, and what a signature has to cover."""
    return await services.signatures.describe(model_id)


@router.put(
    "/{model_id}/signature",
    summary="Set a model's signature",
    responses={**_PROBLEMS, **describe_problems(SignatureInvalid, BodyTooLarge, RequestInvalid)},
    dependencies=require(Action.EDIT),
)
async def set_model_signature(services: Served, model_id: ModelIdPath, body: SignatureBundle) -> ModelSignature:
    """Store a signature that `model_signing sign key` made elsewhere, beside the model's file."""
    return await services.signatures.store(model_id, body.model_dump_json(by_alias=True).encode())
