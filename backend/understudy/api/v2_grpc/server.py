"""Serves the methods of `methods.py` on a port of their own, beside HTTP and on the same event loop."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn

import grpc
import grpc.aio
import structlog
from google.protobuf.message import DecodeError

from understudy.api.middleware.request_ids import HEADER, choose_id
from understudy.api.v2.off_loop import run_off_loop
from understudy.api.v2_grpc.call_guard import CallGuard
from understudy.api.v2_grpc.methods import METHODS, Method
from understudy.api.v2_grpc.status_codes import build_status
from understudy.container import Services
from understudy.errors import ClientGone, Misconfigured, RequestInvalid, ServerStopping, UnderstudyError
from understudy.settings import Settings

log = structlog.get_logger()

# For cutting off the calls that still run after the grace period.
_CUT_OFF_SECONDS = 1.0
REQUEST_ID = HEADER.decode()


@dataclass(frozen=True)
class _Call:
    """One call: the path of its method, gRPC's own object for it, and its metadata but for bytes."""

    path: str
    context: Any
    headers: Mapping[str, str]
    request_id: str


class GrpcServer:
    """The gRPC server of one process: `start` binds its port, `watch` keeps it up, `stop` ends it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._guard = CallGuard(services)
        self._server: Any = None
        self._calls: set[asyncio.Task[Any]] = set()
        self._stopping = self._cutting_off = False
        self.port: int | None = None

    async def start(self) -> None:
        """Bind the port and answer calls. Raises Misconfigured for a port or certificate that cannot be used."""
        settings = self._services.settings
        server = grpc.aio.server(options=_build_options(settings), maximum_concurrent_rpcs=settings.max_connections)
        for service, methods in METHODS.items():
            handlers = {
                name: grpc.unary_unary_rpc_method_handler(self._build_handler(f"/{service}/{name}", method))
                for name, method in methods.items()
            }
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        port = self.port or settings.grpc_port  # a server that is started again takes the same one
        self.port = _bind(server, settings, port or 0)
        await server.start()
        self._server = server
        log.info("grpc up", host=settings.host, port=self.port)

    async def watch(self) -> None:
        """Return when the server has ended by itself; start it first where it does not run.

        After `stop` it does not return: the supervisor would start the server again.
        """
        if self._server is None:
            await self.start()
        await self._server.wait_for_termination()
        if self._stopping:
            await asyncio.Event().wait()
        self._server = None

    async def stop(self) -> None:
        """Take no more calls, and answer UNAVAILABLE to those that still run after the grace period."""
        if self._server is None:
            return
        self._stopping = True
        grace = self._services.settings.grace_seconds
        stopping = asyncio.ensure_future(self._server.stop(grace + _CUT_OFF_SECONDS))
        ended, _ = await asyncio.wait([stopping], timeout=grace)
        if not ended:
            log.warning("calls cut off", calls=len(self._calls), grace_seconds=grace)
            self._cutting_off = True
            for call in self._calls:
                call.cancel()
        await stopping

    def _build_handler(self, path: str, method: Method) -> Any:
        async def handle(body: bytes, context: Any) -> bytes:
            call = _read_call(path, context)
            structlog.contextvars.bind_contextvars(request_id=call.request_id)  # each call has a context of its own
            task = asyncio.current_task()
            assert task is not None  # noqa: S101  # a coroutine runs in a task
            self._calls.add(task)
            try:
                with self._services.traces.follow_request("GRPC", path, call.headers, call.request_id) as note:
                    answer = await self._answer_or_refuse(call, method, body)
                    status = HTTPStatus.OK if isinstance(answer, bytes) else answer.status
                    note(path, status)
            except asyncio.CancelledError:
                self._note_gone(call)
                raise
            finally:
                self._calls.discard(task)
            self._services.counters.record_request(path, "GRPC", status)
            if not isinstance(answer, bytes):
                await self._refuse(call, answer)
            context.set_trailing_metadata(((REQUEST_ID, call.request_id),))
            return answer

        return handle

    async def _answer_or_refuse(self, call: _Call, method: Method, body: bytes) -> bytes | UnderstudyError:
        """Return the answer or why there is none. Raises CancelledError where nobody waits for it any more."""
        try:
            return await self._answer(call, method, body)
        except asyncio.CancelledError:
            if not self._cutting_off:
                raise
            return ServerStopping("The server stops, and the call took too long.")
        except UnderstudyError as error:
            return error
        except Exception as error:  # logged; the caller gets a status of ours
            log.error("request failed", method="GRPC", path=call.path, exc_info=error)
            return UnderstudyError("The server failed with an unexpected error.")

    async def _answer(self, call: _Call, method: Method, body: bytes) -> bytes:
        caller = await self._guard.identify(method.action, call.headers, call.context.peer())
        with self._guard.limit(method.action, caller):
            try:
                request = await run_off_loop(len(body), lambda: method.request.FromString(body))
            except DecodeError as error:
                raise RequestInvalid(f"The message is not the one that {call.path} takes.") from error
            answer = await method.run(self._services, request)
            encoded: bytes = await run_off_loop(answer.ByteSize(), answer.SerializeToString)
            return encoded

    async def _refuse(self, call: _Call, error: UnderstudyError) -> NoReturn:
        """End the call with the error's status: raises what ends a handler."""
        level = "error" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "info"
        getattr(log, level)("request refused", method="GRPC", path=call.path, code=error.code, detail=error.detail)
        self._services.recent_statistics.record_refusal(error.code)
        code, words, metadata = build_status(error)
        await call.context.abort(code, words, (*metadata, (REQUEST_ID, call.request_id)))
        raise error  # not reached: `abort` raises

    def _note_gone(self, call: _Call) -> None:
        """Log and count a call whose client has gone or whose deadline has passed."""
        left = call.context.time_remaining()
        log.info("client went away", method="GRPC", path=call.path, deadline_passed=left is not None and left <= 0)
        self._services.counters.record_request(call.path, "GRPC", ClientGone.status)


def _read_call(path: str, context: Any) -> _Call:
    metadata = context.invocation_metadata() or ()
    headers = {name: value for name, value in metadata if isinstance(value, str)}
    given = [value.encode() for name, value in metadata if name == REQUEST_ID and isinstance(value, str)]
    return _Call(path, context, headers, choose_id(given).decode())


def _build_options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.max_tensor_bytes),  # before and after decompression
        ("grpc.max_send_message_length", -1),  # no limit, as over HTTP
        ("grpc.so_reuseport", 0),  # else two servers share a port, and each gets some of the calls
        ("grpc.server_handshake_timeout_ms", int(settings.head_seconds * 1000)),
        ("grpc.max_connection_idle_ms", settings.keep_alive_seconds * 1000),
    ]


def _bind(server: Any, settings: Settings, port: int) -> int:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{host}:{port}"
    bound = 0
    try:
        if settings.tls_cert is None or settings.tls_key is None:
            bound = server.add_insecure_port(address)
        else:
            pair = (settings.tls_key.read_bytes(), settings.tls_cert.read_bytes())
            bound = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    except OSError as error:
        raise Misconfigured(f"The certificate cannot be read: {error}.") from error
    except RuntimeError as error:
        raise _build_unbound(address) from error
    if not bound:
        raise _build_unbound(address)
    return int(bound)


def _build_unbound(address: str) -> Misconfigured:
    return Misconfigured(
        f"{address} cannot be bound for gRPC.",
        remedy="Stop the process that uses the port, or choose another one: UNDERSTUDY_GRPC_PORT.",
    )
