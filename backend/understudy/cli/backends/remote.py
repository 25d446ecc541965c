"""A backend on a running server, through the documented API."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from understudy.errors import RequestInvalid, Unavailable
from understudy.problem_documents import error_from_problem
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.registry.deletion import ModelDeleted
from understudy.schemas.registry.model import (
    HistoryPage,
    ModelCreate,
    ModelList,
    ModelOut,
    ModelUpdate,
)
from understudy.schemas.registry.model_query import ModelQuery
from understudy.schemas.server.operation import Operation
from understudy.schemas.server.status import Status
from understudy.settings import is_loopback

M = TypeVar("M", bound=BaseModel)

# An hour of audio takes a server with slow cores minutes to answer.
_TIMEOUT = httpx.Timeout(900.0, connect=5.0)


class RemoteBackend:
    """Sends each operation to the server. A problem document is raised as the error class that the server raised."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def register(self, request: ModelCreate) -> ModelOut:
        body = request.model_dump(mode="json", exclude_none=True)
        return await self._request(ModelOut, "POST", "models", json=body)

    async def list(self, query: ModelQuery) -> ModelList:
        return await self._request(ModelList, "GET", "models", params=query.model_dump(mode="json", exclude_none=True))

    async def get(self, model_id: int) -> ModelOut:
        return await self._request(ModelOut, "GET", f"models/{model_id}")

    async def get_active(self) -> ModelOut:
        return await self._request(ModelOut, "GET", "models/active")

    async def update(self, model_id: int, changes: ModelUpdate) -> ModelOut:
        body = changes.model_dump(mode="json", exclude_unset=True)
        return await self._request(ModelOut, "PATCH", f"models/{model_id}", json=body)

    async def delete(self, model_id: int) -> ModelDeleted:
        return await self._request(ModelDeleted, "DELETE", f"models/{model_id}")

    async def activate(self, model_id: int, precision: Precision = Precision.FLOAT32) -> Operation:
        params = {"wait": "false", "precision": precision.value}
        return await self._request(Operation, "POST", f"models/{model_id}/activate", params=params)

    async def roll_back(self) -> Operation:
        return await self._request(Operation, "POST", "models/rollback", params={"wait": "false"})

    async def get_operation(self, operation_id: str) -> Operation:
        return await self._request(Operation, "GET", f"operations/{operation_id}")

    async def predict(self, clip: Path, model_id: int | None) -> Prediction:
        params = {} if model_id is None else {"model_id": model_id}
        with clip.open("rb") as audio:
            upload = {"audio_file": (clip.name, audio)}
            return await self._request(Prediction, "POST", "predict", params=params, files=upload)

    async def list_history(
        self, *, model_id: int | None, event: str | None, limit: int, cursor: str | None
    ) -> HistoryPage:
        given = {"model_id": model_id, "event": event, "limit": limit, "cursor": cursor}
        params = {name: value for name, value in given.items() if value is not None}
        return await self._request(HistoryPage, "GET", "history", params=params)

    async def get_report(self, model_id: int) -> CompileReport:
        return await self._request(CompileReport, "GET", f"models/{model_id}/report")

    async def get_status(self) -> Status:
        return await self._request(Status, "GET", "status")

    async def _request(
        self,
        answer_type: type[M],
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: object = None,
        files: Mapping[str, tuple[str, object]] | None = None,
    ) -> M:
        address = self._client.base_url
        try:
            answer = await self._client.request(method, path, params=params, json=json, files=files)  # type: ignore[arg-type]  # httpx's private file type
        except httpx.TransportError as error:
            raise Unavailable(
                f"No answer from {address}: {str(error) or type(error).__name__}",
                remedy="Start the server with `understudy serve`, or correct --url (UNDERSTUDY_URL).",
            ) from error
        if answer.headers.get("content-type", "").startswith("application/problem+json"):
            raise error_from_problem(answer.json())
        try:
            return answer_type.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable(
                f"{answer.url} answered {answer.status_code} with a document that Understudy cannot read.",
                remedy="Set --url (UNDERSTUDY_URL) to http://HOST:PORT of an Understudy server of this version.",
            ) from error


@asynccontextmanager
async def open_remote(url: str) -> AsyncIterator[RemoteBackend]:
    """Open a backend on the server at `url` (`http://HOST:PORT`). Raises RequestInvalid for another form of `url`."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise RequestInvalid(f"{url} is not an address: {error}", remedy="Give --url as http://HOST:PORT.") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise RequestInvalid(f"{url} is not an http address.", remedy="Give --url as http://HOST:PORT.")
    base = address.copy_with(path=address.path.rstrip("/") + "/api/v1/")
    # A proxy that the environment names is not for this machine's own addresses.
    use_proxy = not is_loopback(address.host)
    async with httpx.AsyncClient(base_url=base, timeout=_TIMEOUT, trust_env=use_proxy) as client:
        yield RemoteBackend(client)
