"""Types that the registry's fixtures and tests share."""

from typing import Protocol

from understudy.schemas.registry.model_detail import ModelDetail


class Add(Protocol):
    """Writes a file for the model, registers it and returns it."""

    async def __call__(self, name: str, **columns: object) -> ModelDetail: ...
