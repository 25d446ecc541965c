"""Policies over HTTP: who may change them, who gives the second word, and what a key counts as."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.api.access.conftest import GuardedServer, Headers, bearer, cookie
from tests.types import ModelFactory
from understudy.schemas.access.role import Role

pytestmark = pytest.mark.anyio

Ask = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


@asynccontextmanager
async def open_client(guarded: GuardedServer) -> AsyncIterator[Ask]:
    """Provides a function that sends a request and returns status and document."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(guarded.app), base_url="http://localhost/api/v1/"
    ) as client:

        async def ask(headers: Headers, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
            answer = await client.request(method, path, headers=headers, **options)
            return answer.status_code, answer.json()

        yield ask


async def test_a_second_person_approves_over_http(guarded: GuardedServer, make_model: ModelFactory) -> None:
    make_model(guarded.services.settings.models_dir / "first.onnx")
    anna = cookie(await guarded.sign_in(Role.ADMIN, "anna"))
    boris = cookie(await guarded.sign_in(Role.OPERATOR, "boris"))
    await guarded.access.refresh()
    async with open_client(guarded) as ask:
        model = {"model_name": "first", "file_path": "models/first.onnx"}
        model_id = (await ask(anna, "POST", "models", json=model))[1]["model_id"]
        changes = {"four_eyes": True, "confirm_minutes": 5}
        status, refused = await ask(boris, "PATCH", "policies", json=changes)
        assert (status, refused["code"]) == (403, "not_allowed")
        assert (await ask(anna, "PATCH", "policies", json=changes))[0] == 200
        # A key that anna makes speaks for anna.
        key = (await ask(anna, "POST", "keys", json={"name": "ci", "role": "operator"}))[1]
        assert key["person"] == "anna"
        for wait in ("true", "false"):
            status, held = await ask(bearer(key["key"]), "POST", f"models/{model_id}/activate?wait={wait}")
            assert (status, held["code"]) == (409, "approval_needed")
        [request] = (await ask(boris, "GET", "policies"))[1]["requests"]
        approve = f"policies/requests/{request['request_id']}/approve"
        status, refused = await ask(anna, "POST", approve)
        assert (status, refused["code"]) == (403, "approval_refused")
        status, refused = await ask(boris, "POST", f"{approve}?override_freeze=true&reason=x")
        assert (status, refused["code"]) == (403, "not_allowed"), "an override is for admins"
        status, done = await ask(boris, "POST", approve)
        assert (status, done["state"], done["generation"]) == (200, "succeeded", 1)
        status, refused = await ask(boris, "POST", "policies/confirm?generation=1")
        assert (status, refused["code"]) == (409, "nothing_to_confirm"), "no model was live before"
        [entry] = (await ask(boris, "GET", "history?event=activated"))[1]["entries"]
        assert (entry["principal"]["name"], entry["detail"]) == ("boris", "Asked for by ci (request 1).")


async def test_limits_and_person_of_a_key_change_over_http(guarded: GuardedServer) -> None:
    headers = bearer(await guarded.make_key(Role.ADMIN, "admin"))
    await guarded.make_key(Role.VIEWER, "scraper")
    person = await guarded.access.people.get_id("root")
    async with open_client(guarded) as ask:
        changes = {"requests_per_second": 5, "concurrent_requests": 2, "person_id": person}
        status, key = await ask(headers, "PATCH", "keys/scraper", json=changes)
        assert (status, key["requests_per_second"], key["concurrent_requests"], key["person"]) == (200, 5.0, 2, "root")
        status, key = await ask(headers, "PATCH", "keys/scraper", json={"concurrent_requests": None})
        assert (key["requests_per_second"], key["concurrent_requests"], key["person_id"]) == (5.0, None, person)
        for path, body, code in (
            ("keys/none", {}, "key_not_found"),
            ("keys/scraper", {"person_id": 9999}, "user_not_found"),
            ("keys/scraper", {"requests_per_second": 0}, "request_invalid"),
        ):
            assert (await ask(headers, "PATCH", path, json=body))[1]["code"] == code
