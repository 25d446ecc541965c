"""Serves the methods of `methods.py` on a port of their own, beside HTTP and on the same event loop."""

import asyncio
from http import HTTPStatus
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf.message import DecodeError

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


class GrpcServer:
    """The gRPC server of one process: `start` binds its port, `watch` keeps it up, `stop` ends it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._guard = CallGuard(services)
        self._server: Any = None
        self._calls: set[asyncio.Task[Any]] = set()
        self._cutting_off = False
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
        """Return when the server has ended; start it first where it does not run."""
        if self._server is None:
            await self.start()
        await self._server.wait_for_termination()
        self._server = None

    async def stop(self) -> None:
        """Take no more calls, and answer UNAVAILABLE to those that still run after the grace period."""
        if self._server is None:
            return
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
            task = asyncio.current_task()
            assert task is not None  # noqa: S101  # a coroutine runs in a task
            self._calls.add(task)
            try:
                answer = await self._answer(path, method, body, context)
            except asyncio.CancelledError:
                if not self._cutting_off:
                    self._note_gone(path, context)
                    raise
                task.uncancel()
                await self._refuse(path, ServerStopping("The server stops, and the call took too long."), context)
            except UnderstudyError as error:
                await self._refuse(path, error, context)
            except Exception as error:  # logged; the caller gets a status of ours
                log.error("request failed", method="GRPC", path=path, exc_info=error)
                await self._refuse(path, UnderstudyError("The server failed with an unexpected error."), context)
            finally:
                self._calls.discard(task)
            self._services.counters.record_request(path, "GRPC", HTTPStatus.OK)
            return answer

        return handle

    async def _answer(self, path: str, method: Method, body: bytes, context: Any) -> bytes:
        metadata = dict(context.invocation_metadata() or ())
        caller = await self._guard.identify(method.action, metadata, context.peer())
        with self._guard.limit(method.action, caller):
            try:
                request = await run_off_loop(len(body), lambda: method.request.FromString(body))
            except DecodeError as error:
                raise RequestInvalid(f"The message is not the one that {path} takes.") from error
            answer = await method.run(self._services, request)
            encoded: bytes = await run_off_loop(answer.ByteSize(), answer.SerializeToString)
            return encoded

    async def _refuse(self, path: str, error: UnderstudyError, context: Any) -> None:
        """End the call with the error's status: raises what ends a handler."""
        level = "error" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "info"
        getattr(log, level)("request refused", method="GRPC", path=path, code=error.code, detail=error.detail)
        self._services.recent_statistics.record_refusal(error.code)
        self._services.counters.record_request(path, "GRPC", error.status)
        code, words, metadata = build_status(error)
        await context.abort(code, words, metadata)

    def _note_gone(self, path: str, context: Any) -> None:
        """Log and count a call whose client has gone or whose deadline has passed."""
        left = context.time_remaining()
        log.info("client went away", method="GRPC", path=path, deadline_passed=left is not None and left <= 0)
        self._services.counters.record_request(path, "GRPC", ClientGone.status)


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
