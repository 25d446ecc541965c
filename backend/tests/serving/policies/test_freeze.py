"""In a freeze nothing is activated, except with an admin's reason."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from sqlalchemy import update

from tests.fault_points import act_at
from tests.postgres import only_sqlite
from tests.serving.conftest import Register
from tests.serving.policies.conftest import AddPerson, SetPolicies, find_live
from understudy.container import Services
from understudy.errors import ApprovalNeeded, Frozen, PolicyRefused, RequestInvalid, RequestStale
from understudy.models import PoliciesRow, Principal, utc_now
from understudy.schemas.access.role import Role
from understudy.schemas.server.freeze import FreezeWindow

ALWAYS = {"begins": "2020-01-01 00:00", "ends": "2999-01-01 00:00", "time_zone": "UTC"}


def covers(begins: str, ends: str, zone: str, moment: str) -> bool:
    window = FreezeWindow(begins=begins, ends=ends, time_zone=zone)
    return window.covers(datetime.fromisoformat(moment).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("begins", "ends", "zone", "moment", "expected"),
    [
        ("fri 16:00", "mon 08:00", "Europe/Berlin", "2026-11-27T14:59:59", False),
        ("fri 16:00", "mon 08:00", "Europe/Berlin", "2026-11-27T15:00:00", True),
        ("fri 16:00", "mon 08:00", "Europe/Berlin", "2026-11-30T06:59:59", True),
        ("fri 16:00", "mon 08:00", "Europe/Berlin", "2026-11-30T07:00:00", False),
        ("Mon 09:00", "tue 09:00", "UTC", "2026-11-24T08:59:00", True),
        ("mon 09:00", "tue 09:00", "UTC", "2026-11-24T09:00:00", False),
        ("22:00", "06:00", "America/New_York", "2026-11-28T03:00:00", True),
        ("22:00", "06:00", "America/New_York", "2026-11-28T11:00:00", False),
        ("12:00", "13:00", "UTC", "2026-11-28T12:59:59", True),
        ("2026-12-20 00:00", "2027-01-05T08:00", "Asia/Tokyo", "2026-12-19T14:59:59", False),
        ("2026-12-20 00:00", "2027-01-05T08:00", "Asia/Tokyo", "2026-12-19T15:00:00", True),
        ("2026-12-20 00:00", "2027-01-05T08:00", "Asia/Tokyo", "2027-01-04T23:00:00", False),
        # The clock on the wall decides: this night has the hour from 2 to 3 twice, and the one in spring not at all.
        ("02:00", "03:00", "Europe/Berlin", "2026-10-25T00:30:00", True),
        ("02:00", "03:00", "Europe/Berlin", "2026-10-25T01:30:00", True),
        ("02:00", "03:00", "Europe/Berlin", "2026-03-29T01:00:00", False),
    ],
)
def test_a_span_holds_by_the_clock_of_its_zone(begins: str, ends: str, zone: str, moment: str, expected: bool) -> None:
    assert covers(begins, ends, zone, moment) is expected


@pytest.mark.parametrize(
    ("begins", "ends", "zone", "reason"),
    [
        ("fri 16:00", "08:00", "UTC", "different forms"),
        ("fri 16:00", "fri 16:00", "UTC", "not after"),
        ("2026-12-20", "2026-12-19", "UTC", "not after"),
        ("fri 24:00", "mon 08:00", "UTC", "no time"),
        ("someday", "mon 08:00", "UTC", "no time"),
        ("2026-12-20T00:00Z", "2026-12-21", "UTC", "names a zone"),
        ("22:00", "06:00", "Mars/Olympus", "no time zone"),
        ("22:00", "06:00", "../../etc/passwd", "no time zone"),
    ],
)
def test_a_span_that_means_nothing_is_refused(begins: str, ends: str, zone: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        FreezeWindow(begins=begins, ends=ends, time_zone=zone)


@pytest.mark.anyio
async def test_only_a_reason_passes_a_freeze_and_the_history_keeps_it(
    services: Services, register: Register, set_policies: SetPolicies
) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    await set_policies(freezes=[ALWAYS])
    with pytest.raises(Frozen, match="2999"):
        await services.operations.activate(second, "test", wait=True)
    with pytest.raises(Frozen):
        await services.activation.activate(second, "test")
    with pytest.raises(RequestInvalid, match="for a reason only"):
        await services.operations.activate(second, "test", wait=True, override_freeze=True, reason=" ")
    assert find_live(services) == first
    await services.operations.activate(second, "test", wait=True, override_freeze=True, reason="every siren is missed")
    assert find_live(services) == second
    [entry, _] = (await services.registry.list_history(event="activated")).entries
    assert entry.detail is not None
    assert "was overridden: every siren is missed." in entry.detail
    with pytest.raises(Frozen):
        await services.operations.roll_back("test", wait=True)


@only_sqlite
@pytest.mark.anyio
async def test_a_freeze_that_begins_while_a_model_is_prepared_holds(
    services: Services, register: Register, set_policies: SetPolicies, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    preparation = services.activation._preparation
    done = act_at(monkeypatch, preparation, "prepare_activation", lambda: set_policies(freezes=[ALWAYS]))
    with pytest.raises(Frozen):
        await services.operations.activate(model, "test", wait=True)
    assert done
    assert find_live(services) is None


@only_sqlite
@pytest.mark.anyio
async def test_an_approval_in_a_freeze_needs_the_override_of_the_one_or_the_other(
    services: Services, register: Register, add_person: AddPerson, set_policies: SetPolicies
) -> None:
    anna, boris = await add_person("anna"), await add_person("boris")
    model = await register("first")
    await set_policies(four_eyes=True)
    with pytest.raises(ApprovalNeeded):
        await services.operations.activate(model, anna, wait=True)
    await set_policies(four_eyes=True, freezes=[ALWAYS])
    [request] = (await services.policies.get_status()).requests
    with pytest.raises(Frozen):
        await services.approvals.approve(request.request_id, boris, wait=True)
    await services.approvals.approve(request.request_id, boris, wait=True, override_reason="it cannot wait")
    assert find_live(services) == model


@only_sqlite
@pytest.mark.anyio
async def test_policies_that_cannot_be_read_let_nothing_pass(services: Services, register: Register) -> None:
    model = await register("first")
    window = ALWAYS | {"time_zone": "Gone/Zone"}
    async with services.database.write() as session:
        session.add(PoliciesRow(policies_id=1, document={"freezes": [window]}, changed_at=utc_now()))
    with pytest.raises(PolicyRefused, match="Gone/Zone"):
        await services.operations.activate(model, "test", wait=True)


@only_sqlite
@pytest.mark.anyio
async def test_an_override_of_somebody_who_is_no_admin_any_more_does_not_hold(
    services: Services, register: Register, add_person: AddPerson, set_policies: SetPolicies
) -> None:
    anna, boris = await add_person("anna", Role.ADMIN), await add_person("boris")
    model = await register("first")
    await set_policies(four_eyes=True, freezes=[ALWAYS])
    with pytest.raises(ApprovalNeeded):
        await services.operations.activate(model, anna, wait=True, override_freeze=True, reason="urgent")
    [request] = (await services.policies.get_status()).requests
    async with services.database.write() as session:
        await session.execute(update(Principal).where(Principal.name == "anna").values(role=Role.OPERATOR))
    with pytest.raises(RequestStale, match="may not do so any more"):
        await services.approvals.approve(request.request_id, boris, wait=True)
    async with services.database.write() as session:
        await session.execute(update(Principal).where(Principal.name == "anna").values(role=Role.ADMIN))
    await services.approvals.approve(request.request_id, boris, wait=True)
    assert find_live(services) == model
