"""A server that knows an admin, and the credentials of every role."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import update
from starlette.types import ASGIApp

from understudy.access.access import Access
from understudy.api.access.session_cookie import NAME
from understudy.container import Services
from understudy.main import create_app
from understudy.models import AccessKey, BrowserSession, utc_now
from understudy.schemas.access.account import KeyCreate
from understudy.schemas.access.role import Role
from understudy.settings import Settings

PASSWORD = "correct horse battery"  # noqa: S105
JWT_SECRET = "a secret of at least thirty-two characters"  # noqa: S105
ALLOWED_ORIGIN = "http://app.example"
ISSUER = "https://project.supabase.co/auth/v1"
PEOPLE = (Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.ADMIN)

Headers = Mapping[str, str]


@pytest.fixture
def guarded_settings(settings: Settings) -> Settings:
    """Cheap passwords, and tokens of a Supabase project."""
    return settings.model_copy(
        update={
            "password_memory_kib": 8,
            "password_passes": 1,
            "jwt_secret": SecretStr(JWT_SECRET),
            "jwt_issuer": ISSUER,
            "allowed_origins": (ALLOWED_ORIGIN,),
        }
    )


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A build of the page."""
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<title>page</title>")
    (page / "assets" / "index.js").write_text("0")
    return page


@dataclass
class GuardedServer:
    """A running application, its use-cases, and the ways to make credentials for it."""

    fastapi: FastAPI
    app: ASGIApp
    services: Services

    @property
    def access(self) -> Access:
        return self.services.access

    async def make_key(self, role: Role, name: str | None = None) -> str:
        source = "gate-3" if role is Role.DEVICE else None
        made = await self.access.keys.create(
            KeyCreate(name=name or f"key of {role}", role=role, source=source), by="test"
        )
        await self.access.refresh()
        return made.key

    async def expire_key(self, name: str) -> None:
        [key] = [each for each in await self.access.keys.list() if each.name == name]
        async with self.services.database.write() as session:
            past = utc_now() - timedelta(seconds=1)
            await session.execute(
                update(AccessKey).where(AccessKey.principal_id == key.principal_id).values(expires_at=past)
            )

    async def sign_in(self, role: Role, name: str | None = None) -> str:
        """Return the cookie's value of a new person's session."""
        name = name or f"person, {role}"
        await self.access.people.add(name, role, PASSWORD, by="test")
        await self.access.refresh()
        return (await self.access.sign_ins.sign_in(name, PASSWORD, "127.0.0.1")).token

    async def expire_sessions(self, name: str, **changes: Any) -> None:
        principal_id = await self.access.people.get_id(name)
        async with self.services.database.write() as session:
            await session.execute(
                update(BrowserSession).where(BrowserSession.principal_id == principal_id).values(**changes)
            )


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def cookie(token: str) -> dict[str, str]:
    """The headers that a browser sends from the server's own page."""
    return {"cookie": f"other=1; {NAME}={token}", "origin": "http://localhost"}


def make_token(
    subject: str, role: str | None = "viewer", *, secret: str = JWT_SECRET, seconds: int = 600, **claims: Any
) -> str:
    """Return a JWT as Supabase makes them."""
    now = utc_now()
    document = {
        "sub": subject,
        "iss": ISSUER,
        "aud": "authenticated",
        "exp": now + timedelta(seconds=seconds),
        "email": f"{subject}@example.org",
        "app_metadata": {} if role is None else {"understudy_role": role},
    }
    return jwt.encode(document | claims, secret, algorithm="HS256")


@pytest.fixture
async def guarded(
    guarded_settings: Settings, page: Path, migrated: None, shared_store: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[GuardedServer]:
    """A server with access control, at which wrong credentials are answered without a pause."""
    monkeypatch.setattr("understudy.api.access.failed_keys._SLOW_SECONDS", 0.0)
    app = create_app(guarded_settings, page)
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as manager:
        services: Services = manager._state["services"]
        await services.access.people.add("root", Role.ADMIN, PASSWORD, by="test")
        await services.access.refresh()
        yield GuardedServer(app, manager.app, services)
