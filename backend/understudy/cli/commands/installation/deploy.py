"""The command that deploys the server on a cluster."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from understudy import __version__
from understudy.cli.framework.command import command
from understudy.cli.framework.options import AllowUnauthenticated
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text
from understudy.errors import Misconfigured
from understudy.ray_serve.cluster_checks import check_settings
from understudy.ray_serve.options import DEFAULT_MAX_REQUESTS, DEFAULT_TARGET_REQUESTS, DeployOptions
from understudy.ray_serve.variables import ReplicaVariables, collect_variables, list_secrets

group = typer.Typer(help="Deploy the server on a cluster.", no_args_is_help=True)

Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        show_default=False,
        help="Address of the cluster, such as HEAD:6379 (RAY_ADDRESS; else the cluster of this machine).",
    ),
]
Name = Annotated[str, typer.Option("--name", help="Name of the application in Ray Serve.")]


@command(group, "ray", example="understudy deploy ray --replicas 4 --cpus 1")
def ray(
    session: Session,
    replicas: Annotated[
        int | None, typer.Option("--replicas", min=1, max=10_000, show_default=False, help="Number of replicas (1).")
    ] = None,
    min_replicas: Annotated[
        int | None,
        typer.Option(
            "--min-replicas", min=1, max=10_000, show_default=False, help="Fewest replicas, with --max-replicas."
        ),
    ] = None,
    max_replicas: Annotated[
        int | None,
        typer.Option(
            "--max-replicas", min=1, max=10_000, show_default=False, help="Most replicas; Ray adapts their number."
        ),
    ] = None,
    cpus: Annotated[
        float,
        typer.Option(
            "--cpus", min=0.1, max=1024, help="CPUs reserved for a replica; it has a worker process for each whole one."
        ),
    ] = 1.0,
    max_requests: Annotated[
        int,
        typer.Option(
            "--max-requests", min=1, max=100_000, help="Requests and streams at once in a replica; others wait."
        ),
    ] = DEFAULT_MAX_REQUESTS,
    target_requests: Annotated[
        float,
        typer.Option(
            "--target-requests",
            min=0.1,
            max=100_000,
            help="Requests at once in a replica for which Ray adapts the number of replicas.",
        ),
    ] = DEFAULT_TARGET_REQUESTS,
    address: Address = None,
    name: Name = "understudy",
    route_prefix: Annotated[
        str, typer.Option("--route-prefix", help="Path below which the application answers, such as /audio.")
    ] = "/",
    host: Annotated[
        str | None,
        typer.Option(
            "--host", show_default=False, help="Address that Ray's proxies bind on each node (UNDERSTUDY_HOST)."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, show_default=False, help="Port of the proxies (UNDERSTUDY_PORT)."),
    ] = None,
    allow_unauthenticated: AllowUnauthenticated = False,
    secrets_on_nodes: Annotated[
        bool,
        typer.Option(
            "--secrets-on-nodes",
            help="Send no passwords and keys: DATABASE_URL and the like stand in each node's own environment.",
        ),
    ] = False,
) -> None:
    """Run the server as an application of Ray Serve, on a cluster that runs already. See docs/ray.md.

    The application stays when the command ends. The same command again replaces the replicas one after the other.
    """
    options = DeployOptions(
        name=name,
        route_prefix=route_prefix,
        replicas=replicas,
        min_replicas=min_replicas,
        max_replicas=max_replicas,
        cpus=cpus,
        max_requests=max_requests,
        target_requests=target_requests,
        address=address,
    )
    settings = session.load_settings(host=host, port=port, allow_unauthenticated=allow_unauthenticated or None)
    check_settings(settings)
    values = collect_variables(settings, os.environ, options.workers, secrets=not secrets_on_nodes)
    with explain_missing_ray():
        from understudy.ray_serve.deploy import deploy
    variables = ReplicaVariables(
        values, __version__, secrets_on_nodes=list_secrets(settings) if secrets_on_nodes else None
    )
    done = deploy(options, settings, variables, session.output.print_note)
    answer: dict[str, object] = {
        "name": done.name,
        "url": done.url,
        "nodes": done.nodes,
        "replicas": done.replicas,
    }
    session.output.print_answer(
        answer,
        to_text(f"{done.name} runs on {done.url}. Replicas: {done.replicas}, nodes: {done.nodes}.", "bold green"),
        to_text(f"State: serve status. End: understudy deploy delete --name {done.name}", "dim"),
    )


@command(group, "delete", example="understudy deploy delete --name understudy")
def delete(session: Session, name: Name = "understudy", address: Address = None) -> None:
    """End an application of Ray Serve and all its replicas. Its running requests are answered; streams end.

    The registry and the files stay, and so do other applications of the cluster.
    """
    with explain_missing_ray():
        from understudy.ray_serve.deploy import delete as delete_application
    delete_application(name, address)
    session.output.print_answer({"name": name}, to_text(f"{name} has ended.", "bold green"))


@contextmanager
def explain_missing_ray() -> Iterator[None]:
    """Raise Misconfigured where a package is missing that the block imports."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"Ray Serve cannot be loaded: the package {error.name} is not installed.",
            remedy="Run `pip install '.[ray]'` in the checkout, here and on every node of the cluster.",
        ) from error
