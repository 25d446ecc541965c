"""A model that was refused is refused at once from then on, until somebody asks to compile it again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.hostile_files import write_without_inputs
from tests.serving.conftest import Opener
from understudy.compiler.isolation.sandbox import Sandbox
from understudy.container import Services
from understudy.errors import CompileFailed, DatabaseUnavailable
from understudy.models import CompileState
from understudy.schemas.registry.model import ModelCreate

pytestmark = pytest.mark.anyio


@pytest.fixture
async def refused(services: Services) -> int:
    """The id of a model without inputs, which was refused once."""
    write_without_inputs(services.settings.models_dir / "constant.onnx")
    request = ModelCreate(model_name="constant", file_path="models/constant.onnx")
    model_id = (await services.registry.register(request, "test")).model_id
    with pytest.raises(CompileFailed, match="no inputs"):
        await services.predictor.choose(model_id)
    return model_id


@pytest.fixture
def count_children(refused: int, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Has an element for each child process that was started to compile since the refusal."""
    started: list[None] = []
    run = Sandbox.run

    async def counted(*arguments: object) -> bytes:
        started.append(None)
        return await run(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Sandbox, "run", counted)
    return started


async def test_predictions_and_activations_get_the_refusal_without_a_new_attempt(
    services: Services, refused: int, count_children: list[None], open_process: Opener
) -> None:
    for process in (services, await open_process()):
        with pytest.raises(CompileFailed, match="no inputs") as again:
            await process.predictor.choose(refused)
        assert "understudy compile MODEL_ID" in again.value.remedy
        with pytest.raises(CompileFailed, match="no inputs"):
            await process.activation.activate(refused, "test")
        assert (await process.registry.get(refused)).compile_state == CompileState.REFUSED
    assert count_children == []


async def test_asking_for_it_compiles_it_again(services: Services, refused: int, count_children: list[None]) -> None:
    model = (await services.registry.read_spec_now(refused)).model
    with pytest.raises(CompileFailed, match="no inputs"):
        await services.compilation.compile(model, retry=True)
    assert len(count_children) == 1
    await services.model_changes.compile_again(refused)
    with pytest.raises(CompileFailed, match="no inputs"):
        await services.predictor.choose(refused)
    assert len(count_children) == 2


async def test_a_refusal_keeps_its_error_where_the_database_is_gone_when_it_is_recorded(
    services: Services, refused: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def down() -> AsyncIterator[AsyncSession]:
        raise DatabaseUnavailable("The network is gone.")
        yield

    async def compile_and_lose_the_database(*_: object) -> bytes:
        monkeypatch.setattr(services.database, "write", down)
        raise CompileFailed("The child says no.")

    model = (await services.registry.read_spec_now(refused)).model
    monkeypatch.setattr(Sandbox, "run", compile_and_lose_the_database)
    with pytest.raises(CompileFailed, match="The child says no"):
        await services.compilation.compile(model, retry=True)
