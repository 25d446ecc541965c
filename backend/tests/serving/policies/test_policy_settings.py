"""Policies are changed field by field, and every change is in the history."""

import pytest
from pydantic import ValidationError

from tests.postgres import only_sqlite
from tests.serving.policies.conftest import AddPerson
from understudy.container import Services
from understudy.errors import PolicyRefused
from understudy.schemas.access.role import Role
from understudy.schemas.server.policies import Policies, PoliciesUpdate

pytestmark = pytest.mark.anyio


async def test_a_change_is_recorded_with_before_and_after(services: Services, add_person: AddPerson) -> None:
    anna = await add_person("anna", Role.ADMIN)
    assert (await services.policies.get_status()).policies == Policies()
    await services.policies.update(PoliciesUpdate(confirm_minutes=10), anna)
    await services.policies.update(PoliciesUpdate(confirm_minutes=10), anna)
    freeze = {"begins": "fri 16:00", "ends": "mon 08:00", "time_zone": "UTC"}
    await services.policies.update(PoliciesUpdate.model_validate({"freezes": [freeze]}), anna)
    after = await services.policies.update(PoliciesUpdate(confirm_minutes=None), anna)
    assert (after.confirm_minutes, len(after.freezes)) == (None, 1)
    entries = (await services.registry.list_history(event="policies_changed")).entries
    assert [(each.before, each.after) for each in reversed(entries)] == [
        ({"confirm_minutes": None}, {"confirm_minutes": 10}),
        ({"freezes": []}, {"freezes": [freeze]}),
        ({"confirm_minutes": 10}, {"confirm_minutes": None}),
    ]
    assert {each.principal.name if each.principal else None for each in entries} == {"anna"}


@only_sqlite
async def test_four_eyes_need_two_people_who_may_activate(services: Services, add_person: AddPerson) -> None:
    on = PoliciesUpdate(four_eyes=True)
    await add_person("anna", Role.ADMIN)
    await add_person("vera", Role.VIEWER)
    await add_person("a key", Role.ADMIN, key=True)
    with pytest.raises(PolicyRefused, match="1 people may activate"):
        await services.policies.update(on, "test")
    await add_person("boris")
    assert (await services.policies.update(on, "test")).four_eyes


@pytest.mark.parametrize(
    "changes", [{"four_eyes": None}, {"request_hours": 0}, {"confirm_minutes": 0}, {"freezes": None}, {"freeze": []}]
)
def test_what_is_no_policy_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PoliciesUpdate.model_validate(changes)
