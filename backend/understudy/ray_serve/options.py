"""The options of a deployment on Ray Serve."""

import re
from dataclasses import dataclass

from understudy.errors import Misconfigured

DEFAULT_MAX_REQUESTS = 100
DEFAULT_TARGET_REQUESTS = 4.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PREFIX = re.compile(r"/|(/[A-Za-z0-9._~-]+)+")


@dataclass(frozen=True)
class DeployOptions:
    """Holds the options of one deployment, and refuses those that contradict each other.

    `replicas` is a fixed number; with `min_replicas` and `max_replicas` Ray keeps about `target_requests` requests at
    once in each replica, between these numbers. `cpus` are reserved for each replica. `max_requests` is the number of
    requests and streams that one replica takes at once; more wait in Ray's proxy. `address` is that of the cluster;
    None means the one that RAY_ADDRESS names or that runs on this machine.
    """

    name: str = "understudy"
    route_prefix: str = "/"
    replicas: int | None = None
    min_replicas: int | None = None
    max_replicas: int | None = None
    cpus: float = 1.0
    max_requests: int = DEFAULT_MAX_REQUESTS
    target_requests: float = DEFAULT_TARGET_REQUESTS
    address: str | None = None

    def __post_init__(self) -> None:
        """Raises Misconfigured for options that contradict each other or that Ray would refuse later."""
        if (self.min_replicas is None) != (self.max_replicas is None):
            raise Misconfigured(
                "--min-replicas and --max-replicas belong together.",
                remedy="Give both, or --replicas for a fixed number.",
            )
        if self.min_replicas is not None and self.max_replicas is not None:
            if self.replicas is not None:
                raise Misconfigured(
                    "--replicas is a fixed number, and --min-replicas and --max-replicas are the limits of a changing "
                    "one.",
                    remedy="Leave out either of both.",
                )
            if self.min_replicas > self.max_replicas:
                raise Misconfigured(
                    f"--min-replicas {self.min_replicas} is more than --max-replicas {self.max_replicas}.",
                    remedy="Give a --max-replicas that is at least --min-replicas.",
                )
        if _NAME.fullmatch(self.name) is None:
            raise Misconfigured(
                f"{self.name!r} cannot be the name of an application.",
                remedy="Use letters, digits, dots, hyphens and underscores, such as --name understudy.",
            )
        if _PREFIX.fullmatch(self.route_prefix) is None:
            raise Misconfigured(
                f"{self.route_prefix!r} cannot be the prefix of the routes.",
                remedy="Give / or a path without a slash at its end, such as --route-prefix /audio.",
            )

    @property
    def most_replicas(self) -> int:
        """Return the largest number of replicas that these options allow."""
        return self.max_replicas or self.replicas or 1

    @property
    def workers(self) -> int:
        """Return the worker processes of one replica: one for each whole CPU, and at least one."""
        return max(1, int(self.cpus))
