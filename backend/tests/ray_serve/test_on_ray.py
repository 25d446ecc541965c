"""The server as an application of Ray Serve, on a real cluster of one node. `make test-ray` runs these tests."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.ray_serve.conftest import SECRET, Cluster
from tests.sample_files import tone

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

_RATE = 16_000


@pytest.fixture(scope="module")
def running(cluster: Cluster) -> Cluster:
    """Two replicas that answer."""
    deployed = cluster.deploy("--replicas", "2")
    assert (deployed["url"], deployed["nodes"], deployed["replicas"]) == (cluster.url, 1, 2)
    return cluster


def predict(cluster: Cluster, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{cluster.url}/api/v1/predict",
        content=tone(2.0),
        headers={"content-type": "audio/wav", **headers},
        timeout=60,
    )


@contextmanager
def open_stream(cluster: Cluster) -> Iterator[ClientConnection]:
    with connect(f"{cluster.url.replace('http', 'ws', 1)}/api/v1/stream", proxy=None) as stream:
        stream.send(json.dumps({"sample_rate": _RATE, "encoding": "pcm16"}))
        assert json.loads(stream.recv())["type"] == "ready"
        yield stream


def wait_until(holds: Callable[[], bool], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_an_answer_names_its_model_and_has_one_request_id(running: Cluster) -> None:
    answer = predict(running, **{"x-request-id": "asked-for"})
    assert answer.json()["model"]["model_name"] == "one"
    assert answer.headers.get_list("x-request-id") == ["asked-for"]


def test_an_error_is_a_problem_document(running: Cluster) -> None:
    answer = httpx.post(f"{running.url}/api/v1/predict", content=b"no sound", headers={"content-type": "audio/wav"})
    assert answer.status_code == 415
    assert answer.json()["code"] == "not_audio"


def test_lines_of_a_prediction_pass_the_proxy(running: Cluster) -> None:
    lines = [json.loads(line) for line in predict(running, accept="application/x-ndjson").text.splitlines()]
    assert [lines[0]["type"], lines[-1]["type"]] == ["started", "prediction"]


def test_a_live_stream_passes_the_proxy(running: Cluster) -> None:
    with open_stream(running) as stream:
        for _ in range(20):
            stream.send(bytes(_RATE // 5))
        stream.send('{"type": "end"}')
        windows = [json.loads(message) for message in stream]
    assert windows
    assert {each["type"] for each in windows} == {"window"}


def test_an_event_stream_passes_the_proxy(running: Cluster) -> None:
    with httpx.stream("GET", f"{running.url}/api/v1/events", timeout=30) as events:
        assert next(line for line in events.iter_lines() if line.startswith("event:")) == "event: hello"


def test_each_replica_has_one_worker_process_with_all_its_limits(running: Cluster) -> None:
    [worker] = running.read("/api/v1/status")["workers"]
    assert {"memory", "filesystem", "programs", "network", "signals"} <= set(worker["walls"])


def test_a_switch_reaches_every_replica(running: Cluster) -> None:
    for model_id, name in ((2, "two"), (1, "one")):
        switched = running.run("activate", str(model_id), "--wait-all", "--url", running.url)
        assert switched["rollout"]["complete"]
        assert switched["rollout"]["replicas"] == 2
        assert {predict(running).json()["model"]["model_name"] for _ in range(10)} == {name}


def test_secrets_are_neither_in_the_dashboard_nor_in_a_log(running: Cluster) -> None:
    for path in ("api/serve/applications/", "api/v0/actors?detail=true", "api/v0/runtime_envs?detail=true"):
        answer = httpx.get(f"{running.dashboard}/{path}", timeout=30)
        assert answer.is_success, answer.text
        assert SECRET not in answer.text
    logs = running.read_logs()
    assert "model live" in logs
    assert SECRET not in logs


def test_the_worker_processes_of_a_killed_replica_end_and_another_replica_takes_over(running: Cluster) -> None:
    before = {each["process_id"] for each in running.read("/api/v1/replicas")["replicas"]}
    victim = min(before)
    children = psutil.Process(victim).children(recursive=True)
    assert children
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: not any(child.is_running() for child in children))

    def has_replacement() -> bool:
        with suppress(httpx.HTTPError):
            listed = running.read("/api/v1/replicas")["replicas"]
            return len({each["process_id"] for each in listed if each["state"] == "live"} - {victim}) == 2
        return False

    wait_until(has_replacement)
    assert predict(running).json()["model"]["model_name"] == "one"


def test_another_address_than_that_of_the_running_proxies_is_refused(running: Cluster) -> None:
    problem = running.run("deploy", "ray", "--port", "1", code=1)
    assert str(running.port) in problem["remedy"]


def test_an_address_where_no_cluster_answers_is_refused_at_once(running: Cluster) -> None:
    assert running.deploy("--address", "127.0.0.1:1", code=6)["code"] == "unavailable"
    for no_address in ("http://127.0.0.1:8265", "local", "nonsense"):
        assert "HEAD:6379" in running.deploy(code=1, RAY_ADDRESS=no_address)["remedy"]


def test_a_missing_token_is_named(running: Cluster) -> None:
    problem = running.deploy(code=6, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="", HOME=str(running.folder))
    assert "RAY_AUTH_TOKEN" in problem["remedy"]


def test_a_new_deployment_that_fails_keeps_all_replicas_before(running: Cluster) -> None:
    before = {each["process_id"] for each in running.read("/api/v1/replicas")["replicas"]}
    problem = running.deploy(*("--replicas", "2"), "--secrets-on-nodes", code=6)
    assert "DATABASE_URL is not set on this node" in problem["detail"]
    assert "2 replicas of the deployment before are kept" in problem["detail"]
    assert "where `ray start` runs" in problem["remedy"]
    assert {each["process_id"] for each in running.read("/api/v1/replicas")["replicas"]} >= before
    assert predict(running).json()["model"]["model_name"] == "one"


def test_the_reason_of_a_start_that_fails_is_named(running: Cluster) -> None:
    problem = running.deploy(
        *("--name", "broken", "--route-prefix", "/broken", "--cpus", "0.5"),
        code=6,
        DATABASE_URL="postgresql://postgres@127.0.0.1:1/nowhere",
    )
    assert "127.0.0.1" in problem["detail"]
    assert SECRET not in str(problem)
    running.run("deploy", "delete", "--name", "broken")
    assert running.run("deploy", "delete", "--name", "broken", code=3)["code"] == "not_found"


def test_the_end_says_goodbye_to_streams_and_leaves_nothing_behind(running: Cluster) -> None:
    processes = [psutil.Process(each["process_id"]) for each in running.read("/api/v1/replicas")["replicas"]]
    children = [child for each in processes for child in each.children(recursive=True)]
    with open_stream(running) as stream:
        assert running.run("deploy", "delete") == {"name": "understudy"}
        messages: list[dict[str, Any]] = []
        with suppress(ConnectionClosed):
            messages.extend(json.loads(message) for message in stream)
        assert stream.close_code == 1001
    assert messages[-1]["problem"]["code"] == "server_stopping"
    wait_until(lambda: not any(each.is_running() for each in [*processes, *children]))
    with psycopg.connect(running.environment["DATABASE_URL"]) as connection:  # the killed replica left its row
        left = {
            int(name.rpartition(":")[2]) for (name,) in connection.execute("SELECT replica FROM understudy_replicas")
        }
    assert left.isdisjoint(each.pid for each in processes)
