"""The options of a deployment that contradict each other are refused before anything is deployed."""

from typing import Any

import pytest

from understudy.errors import Misconfigured
from understudy.ray_serve.options import DeployOptions


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"min_replicas": 1}, "--max-replicas"),
        ({"max_replicas": 3}, "--min-replicas"),
        ({"replicas": 2, "min_replicas": 1, "max_replicas": 3}, "--replicas"),
        ({"min_replicas": 4, "max_replicas": 3}, "4 is more than"),
        ({"name": "a#b"}, "a#b"),
        ({"name": ""}, "name of an application"),
        ({"route_prefix": "audio"}, "audio"),
        ({"route_prefix": "/audio/"}, "/audio/"),
    ],
)
def test_contradictions_are_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(Misconfigured, match=named):
        DeployOptions(**given)


@pytest.mark.parametrize(("cpus", "workers"), [(0.5, 1), (1.0, 1), (2.5, 2), (8.0, 8)])
def test_a_replica_has_a_worker_for_each_whole_cpu(cpus: float, workers: int) -> None:
    assert DeployOptions(cpus=cpus).workers == workers
