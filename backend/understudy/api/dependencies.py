"""What a route may ask for, as annotated aliases."""

from typing import Annotated, TypedDict, cast

from fastapi import Depends, Path
from starlette.requests import HTTPConnection

from understudy.container import Services


class AppState(TypedDict):
    """What the lifespan hands to every request."""

    services: Services


async def _services(connection: HTTPConnection) -> Services:  # FastAPI would run a plain function in a thread
    return cast("Services", connection.state.services)


Served = Annotated[Services, Depends(_services)]

# The table's SERIAL column ends at 2**31 - 1; anything beyond is a malformed id, not a missing model.
ModelId = Annotated[int, Path(ge=1, le=2**31 - 1, description="`model_id` of a registered model", examples=[1])]
