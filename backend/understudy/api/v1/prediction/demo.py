"""Serves clips to try a model on."""

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.paths import DEMO_CLIPS, V1, add_mount
from understudy.api.problems.problem_responses import describe_problems
from understudy.audio.demo_clips import find_demo_clips
from understudy.errors import NotFound
from understudy.schemas.server.demo import DemoClipOut, DemoClips

router = APIRouter(prefix=DEMO_CLIPS, tags=["predict"])


@router.get("", summary="Clips to try a model on", dependencies=require(Action.VIEW))
async def list_demo_clips(request: Request) -> DemoClips:
    """The clips that come with the source; none in an installed wheel."""
    return DemoClips(
        clips=[
            DemoClipOut(
                name=clip.path.name,
                title=clip.title,
                url=add_mount(request.scope, f"{V1}{DEMO_CLIPS}/{clip.path.name}"),
                seconds=clip.seconds,
            )
            for clip in await run_sync(find_demo_clips)
        ]
    )


@router.get(
    "/{name}",
    summary="One of the clips",
    response_class=FileResponse,
    responses=describe_problems(NotFound),
    dependencies=require(Action.VIEW),
)
async def get_demo_clip(name: str) -> FileResponse:
    """The recording itself."""
    for clip in await run_sync(find_demo_clips):
        if clip.path.name == name:
            return FileResponse(clip.path)
    raise NotFound(f"There is no demo clip {name}.", remedy=f"List them with GET {V1}{DEMO_CLIPS}.")
