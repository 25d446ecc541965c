"""The registry over HTTP at 10,000 and 1,000,000 rows, one request after the other, beside MLflow's."""

import base64
import json
import statistics
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from urllib.parse import quote

from benchmarks.bench import Bench
from benchmarks.client import Client
from benchmarks.postgres import binaries, postgres
from benchmarks.registries import Home, Mlflow
from benchmarks.results import Figure, Result
from benchmarks.server import ServerError
from benchmarks.subjects import UNDERSTUDY

GROUP = "registry"
TITLE = "Registry"
ABOUT = """\
One request after the other over one connection, milliseconds until the whole answer is there. Pages have 100 rows and
the exact total; a deep one begins in the middle of the table. Both databases are as they come, with durable commits. To
register at MLflow is two requests: the model and its version. The last column compares medians with Understudy on
SQLite at as many rows."""
P50, P99 = "p50", "p99"
_SMALL, _LARGE = 10_000, 1_000_000
_MLFLOW_ROWS = _SMALL
_API = "/api/v1/models"
_ONE = "YAMNet distress detector 0000077"
_MLFLOW_API = "/api/2.0/mlflow/registered-models"

Request = Callable[[int], float]


def measure(bench: Bench) -> Iterator[Result]:
    """Understudy on SQLite, on PostgreSQL where it is installed, and MLflow where it was chosen."""
    medians: dict[str, float] = {}
    for rows in (_SMALL,) if bench.quick else (_SMALL, _LARGE):
        for result in _understudy(bench, rows, None):
            if P50 in result.figures:
                medians[result.case] = result.figures[P50].median
            yield result
        folder = binaries()
        if folder is None:
            yield Result(GROUP, f"{rows:,} rows", f"{UNDERSTUDY} (PostgreSQL)", problem="PostgreSQL is not installed")
        else:
            yield from _understudy(bench, rows, folder)
    if "mlflow" in bench.subjects:
        yield from (_compared(result, medians) for result in _mlflow(bench))


def _understudy(bench: Bench, rows: int, binaries_at: Path | None) -> Iterator[Result]:
    kind = "SQLite" if binaries_at is None else "PostgreSQL"
    subject = f"{UNDERSTUDY} ({kind})"
    try:
        with nullcontext(None) if binaries_at is None else postgres(binaries_at) as url:
            home = Home(bench.work / f"registry-{kind}-{rows}", url)
            home.prepare(bench.site.networks / "tiny.onnx", rows)
            with home.server() as server, closing(Client(server.url)) as client:
                for name, request in _requests(client, rows).items():
                    yield _result(bench, f"{name}, {rows:,} rows", subject, request)
    except (ServerError, OSError, subprocess.CalledProcessError) as error:
        yield Result(GROUP, f"{rows:,} rows", subject, problem=str(error))


def _requests(client: Client, rows: int) -> dict[str, Request]:
    middle = base64.urlsafe_b64encode(json.dumps(["id", rows // 2, rows // 2]).encode()).decode().rstrip("=")

    def get(path: str) -> Request:
        return lambda _: client.ask("GET", path)[1]

    def register(number: int) -> float:
        body = {"model_name": f"new {number}", "version": "v2", "file_path": f"models/m{number % 1000}.onnx"}
        return client.ask("POST", _API, body)[1]

    def update(number: int) -> float:
        return client.ask("PUT", f"{_API}/{1 + number * 97 % rows}", {"description": f"note {number}"})[1]

    return {
        "page": get(_API),
        "deep page": get(f"{_API}?cursor={middle}"),
        "page by accuracy": get(f"{_API}?sort=-accuracy"),
        "page by time": get(f"{_API}?sort=-created_at"),
        "get": lambda number: client.ask("GET", f"{_API}/{1 + number * 997 % rows}")[1],
        "register": register,
        "update": update,
    }


def _mlflow(bench: Bench) -> Iterator[Result]:
    mlflow = Mlflow(bench.work / "registry-mlflow")
    rows = _MLFLOW_ROWS
    try:
        mlflow.prepare(rows)
        with mlflow.server() as server, closing(Client(server.url)) as client:
            page = f"{_MLFLOW_API}/search?max_results=100"
            token = client.json("GET", page)["next_page_token"]
            requests: dict[str, Request] = {
                "page": lambda _: client.ask("GET", page)[1],
                "deep page": lambda _: client.ask("GET", f"{page}&page_token={quote(token)}")[1],
                "get": lambda _: client.ask("GET", f"{_MLFLOW_API}/get?name={quote(_ONE)}")[1],
                "register": lambda number: mlflow.register(client, f"new {number}"),
                "update": lambda number: client.ask(
                    "PATCH",
                    f"{_MLFLOW_API}/update",
                    {"name": _ONE, "description": f"note {number}"},
                )[1],
            }
            for name, request in requests.items():
                yield _result(bench, f"{name}, {rows:,} rows", "mlflow", request)
    except (ServerError, OSError) as error:
        yield Result(GROUP, f"{rows:,} rows", "mlflow", problem=str(error))


def _result(bench: Bench, case: str, subject: str, request: Request) -> Result:
    count = 100 if bench.quick else 400
    for number in range(20):
        request(number)
    took = sorted(1e3 * request(number) for number in range(20, 20 + count))
    figures = {
        P50: Figure.of("ms", statistics.median(took)),
        P99: Figure.of("ms", took[int(0.99 * count)]),
    }
    return Result(GROUP, case, subject, figures)


def _compared(result: Result, medians: dict[str, float]) -> Result:
    ours = medians.get(result.case)
    if ours is None or P50 not in result.figures:
        return result
    ratio = Figure.of("x", result.figures[P50].median / ours)
    return Result(GROUP, result.case, result.subject, {**result.figures, "Understudy's p50 is lower by": ratio})
