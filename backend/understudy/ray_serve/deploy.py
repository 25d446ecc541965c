"""Deploys the application on a Ray cluster. Importing this module loads Ray."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray import serve
from ray.serve.context import _get_global_client
from ray.serve.exceptions import RayServeException

from understudy.errors import Misconfigured, NotFound, Unavailable
from understudy.ray_serve.application import REMEDY_MARK
from understudy.ray_serve.cluster_checks import check_cluster
from understudy.ray_serve.connection import connect
from understudy.ray_serve.options import DeployOptions
from understudy.ray_serve.progress import tell_progress
from understudy.ray_serve.replica import UnderstudyReplica
from understudy.ray_serve.variables import ReplicaVariables
from understudy.settings import Settings

DEPLOYMENT = "Understudy"
# Beside the grace period: time for closing the database and ending the workers.
_CLOSE_SECONDS = 5.0
_CHECK_SECONDS = 10.0
# Ray waits ten minutes before it takes replicas away, which suits models that load slowly.
_DOWNSCALE_SECONDS = 60.0
_UPSCALE_SECONDS = 10.0
# Ray's own default is to stop replicas before it starts those that replace them. A deployment with one replica would
# then answer nothing while the new one starts, and nothing at all where the new one cannot start.
_SURGE_PERCENT = 20


@dataclass(frozen=True)
class Deployed:
    """An application that runs; `replicas` is the number of those that do."""

    name: str
    url: str
    nodes: int
    replicas: int


def deploy(
    options: DeployOptions, settings: Settings, variables: ReplicaVariables, note: Callable[[str], None]
) -> Deployed:
    """Deploy the application, or replace its replicas one after the other, and return when they run.

    `note` gets what a person should know. Raises Unavailable without a cluster and where no replica starts, and
    Misconfigured for settings that do not fit the cluster.
    """
    connect(options.address)
    try:
        nodes = sum(1 for node in ray.nodes() if node["Alive"])
        for line in check_cluster(settings, nodes):
            note(line)
        _start_proxies(settings)
        if settings.database_url is None:
            variables = replace(variables, sqlite_node=ray.get_runtime_context().get_node_id())
        deployment = build_deployment(options, settings)
        try:
            with tell_progress(options.name, note):
                serve.run(deployment.bind(variables), name=options.name, route_prefix=options.route_prefix)
        except (RayServeException, RuntimeError) as error:
            raise _describe_failure(options.name, error) from error
        running = _count_running(options.name)
    finally:
        ray.shutdown()
    scheme = "http" if settings.tls_cert is None else "https"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"{scheme}://{host}:{settings.port}{options.route_prefix.rstrip('/')}"
    return Deployed(options.name, url, nodes, running)


def delete(name: str, address: str | None) -> None:
    """End an application and all its replicas; return when they have ended.

    Raises Unavailable without a cluster, and NotFound where the cluster has no such application.
    """
    connect(address)
    try:
        names = sorted(serve.status().applications)
        if name not in names:
            raise NotFound(
                f"The cluster has no application {name}.",
                remedy=f"Name one of these with --name: {', '.join(names)}." if names else "Nothing has to be ended.",
            )
        serve.delete(name)
    finally:
        ray.shutdown()


def build_deployment(options: DeployOptions, settings: Settings) -> Any:
    """Return Ray's deployment for these options."""
    scale: dict[str, Any] = {"num_replicas": options.replicas or 1}
    if options.max_replicas is not None:
        scale = {
            "autoscaling_config": {
                "min_replicas": options.min_replicas,
                "max_replicas": options.max_replicas,
                "target_ongoing_requests": options.target_requests,
                "upscale_delay_s": _UPSCALE_SECONDS,
                "downscale_delay_s": _DOWNSCALE_SECONDS,
            }
        }
    return serve.deployment(
        UnderstudyReplica,
        name=DEPLOYMENT,
        ray_actor_options={"num_cpus": options.cpus},
        max_ongoing_requests=options.max_requests,
        max_surge_percent=_SURGE_PERCENT,
        health_check_period_s=_CHECK_SECONDS,
        graceful_shutdown_timeout_s=settings.grace_seconds + _CLOSE_SECONDS,
        **scale,
    )


def _start_proxies(settings: Settings) -> None:
    """Start Ray Serve with the address of the settings. Raises Misconfigured where it runs with another one."""
    wanted = {
        "host": settings.host,
        "port": settings.port,
        "keep_alive_timeout_s": settings.keep_alive_seconds,
        "ssl_certfile": None if settings.tls_cert is None else str(settings.tls_cert.absolute()),
        "ssl_keyfile": None if settings.tls_key is None else str(settings.tls_key.absolute()),
    }
    serve.start(http_options=wanted)
    running = _get_global_client().http_config
    for name in ("host", "port", "ssl_certfile", "ssl_keyfile"):
        if getattr(running, name) != wanted[name]:
            raise Misconfigured(
                f"Ray Serve runs on this cluster already, with {name} {getattr(running, name)} and not {wanted[name]}.",
                remedy=f"Give its address: --host {running.host} --port {running.port}, with the same certificate. Or "
                "end it and all its applications with `serve shutdown`, and deploy again.",
            )


def _count_running(name: str) -> int:
    application = serve.status().applications.get(name)
    deployment = None if application is None else application.deployments.get(DEPLOYMENT)
    return 0 if deployment is None else deployment.replica_states.get("RUNNING", 0)


def _describe_failure(name: str, error: Exception) -> Unavailable:
    """Return the error that names the reason of the replica that did not start."""
    application = serve.status().applications.get(name)
    deployment = None if application is None else application.deployments.get(DEPLOYMENT)
    reason = (deployment and deployment.message) or (application and application.message) or str(error)
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    ours = [line.partition(": ")[2] for line in lines if line.startswith("understudy.errors.")]
    remedies = [line.removeprefix(REMEDY_MARK) for line in lines if line.startswith(REMEDY_MARK)]
    kept = _count_running(name)
    state = (
        f"{kept} replicas of the deployment before are kept. One that dies is not replaced until a deployment succeeds."
        if kept
        else "No replica runs, and Ray has given up."
    )
    return Unavailable(
        f"The application {name} did not start: {ours[-1] if ours else ' '.join(lines)} {state}",
        remedy=f"{remedies[-1] if remedies else 'Mend the reason.'} Then deploy again. `serve status --name {name}` "
        f"shows its state, and `understudy deploy delete --name {name}` ends it.",
    )
