"""The bundled clips can be listed and fetched, and nothing beside them."""

import httpx
import pytest

pytestmark = pytest.mark.anyio


async def test_every_listed_clip_can_be_fetched(client: httpx.AsyncClient) -> None:
    clips = (await client.get("/api/v1/demo-clips")).json()["clips"]
    assert clips
    for clip in clips:
        answer = await client.get(clip["url"])
        assert answer.headers["content-type"].startswith("audio/")
        assert clip["seconds"] > 0


@pytest.mark.parametrize("name", ["none.wav", "..%2f..%2fREADME.md", "%2e%2e%2fREADME.md"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/api/v1/demo-clips/{name}")).status_code == 404
