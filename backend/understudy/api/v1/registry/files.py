"""Lists and receives model files over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, status

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.dependencies import Served
from understudy.api.paths import MODELS
from understudy.api.problems.problem_responses import describe_problems
from understudy.errors import BodyTooLarge, FileExists, FormatUnknown, PathRefused
from understudy.schemas.registry.model_file import UnregisteredFiles, UploadedFile

router = APIRouter(prefix=MODELS, tags=["files"])


@router.get("/files", summary="Files that are not registered yet", dependencies=require(Action.VIEW))
async def list_unregistered_files(services: Served) -> UnregisteredFiles:
    """Model files in `models/` that no row refers to."""
    return UnregisteredFiles(files=await services.registry.list_unregistered_files())


@router.post(
    "/upload",
    summary="Upload a model file",
    status_code=status.HTTP_201_CREATED,
    responses=describe_problems(FileExists, BodyTooLarge, PathRefused, FormatUnknown),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    dependencies=require(Action.EDIT),
)
async def upload_model_file(
    services: Served,
    request: Request,
    filename: Annotated[str, Query(min_length=1, max_length=200, description="Name of the file in `models/`")],
) -> UploadedFile:
    """The raw body becomes `models/<filename>`; a file that is there is never overwritten. Register it afterwards."""
    return await services.uploads.receive(filename, request.stream())
