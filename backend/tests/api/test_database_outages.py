"""A server whose database is silent, read-only or closed to it: typed refusals in time, and predictions go on."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest
from asgi_lifespan import LifespanManager
from psycopg import sql

from tests.faults import TcpProxy
from tests.postgres import get_database_name
from tests.types import ModelFactory
from understudy.main import create_app
from understudy.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/v1/models", {"json": {"model_name": "new", "file_path": "models/second.onnx"}}),
    ("PUT", "/api/v1/models/2", {"json": {"description": "other"}}),
    ("PATCH", "/api/v1/models/2", {"json": {"description": "other"}}),
    ("POST", "/api/v1/models/2/activate", {}),
    ("POST", "/api/v1/models/2/activate?wait=false", {}),
    ("POST", "/api/v1/models/rollback", {}),
    ("DELETE", "/api/v1/models/2/examples", {}),
    ("DELETE", "/api/v1/models/2", {}),
]


@asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        LifespanManager(create_app(settings), startup_timeout=60, shutdown_timeout=60) as manager,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(manager.app, raise_app_exceptions=False), base_url="http://localhost"
        ) as client,
    ):
        yield client


@pytest.fixture
def models(settings: Settings, make_model: ModelFactory, shared_store: None) -> None:
    for index, name in enumerate(("first", "second")):
        make_model(settings.models_dir / f"{name}.onnx", winner=index)


async def register_both(client: httpx.AsyncClient) -> None:
    """Register models 1 and 2; both were live, and 1 is now."""
    for name in ("first", "second"):
        body = {"model_name": name, "file_path": f"models/{name}.onnx"}
        (await client.post("/api/v1/models", json=body)).raise_for_status()
    for model_id in (2, 1):
        (await client.post(f"/api/v1/models/{model_id}/activate")).raise_for_status()


async def predict(client: httpx.AsyncClient, wav: bytes) -> str:
    answer = await client.post("/api/v1/predict", content=wav, headers={"content-type": "audio/wav"})
    return str(answer.raise_for_status().json()["model"]["model_name"])


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """The name of the database, and of a role that owns it."""
    name = get_database_name(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for statement in ("CREATE ROLE {} LOGIN", "ALTER DATABASE {} OWNER TO {}", "GRANT ALL ON SCHEMA public TO {}"):
            names = [sql.Identifier(name)] * statement.count("{}")
            connection.execute(sql.SQL(statement).format(*names))
        yield name
        connection.execute(sql.SQL("REASSIGN OWNED BY {} TO postgres").format(sql.Identifier(name)))
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.mark.parametrize("fault", ["read_only", "revoked"])
async def test_a_database_that_may_not_be_written_refuses_changes_and_serves_on(
    settings: Settings, models: None, role: str, postgres_url: str, fault: str, wav: bytes
) -> None:
    address = postgres_url.replace("postgres@", f"{role}@")
    async with serve(settings.model_copy(update={"database_url": address})) as client:
        await register_both(client)
        async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as other:
            name = sql.Identifier(role)
            if fault == "read_only":
                await other.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
                await other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [role])
            else:
                await other.execute(sql.SQL("REVOKE INSERT, UPDATE, DELETE ON ml_models FROM {}").format(name))
                await other.execute(sql.SQL("REVOKE INSERT, UPDATE, DELETE ON understudy_history FROM {}").format(name))
                await other.execute(sql.SQL("REVOKE INSERT, UPDATE ON understudy_operations FROM {}").format(name))
                await other.execute(sql.SQL("REVOKE DELETE ON understudy_examples FROM {}").format(name))
        for method, path, content in CHANGES:
            answer = await client.request(method, path, **content)
            assert (answer.status_code, answer.json()["code"]) == (503, "database_denied"), (method, path, answer.text)
            assert answer.json()["remedy"]
            assert answer.headers["retry-after"]
        listed = (await client.get("/api/v1/models")).raise_for_status().json()
        assert [(each["model_id"], each["description"]) for each in listed["models"]] == [(1, None), (2, None)]
        assert (await client.get("/health/ready?model=required")).status_code == 200
        assert await predict(client, wav) == "first"
        assert (await client.get("/api/v1/status")).json()["in_sync"]


async def test_a_silent_database_costs_its_deadline_shows_in_readiness_and_is_followed_again(
    settings: Settings, models: None, postgres_proxy: TcpProxy, proxied_url: str, postgres_url: str, wav: bytes
) -> None:
    quick = {"database_seconds": 1.0, "max_registry_age_seconds": 0.6, "poll_seconds": 0.05}
    proxied = settings.model_copy(update={"database_url": proxied_url, **quick})
    direct = settings.model_copy(update={"database_url": postgres_url, "poll_seconds": 0.05})
    async with serve(direct) as other, serve(proxied) as client:
        await register_both(other)

        async def await_readiness(*, ready: bool) -> httpx.Response:
            async with asyncio.timeout(30):
                while (answer := await client.get("/health/ready?model=required")).is_success is not ready:
                    await asyncio.sleep(0.02)
            return answer

        async with asyncio.timeout(30):
            while not (await client.get("/api/v1/status")).json()["in_sync"] or await predict(client, wav) != "first":
                await asyncio.sleep(0.02)
        postgres_proxy.silence()
        started = time.monotonic()
        answers = await asyncio.gather(
            client.get("/api/v1/models"),
            client.patch("/api/v1/models/2", json={"description": "other"}),
            client.post("/api/v1/models/2/activate"),
        )
        assert time.monotonic() - started < 6
        assert [answer.status_code for answer in answers] == [503, 503, 503]
        outdated = await await_readiness(ready=False)
        assert (outdated.status_code, outdated.json()["code"]) == (503, "registry_outdated")
        assert not (await client.get("/api/v1/status")).json()["in_sync"]
        assert await predict(client, wav) == "first"
        (await other.post("/api/v1/models/2/activate")).raise_for_status()
        postgres_proxy.resume()
        await await_readiness(ready=True)
        async with asyncio.timeout(30):
            while await predict(client, wav) != "second":
                await asyncio.sleep(0.02)
