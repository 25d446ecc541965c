"""Registries with many rows: Understudy's on either database, and MLflow's on SQLite."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.client import Client
from benchmarks.paths import ENVIRONMENTS
from benchmarks.server import Server, ServerError, free_port
from benchmarks.site import environment

FILES = 1000
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_MODELS = ("model_id", "model_name", "version", "file_path", "description", "model_type", "accuracy")
_TABLES = {
    "ml_models": (*_MODELS, "created_at", "updated_at", "is_active"),
    "understudy_files": (*("model_id", "file_path", "digest", "bytes", "fingerprint", "compile_state", "recorded_at"),),
    "understudy_history": ("at", "event", "model_id", "model_name", "digest", "actor"),
}


@dataclass(frozen=True)
class Home:
    """An Understudy home; `database_url` None is SQLite."""

    folder: Path
    database_url: str | None

    def server(self) -> Server:
        port = free_port()
        url = {} if self.database_url is None else {"DATABASE_URL": self.database_url}
        python = ENVIRONMENTS / "bench" / "bin" / "python"
        command = [str(python), "-m", "understudy.cli", "serve", "--port", str(port)]
        variables = environment(UNDERSTUDY_HOME=self.folder, UNDERSTUDY_LOG_LEVEL="error", **url)
        return Server(command, variables, port=port, ready_path="/health/live", log=self.folder / "server.log")

    def prepare(self, network: Path, rows: int) -> None:
        """A compiled model and rows beside it up to `rows`, over a thousand files. Raises ServerError."""
        models = self.folder / "models"
        models.mkdir(parents=True)
        (models / "m0.onnx").write_bytes(network.read_bytes())
        for number in range(1, FILES):
            os.link(models / "m0.onnx", models / f"m{number}.onnx")
        with self.server() as server, closing(Client(server.url)) as client:
            seed = client.json("POST", "/api/v1/models", {"model_name": "seed", "file_path": "models/m0.onnx"})
            deadline = time.monotonic() + 60
            while client.json("GET", f"/api/v1/models/{seed['model_id']}")["compile_state"] != "ready":
                if time.monotonic() > deadline:
                    raise ServerError("the seed was not compiled within a minute")
                time.sleep(0.1)
        found = (models / "m0.onnx").stat()
        self._fill(rows, seed["digest"], found.st_size, f"{found.st_size}-{found.st_mtime_ns}")

    def _fill(self, rows: int, digest: str, size: int, mark: str) -> None:
        contents = {
            "ml_models": (_model(number) for number in range(2, rows + 1)),
            "understudy_files": (
                (number, _path(number), digest, size, mark, "ready", _time(number)) for number in range(2, rows + 1)
            ),
            "understudy_history": (
                (_time(number), "registered", number, _name(number), digest, "api") for number in range(2, rows + 1)
            ),
        }
        if self.database_url is None:
            with closing(sqlite3.connect(self.folder / "var" / "understudy.db")) as database, database:
                for table, content in contents.items():
                    marks = ", ".join("?" * len(_TABLES[table]))
                    database.executemany(f"INSERT INTO {table} ({', '.join(_TABLES[table])}) VALUES ({marks})", content)  # noqa: S608
            return
        import psycopg

        with psycopg.connect(self.database_url) as connection:
            for table, content in contents.items():
                order = f"COPY {table} ({', '.join(_TABLES[table])}) FROM STDIN"
                with connection.cursor().copy(order.encode()) as copy:
                    for row in content:
                        copy.write_row(row)
            connection.execute("SELECT setval('ml_models_model_id_seq', (SELECT max(model_id) FROM ml_models))")
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


def _name(number: int) -> str:
    return f"YAMNet distress detector {number:07}"


def _path(number: int) -> str:
    return f"models/m{number % FILES}.onnx"


def _time(number: int) -> str:
    return (_EPOCH + timedelta(minutes=number)).strftime("%Y-%m-%d %H:%M:%S.%f")


def _model(number: int) -> tuple[Any, ...]:
    description = f"Trained on the clips of week {number % 520}"
    kind = "yamnet" if number % 10 else "other"
    accuracy = number * 7919 % 10_001 / 10_000
    shown = (number, _name(number), f"v1.{number % 50}", _path(number), description, kind, accuracy)
    return (*shown, _time(number), _time(number), False)


@dataclass(frozen=True)
class Mlflow:
    """MLflow's tracking server with its registry in an SQLite file; one worker a core."""

    folder: Path

    def server(self) -> Server:
        port = free_port()
        program = str(ENVIRONMENTS / "mlflow" / "bin" / "python")
        command = [
            *(program, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
            *("--workers", str(os.cpu_count() or 1), "--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}"),
            *("--artifacts-destination", str(self.folder / "artifacts")),
        ]
        return Server(command, environment(), port=port, ready_path="/health", log=self.folder / "server.log")

    def prepare(self, rows: int) -> None:
        """Rows like the one that its own API makes. Raises ServerError."""
        self.folder.mkdir(parents=True)
        with self.server() as server, closing(Client(server.url)) as client:
            self.register(client, _name(1))
        with closing(sqlite3.connect(self.folder / "mlflow.db")) as database, database:
            for table in ("registered_models", "model_versions"):
                _multiply(database, table, rows)

    @staticmethod
    def register(client: Client, name: str) -> float:
        """A model and its version, as `mlflow.register_model` asks for them; the seconds that both took."""
        api = "/api/2.0/mlflow"
        began = time.perf_counter()
        client.json("POST", f"{api}/registered-models/create", {"name": name})
        client.json("POST", f"{api}/model-versions/create", {"name": name, "source": "s3://models/model"})
        return time.perf_counter() - began


def _multiply(database: sqlite3.Connection, table: str, rows: int) -> None:
    """Copies of the only row under other names."""
    columns = [column[1] for column in database.execute(f"PRAGMA table_info({table})")]
    (row,) = database.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()  # noqa: S608
    place = columns.index("name")
    marks = ", ".join("?" * len(columns))
    database.executemany(f"INSERT INTO {table} VALUES ({marks})", _renamed(row, place, rows))  # noqa: S608


def _renamed(row: tuple[Any, ...], place: int, rows: int) -> Iterator[tuple[Any, ...]]:
    return ((*row[:place], _name(number), *row[place + 1 :]) for number in range(2, rows + 1))
