"""Servers on one registry follow a switch: the time from the commit until the last of them serves the new model."""

import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.client import Client
from benchmarks.heads import LABELS
from benchmarks.postgres import binaries, postgres
from benchmarks.results import Figure, Result
from benchmarks.server import Server, ServerError, free_port
from benchmarks.site import environment
from benchmarks.subjects import UNDERSTUDY
from tests.pgbouncer import PORT, PgBouncerMissing, run_pgbouncer

GROUP = "followers"
TITLE = "Servers that follow a switch"
ABOUT = """\
Eight servers, each with one worker process, on one registry; two models take turns, and each call waits for all
servers. The lag of a switch is that of the last server: from the commit to the moment at which the model was live
there. Behind a pooler there is no LISTEN, so servers ask the database every half second."""
_SERVERS = 8
_MODELS = ("head_a", "head_b")
_PATIENCE = 120.0


def measure(bench: Bench) -> Iterator[Result]:
    """SQLite; PostgreSQL with LISTEN; PostgreSQL by polling alone, behind PgBouncer."""
    for case, database in (("SQLite", _sqlite), ("PostgreSQL, LISTEN", _listen), ("PostgreSQL, polling", _poll)):
        try:
            with database() as settings:
                lags, calls = _switch(bench, case, settings)
        except (ServerError, OSError, PgBouncerMissing, subprocess.CalledProcessError) as error:
            yield Result(GROUP, case, UNDERSTUDY, problem=str(error))
        else:
            figures = {f"lag p{share}": Figure.of("ms", 1e3 * _quantile(lags, share)) for share in (50, 99)}
            figures["longest lag"] = Figure.of("ms", 1e3 * max(lags))
            figures["call p50"] = Figure.of("ms", 1e3 * _quantile(calls, 50))
            figures["switches"] = Figure.of("", len(lags))
            yield Result(GROUP, case, UNDERSTUDY, figures)


@contextmanager
def _sqlite() -> Iterator[dict[str, str]]:
    yield {}


@contextmanager
def _listen() -> Iterator[dict[str, str]]:
    folder = binaries()
    if folder is None:
        raise ServerError("PostgreSQL is not installed")
    with postgres(folder) as address:
        yield {"DATABASE_URL": address}


@contextmanager
def _poll() -> Iterator[dict[str, str]]:
    with _listen() as settings:
        place = settings["DATABASE_URL"].partition("host=")[2]
        with run_pgbouncer(Path(place), user="postgres" if os.geteuid() == 0 else None, pool=40):
            yield {"DATABASE_URL": f"{settings['DATABASE_URL']}&port={PORT}"}


def _switch(bench: Bench, case: str, settings: Mapping[str, str]) -> tuple[list[float], list[float]]:
    """Return the lag of the last server, and the time of the call, of each switch in seconds. Raises ServerError."""
    home = bench.work / "".join(filter(str.isalnum, case))
    (home / "var").mkdir(parents=True)
    shutil.copytree(bench.site.home / "models", home / "models")
    shutil.copytree(bench.site.home / "var" / "compiled", home / "var" / "compiled")
    with ExitStack() as stack:
        servers = [stack.enter_context(_server(bench, home, settings, number)) for number in range(_SERVERS)]
        client = stack.enter_context(closing(Client(servers[0].url)))
        models = [_register(client, name) for name in _MODELS]
        lags, calls = [], []
        for turn in range(22 if bench.quick else 102):
            text, took = client.ask("POST", f"/api/v1/models/{models[turn % 2]}/activate?wait=all&timeout=50")
            rollout = json.loads(text)["rollout"]
            if not rollout["complete"] or rollout["replicas"] != _SERVERS:
                raise ServerError(f"not every server followed: {rollout}")
            replicas = client.json("GET", "/api/v1/replicas")["replicas"]
            if turn >= len(_MODELS):  # the first load of each model takes longer
                lags.append(max(each["lag_seconds"] for each in replicas))
                calls.append(took)
    return lags, calls


def _server(bench: Bench, home: Path, settings: Mapping[str, str], number: int) -> Server:
    port = free_port()
    command: list[str | Path] = [
        bench.python("bench"),
        "-m",
        "understudy.cli",
        "serve",
        "--port",
        str(port),
        "--home",
        str(home),
    ]
    variables = environment(UNDERSTUDY_WORKERS=1, UNDERSTUDY_LOG_LEVEL="error", **settings)
    log = home / f"server-{number}.log"
    return Server(command, variables, port=port, ready_path="/health/live", log=log)


def _register(client: Client, name: str) -> int:
    spec = {"input": "embedding", "labels": LABELS, "activation": "none"}
    body = {"model_name": name, "file_path": f"models/{name}.onnx", "spec": spec}
    model_id: int = client.json("POST", "/api/v1/models", body)["model_id"]
    deadline = time.monotonic() + _PATIENCE
    while client.json("GET", f"/api/v1/models/{model_id}")["compile_state"] != "ready":
        if time.monotonic() > deadline:
            raise ServerError(f"{name} was not compiled within {_PATIENCE:g} s")
        time.sleep(0.1)
    return model_id


def _quantile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
