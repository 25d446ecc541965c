"""Passwords and sessions: what is stored, what ends them, and what a log never shows."""

import pytest
from sqlalchemy import select, text

from understudy.access.access import Access
from understudy.access.credentials.passwords import Passwords
from understudy.errors import NotSignedIn, PasswordRefused
from understudy.models import BrowserSession, Principal
from understudy.registry.database.database import Database
from understudy.schemas.access.role import Role
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"  # noqa: S105


async def test_only_hashes_are_stored(access: Access, database: Database) -> None:
    await access.people.add("ada", Role.ADMIN, PASSWORD, by="test")
    session = await access.sign_ins.sign_in("ada", PASSWORD, "10.0.0.1")
    async with database.read() as reader:
        [person] = await reader.scalars(select(Principal))
        [row] = await reader.scalars(select(BrowserSession))
        tables = await reader.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        dump = [str(each) for name in tables for each in await reader.execute(text(f'SELECT * FROM "{name}"'))]
    assert (person.password_hash or "").startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert len(row.session_hash) == 64
    assert not [line for line in dump if PASSWORD in line or session.token in line]


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 257])
async def test_a_short_or_endless_password_is_refused_and_not_repeated(access: Access, password: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        await access.people.add("ada", Role.ADMIN, password, by="test")
    assert not password or password not in refused.value.detail


async def test_a_new_cost_is_taken_over_at_the_next_sign_in(
    access: Access, database: Database, cheap_settings: Settings
) -> None:
    await access.people.add("ada", Role.ADMIN, PASSWORD, by="test")
    dearer = Access(cheap_settings.model_copy(update={"password_passes": 2}), database)
    await dearer.sign_ins.sign_in("ada", PASSWORD, "10.0.0.1")
    async with database.read() as reader:
        [person] = await reader.scalars(select(Principal))
    assert "m=8,t=2" in (person.password_hash or "")
    await access.sign_ins.sign_in("ada", PASSWORD, "10.0.0.1")


async def test_a_wrong_name_costs_as_much_as_a_wrong_password(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    await access.people.add("ada", Role.ADMIN, PASSWORD, by="test")
    checked: list[str] = []
    matches = Passwords._matches

    def note(self: Passwords, stored: str, password: str) -> bool:
        checked.append(stored.partition("$v=")[0])
        return matches(self, stored, password)

    monkeypatch.setattr(Passwords, "_matches", note)
    for name in ("ada", "nobody"):
        with pytest.raises(NotSignedIn):
            await access.sign_ins.sign_in(name, "wrong horse battery", "10.0.0.1")
    assert checked == ["$argon2id", "$argon2id"]


async def test_failures_are_logged_without_what_was_typed(access: Access, capsys: pytest.CaptureFixture[str]) -> None:
    await access.people.add("ada", Role.ADMIN, PASSWORD, by="test")
    for name in ("ada", "my password typed into the wrong field"):
        with pytest.raises(NotSignedIn):
            await access.sign_ins.sign_in(name, "wrong horse battery", "10.0.0.1")
    shown = "".join(capsys.readouterr())
    assert shown.count("sign-in failed") == 2
    assert "10.0.0.1" in shown
    assert "horse" not in shown
    assert "typed into" not in shown


async def test_a_new_password_ends_the_sessions(access: Access) -> None:
    await access.people.add("ada", Role.ADMIN, PASSWORD, by="test")
    session = await access.sign_ins.sign_in("ada", PASSWORD, "10.0.0.1")
    assert (await access.authenticator.identify(session.credential)).name == "ada"
    await access.people.update(await access.people.get_id("ada"), password=f"{PASSWORD}!", by="test")
    await access.refresh()
    with pytest.raises(NotSignedIn):
        await access.authenticator.identify(session.credential)
    with pytest.raises(NotSignedIn):
        await access.sign_ins.sign_in("ada", PASSWORD, "10.0.0.1")
    await access.sign_ins.sign_in("ada", f"{PASSWORD}!", "10.0.0.1")
