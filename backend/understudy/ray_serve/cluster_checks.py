"""Compares the settings with the cluster, before anything is deployed."""

from urllib.parse import urlsplit

from understudy.access_settings import is_loopback
from understudy.errors import Misconfigured
from understudy.settings import Settings


def check_settings(settings: Settings) -> None:
    """Raises Misconfigured for settings with which replicas of Ray Serve cannot run."""
    if settings.grpc_port is not None:
        raise Misconfigured(
            "UNDERSTUDY_GRPC_PORT is set, and replicas of Ray Serve answer HTTP and WebSockets only.",
            remedy="Unset UNDERSTUDY_GRPC_PORT here, and run `understudy serve` on the same registry for gRPC.",
        )


def check_cluster(settings: Settings, nodes: int) -> list[str]:
    """Return notes on what `nodes` nodes need beyond these settings.

    Raises Misconfigured where several nodes would have a registry each.
    """
    if nodes == 1:
        return []
    if settings.database_url is None:
        raise Misconfigured(
            f"The registry is an SQLite file in {settings.var_dir}, and the cluster has {nodes} nodes: each would have "
            "a registry of its own.",
            remedy="Set DATABASE_URL to a PostgreSQL database that all nodes reach: docs/databases.md.",
        )
    notes = []
    if _is_local(settings.database_url):
        notes.append(
            "DATABASE_URL names this machine. Each node would connect to itself: give an address that all nodes reach."
        )
    if settings.store is None:
        notes.append(
            f"UNDERSTUDY_STORE is not set. {settings.home} must be one folder that all {nodes} nodes mount; otherwise "
            "set UNDERSTUDY_STORE, which shares the files (docs/store.md)."
        )
    return notes


def _is_local(database_url: str) -> bool:
    address = urlsplit(database_url)
    return not address.hostname or is_loopback(address.hostname)
