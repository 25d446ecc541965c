"""The class of which Ray Serve starts a replica. Importing this module loads Ray."""

import os
from collections.abc import Callable
from typing import Any

import ray
import structlog
from ray import serve
from starlette.types import ASGIApp

from understudy import __version__
from understudy.errors import Misconfigured
from understudy.ray_serve.application import ReplicaApplication, note_remedy
from understudy.ray_serve.variables import ReplicaVariables
from understudy.settings import Settings

log = structlog.get_logger()


@serve.ingress()
class UnderstudyReplica:
    """One server of the registry. Ray's proxy passes HTTP and WebSockets to it."""

    def __init__(self, variables: ReplicaVariables) -> None:
        """Raises Misconfigured on a node with another version, and on one without the registry's file or a secret."""
        try:
            _check_node(variables)
            variables.apply(os.environ)
        except Misconfigured as error:
            raise note_remedy(error) from None
        settings = Settings()
        for folder in (settings.models_dir, settings.var_dir):
            folder.mkdir(parents=True, exist_ok=True)
        self._application = ReplicaApplication(settings, find_drain())

    def __serve_build_asgi_app__(self) -> ASGIApp:
        return self._application

    async def check_health(self) -> None:
        self._application.check_health()


def find_drain() -> Callable[[], bool]:
    """Return a function that tells whether Ray drains this replica.

    Ray waits for all open requests before it calls anything of the application, and streams would never end. Nothing
    that is documented says that the drain began, so that this reads Ray's own mark.
    """
    worker = ray._private.worker.global_worker  # noqa: SLF001
    replica: Any = getattr(worker.actors.get(worker.actor_id), "_replica_impl", None)
    if not hasattr(replica, "_shutting_down"):
        log.warning(
            "streams will be cut off when Ray ends this replica",
            ray=ray.__version__,
            remedy="This version of Ray tells no replica of its end. Use the one in requirements/ray.lock.",
        )
        return lambda: False
    return lambda: bool(replica._shutting_down)  # noqa: SLF001


def _check_node(variables: ReplicaVariables) -> None:
    if variables.version != __version__:
        raise Misconfigured(
            f"This node has Understudy {__version__}, and {variables.version} was deployed.",
            remedy="Install the same version on every node.",
        )
    node = ray.get_runtime_context().get_node_id()
    if variables.sqlite_node not in (None, node):
        raise Misconfigured(
            "The registry is an SQLite file on another node.",
            remedy="Set DATABASE_URL to a PostgreSQL database that all nodes reach, and deploy again.",
        )
