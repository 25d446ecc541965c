"""Services of one or several processes over one home, on each database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from tests.types import ModelFactory
from understudy.container import Services, open_services
from understudy.schemas.registry.model import ModelCreate
from understudy.serving.compilation.quantization import ModelQuantizer
from understudy.settings import Settings

Opener = Callable[[], Awaitable[Services]]
Register = Callable[..., Awaitable[int]]


@pytest.fixture
async def open_process(database_settings: Settings, migrated: None, shared_store: None) -> AsyncIterator[Opener]:
    """Opens another process's services on the same home and database; nothing runs in the background."""
    async with AsyncExitStack() as stack:

        async def opened() -> Services:
            return await stack.enter_async_context(open_services(database_settings))

        yield opened


@pytest.fixture
async def services(open_process: Opener) -> Services:
    return await open_process()


@pytest.fixture
def register(services: Services, database_settings: Settings, make_model: ModelFactory) -> Register:
    """Writes a model that answers label number `winner`, registers it and returns its id."""

    async def registered(name: str, winner: int = 0, labels: tuple[str, ...] | None = ("a", "b", "c")) -> int:
        make_model(database_settings.models_dir / f"{name}.onnx", winner=winner, labels=labels)
        request = ModelCreate(model_name=name, file_path=f"models/{name}.onnx")
        return (await services.registry.register(request, "test")).model_id

    return registered


def build_quantizer(services: Services) -> ModelQuantizer:
    """Return the use-case of the command line that makes int8 variants."""
    return ModelQuantizer(services.settings, services.database, services.registry, services.compilation)
