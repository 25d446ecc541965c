"""Ray Serve: one replica a core, HAProxy in front, in its throughput mode (see subjects.py for the variables)."""

import signal
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

from benchmarks.servers import work


class Peer:
    def __init__(self, task: str) -> None:
        if task == "hear":
            self.ear = work.ear()
        else:
            self.matrix = work.dense()

    async def __call__(self, request: Request) -> dict[str, Any]:
        if request.url.path == "/hear":
            return self.ear(await request.body())
        if request.url.path == "/dense":
            return {"outputs": self.matrix((await request.json())["inputs"]).tolist()}
        return {"status": "ready"}


def main() -> None:
    ray.init(num_cpus=work.CORES, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": work.port()})
    deployment = serve.deployment(
        Peer, num_replicas=work.CORES, max_ongoing_requests=16, ray_actor_options={"num_cpus": 1}
    )
    serve.run(deployment.bind(work.task()), route_prefix="/")
    signal.pause()


if __name__ == "__main__":
    main()
