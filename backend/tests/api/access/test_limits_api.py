"""A caller past its limit gets 429 with Retry-After, and others go on."""

import httpx
import pytest

from tests.api.access.conftest import GuardedServer, bearer
from understudy.access.credentials.credential import Credential
from understudy.schemas.access.account import KeyUpdate
from understudy.schemas.access.role import Role
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def guarded_settings(guarded_settings: Settings) -> Settings:
    return guarded_settings.model_copy(update={"request_limits": {"viewer": 2}, "concurrency_limits": {"editor": 1}})


async def test_a_caller_past_its_limit_is_refused_and_counted(guarded: GuardedServer) -> None:
    viewer, other = await guarded.make_key(Role.VIEWER, "one"), await guarded.make_key(Role.VIEWER, "two")
    editor = await guarded.make_key(Role.EDITOR, "three")
    transport = httpx.ASGITransport(guarded.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

        async def ask(key: str, path: str = "/api/v1/models/types") -> httpx.Response:
            return await client.get(path, headers=bearer(key))

        answers = [await ask(viewer) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == "1"
        problem = answers[2].json()
        assert (problem["code"], problem["status"]) == ("limit_reached", 429)
        assert problem["detail"] == "one may send 2 requests a second."
        assert (await ask(other)).status_code == 200
        assert (await ask(viewer, "/health/live")).status_code == 200  # whoever watches the server is not limited

        await guarded.access.keys.update("one", KeyUpdate(requests_per_second=1000), by="test")
        await guarded.access.refresh()
        assert [(await ask(viewer)).status_code for _ in range(5)] == [200] * 5

        caller = await guarded.access.authenticator.identify(Credential(editor))
        limits = guarded.access.limits.find(caller)
        assert limits is not None
        with guarded.access.limits.enter(caller, limits):
            busy = await ask(editor)
        assert (busy.status_code, busy.json()["code"]) == (429, "limit_reached")
        assert (await ask(editor)).status_code == 200

        metrics = (await ask(other, "/metrics")).text
    assert 'understudy_limited_requests_total{kind="key"} 2.0' in metrics
    assert 'understudy_limited_requests_total{kind="person"} 0.0' in metrics
