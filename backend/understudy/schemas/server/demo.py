"""Clips to try a model on."""

from pydantic import BaseModel, Field


class DemoClipOut(BaseModel):
    name: str
    title: str
    url: str = Field(description="Where the clip itself is")
    seconds: float


class DemoClips(BaseModel):
    clips: list[DemoClipOut]
