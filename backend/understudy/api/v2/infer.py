"""Runs models on raw tensors.

The endpoint is plain ASGI: for tiny tensors the framework's validation costs more than the model.
"""

import asyncio
from typing import cast

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from understudy.access.actions import Action
from understudy.api.access.permission import get_caller
from understudy.api.disconnect_watch import DisconnectWatch
from understudy.api.paths import MODELS, V2
from understudy.api.v2 import compression
from understudy.api.v2.infer_openapi import HEADER_LENGTH
from understudy.api.v2.off_loop import run_off_loop
from understudy.api.v2.request_decoder import decode_request
from understudy.api.v2.response_encoder import encode_response
from understudy.container import Services
from understudy.errors import BodyTooLarge

PATH = f"{V2}{MODELS}/{{model:path}}/infer"

_LENGTH = HEADER_LENGTH.lower().encode()


class Infer:
    """POST /v2/models/NAME/infer and /v2/models/NAME/versions/VERSION/infer."""

    action = Action.INFER

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = get_caller(scope)
        caller.require(self.action)
        services = cast("Services", scope["state"]["services"])
        headers: dict[bytes, bytes] = dict(scope["headers"])
        body = await _receive_body(receive, headers, services.settings.max_tensor_bytes)
        length = headers[_LENGTH].decode("latin-1") if _LENGTH in headers else None
        request = await run_off_loop(len(body), lambda: decode_request(body, length))
        name, version = _split_version(scope["path_params"]["model"])
        if not caller.may(Action.REHEARSE) and not await services.model_resolver.is_live(name, version):
            caller.require(Action.REHEARSE)
        async with DisconnectWatch(receive):
            inferred = await services.tensors.infer(name, version, request.inputs)
        size = sum(output.nbytes for output in inferred.outputs.values())
        answer, json_length = await run_off_loop(size, lambda: encode_response(inferred, request))
        fields = [(b"content-type", b"application/json" if json_length is None else b"application/octet-stream")]
        if json_length is not None:
            fields.append((_LENGTH, b"%d" % json_length))
        encoding = compression.choose_encoding(headers.get(b"accept-encoding", b"").decode("latin-1"), len(answer))
        if encoding is not None:
            answer = await run_off_loop(len(answer), lambda: compression.compress(answer, encoding))
            fields.append((b"content-encoding", encoding.encode()))
        fields.append((b"content-length", b"%d" % len(answer)))
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": answer})


def _split_version(model: str) -> tuple[str, str | None]:
    name, versions, version = model.rpartition("/versions/")
    return (name, version) if versions else (model, None)


async def _receive_body(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """Return the body without its content encoding. Raises BodyTooLarge and what `decompress` raises."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _build_too_large(limit)
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > limit:
            raise _build_too_large(limit)
        chunks.append(chunk)
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if (encoding := headers.get(b"content-encoding")) is None:
        return body
    name_of_encoding = encoding.decode("latin-1").strip().lower()
    return await asyncio.to_thread(compression.decompress, body, name_of_encoding, limit)


def _build_too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body is larger than {limit} bytes.", remedy="Send less, or raise UNDERSTUDY_MAX_TENSOR_BYTES."
    )
