"""The server: `create_app(settings)`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI
from starlette.routing import Route

from understudy import __version__
from understudy.api import health, metrics, v1, v2
from understudy.api.access.route_actions import guard_docs, require_actions
from understudy.api.dependencies import AppState
from understudy.api.grpc_lifespan import run_grpc
from understudy.api.middleware.access_guard import AccessGuard
from understudy.api.middleware.fast_path import FastPath
from understudy.api.middleware.head_as_get import HeadAsGet
from understudy.api.middleware.origin_guard import OriginGuard
from understudy.api.middleware.request_counter import RequestCounter
from understudy.api.middleware.request_ids import RequestIds
from understudy.api.middleware.request_traces import RequestTraces
from understudy.api.middleware.security_headers import SecurityHeaders
from understudy.api.openapi import install_openapi
from understudy.api.paths import DOCS, EVENTS, HEALTH, METRICS, OPENAPI, REDOC, V1, V2
from understudy.api.problems.error_handlers import install_problem_handlers
from understudy.api.spa import BUILT, install_page
from understudy.api.v1.prediction.fast_predict import FastPredictRoute
from understudy.api.v2.infer import PATH, Infer
from understudy.container import open_services, run_background_tasks
from understudy.logs import configure_logs
from understudy.settings import Settings

if TYPE_CHECKING:  # only Linux has worker processes
    from understudy.engine.workers.fork_process import ForkProcess

log = structlog.get_logger()

EVENT_STREAM = f"{V1}{EVENTS}"
# The beginnings of the paths at which models run.
WORK = (f"{V1}/predict", f"{V2}/")
HEALTH_CHECKS = (HEALTH, f"{V1}{HEALTH}", f"{V2}{HEALTH}", METRICS)

DESCRIPTION = """
A model registry and inference server for audio classifiers that replaces the live model without dropping a request.

Every answer names the model that produced it. Every error is one JSON shape (RFC 9457) with a `code` and a `remedy`.
"""


def create_app(
    settings: Settings | None = None, page: Path = BUILT, *, fork_process: "ForkProcess | None" = None
) -> FastAPI:
    """Return the application; settings come from the environment unless given. Its start raises UnsafeBinding.

    `fork_process` is the process that forks the workers, where the caller has started it already.
    """
    settings = settings or Settings()
    configure_logs(settings.log_format, settings.log_level)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[AppState]:
        async with (
            open_services(settings, workers=True, fork_process=fork_process) as services,
            run_background_tasks(services),
            run_grpc(services) as grpc,
        ):
            log.info(
                "server up", version=__version__, home=str(settings.home), replica=services.reconciler.reporter.replica
            )
            yield {"services": services, "grpc": grpc}

    app = FastAPI(
        title="Understudy",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=DOCS,
        redoc_url=REDOC,
        openapi_url=OPENAPI,
        # FastAPI's telemetry costs 8 microseconds a request even without a provider, and /metrics has the same figures.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    infer = Route(PATH, Infer(), methods=["POST"])
    app.router.routes.append(infer)
    # The first one added is the innermost: all other middleware stands around it.
    app.add_middleware(FastPath, routes=(FastPredictRoute(), infer), handlers=app.exception_handlers)
    app.add_middleware(AccessGuard)
    app.add_middleware(OriginGuard, settings=settings)
    install_problem_handlers(app)
    install_openapi(app)
    app.include_router(v1.router, prefix=V1)  # without one FastAPI would build each route twice
    app.include_router(v2.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    install_page(app, page)
    guard_docs(app)
    require_actions(app)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestCounter, routes=app.routes)
    app.add_middleware(RequestTraces)
    app.add_middleware(RequestIds)
    app.add_middleware(HeadAsGet)
    return app


def mount_app(parent: FastAPI, path: str, settings: Settings | None = None, page: Path = BUILT) -> FastAPI:
    """Create the application, mount it under `path` of `parent`, and return it.

    It starts and stops with `parent`: a mounted application has no lifespan of its own. Middleware of `parent`, such as
    its access control, stands around every request, WebSocket and event stream. Its start raises UnsafeBinding.
    """
    app = create_app(settings, page)
    start_parent = parent.router.lifespan_context

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with start_parent(parent) as state, app.router.lifespan_context(app) as own:
            yield {**(state or {}), **(own or {})}

    parent.router.lifespan_context = lifespan
    parent.mount(path, app)
    return app
