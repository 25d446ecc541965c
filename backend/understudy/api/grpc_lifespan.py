"""Runs the gRPC server beside HTTP where a port is set for it, and loads gRPC only then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from understudy.container import Services
from understudy.errors import Misconfigured

if TYPE_CHECKING:  # loads gRPC
    from understudy.api.v2_grpc.server import GrpcServer


@asynccontextmanager
async def run_grpc(services: Services) -> AsyncIterator["GrpcServer | None"]:
    """Serve gRPC while the block runs, and yield its server; None where no port is set.

    Raises Misconfigured for a port that cannot be bound, and where gRPC is not installed.
    """
    if services.settings.grpc_port is None:
        yield None
        return
    try:
        from understudy.api.v2_grpc.server import GrpcServer
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"UNDERSTUDY_GRPC_PORT is set, and the package {error.name} is not installed.",
            remedy="Run `pip install '.[grpc]'` in the checkout, or unset UNDERSTUDY_GRPC_PORT.",
        ) from error
    server = GrpcServer(services)
    await server.start()
    watch = asyncio.create_task(services.supervisor.keep_running("grpc", server.watch, essential=True))
    try:
        yield server
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        await server.stop()
