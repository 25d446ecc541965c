"""The policy for a live model that ends its workers acts on that model only, and until it has acted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.fault_points import act_at
from tests.serving.conftest import Register
from understudy.container import Services
from understudy.engine.engine import EngineModel
from understudy.errors import Conflict, DatabaseUnavailable, ModelSetAside
from understudy.models import HistoryEvent
from understudy.registry.database.slots import Use
from understudy.serving.activation.broken_model_guard import BrokenModelGuard
from understudy.settings import OnBroken

pytestmark = pytest.mark.anyio


def live_id(services: Services) -> int | None:
    return services.live.current.model.identity.model_id if services.live.current else None


@pytest.fixture
async def broken(services: Services, register: Register, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of a sound model, of the live one, which is set aside, and of a third one."""
    ids = [await register("sound"), await register("broken", 1), await register("third", 2)]
    for model_id in ids[:2]:
        await services.activation.activate(model_id, "test")
    assert services.live.current is not None
    engine_model = services.live.current.model.engine_model

    def find_problem(model: EngineModel | None) -> ModelSetAside | None:
        return ModelSetAside("It ended three.") if model is engine_model else None

    monkeypatch.setattr(services.engine, "find_problem", find_problem)
    return ids


@pytest.fixture
def guard(services: Services) -> BrokenModelGuard:
    settings = services.settings.model_copy(update={"on_broken": OnBroken.ROLLBACK})
    return BrokenModelGuard(settings, services.database, services.live, services.engine, services.operations)


async def test_a_model_activated_while_the_broken_one_is_recorded_stays_live(
    services: Services, guard: BrokenModelGuard, broken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, third = broken
    done = act_at(monkeypatch, guard, "_record", lambda: services.activation.activate(third, "test"), when="before")
    with pytest.raises(Conflict, match="Another model went live"):
        await guard.look()
    assert done
    assert live_id(services) == third
    await guard.look()
    assert live_id(services) == third


async def test_a_return_that_met_an_outage_is_tried_again(
    services: Services, guard: BrokenModelGuard, broken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def down(use: Use = Use.MANAGE) -> AsyncIterator[AsyncSession]:
        raise DatabaseUnavailable("The network is gone.")
        yield

    with monkeypatch.context() as outage:
        outage.setattr(services.database, "read", down)
        with pytest.raises(DatabaseUnavailable):
            await guard.look()
    await guard.look()
    assert live_id(services) == broken[0]
    refused = (await services.registry.list_history(broken[1], event=HistoryEvent.REFUSED)).entries
    assert [entry.code for entry in refused] == ["model_set_aside"]
