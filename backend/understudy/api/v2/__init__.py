"""The Open Inference Protocol, version 2, over REST: what clients of Triton and KServe speak."""

from fastapi import APIRouter

from understudy.api.v2 import metadata, repository

router = APIRouter()
router.include_router(metadata.router)
router.include_router(repository.router)

__all__ = ["router"]
