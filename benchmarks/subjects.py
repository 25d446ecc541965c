"""Everyone who is measured, at the settings that README.md gives reasons for."""

import json
import os
from dataclasses import replace

from benchmarks import wire
from benchmarks.site import LIVE
from benchmarks.subject import HEAR, Command, Launch, Subject

CORES = os.cpu_count() or 1
UNDERSTUDY = "understudy"
THREADS = "threads"


def _understudy(launch: Launch) -> Command:
    return [
        *(launch.python, "-m", "understudy.cli", "serve", "--port", str(launch.port)),
        *("--home", launch.site.home),
    ]


def _fastapi(launch: Launch) -> Command:
    return [
        *(launch.python, "-m", "uvicorn", "benchmarks.servers.fastapi_app:app", "--port", str(launch.port)),
        *("--workers", str(CORES), "--loop", "uvloop", "--http", "httptools", "--no-access-log"),
        *("--log-level", "warning"),
    ]


def _litserve(launch: Launch) -> Command:
    return [launch.python, "-m", "benchmarks.servers.litserve_app"]


def _bentoml(launch: Launch) -> Command:
    service = "benchmarks.servers.bentoml_app:Peer"
    return [launch.python, "-m", "bentoml", "serve", service, "--host", "127.0.0.1", "--port", str(launch.port), "-q"]


def write_mlserver_model(launch: Launch, name: str, extra: dict[str, str | int]) -> None:
    """The settings of one model in the repository that MLServer reads."""
    runtime = "Hearing" if launch.task == HEAR else "Dense"
    folder = launch.folder / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "name": name,
        "implementation": f"benchmarks.servers.mlserver_runtime.{runtime}",
        "parameters": {"extra": extra},
    }
    (folder / "model-settings.json").write_text(json.dumps(document))


def _prepare_mlserver(launch: Launch) -> None:
    write_mlserver_model(launch, "model", {"model": str(launch.site.models[LIVE].compiled), "generation": 1})


def _mlserver(launch: Launch) -> Command:
    settings = {
        "debug": False,
        "parallel_workers": CORES,
        "gzip_enabled": False,
        "metrics_endpoint": None,
        "host": "127.0.0.1",
        "http_port": launch.port,
        "grpc_port": launch.port + 1,
        "model_repository_root": str(launch.folder / "models"),
    }
    (launch.folder / "models" / "settings.json").write_text(json.dumps(settings))
    return [launch.python.with_name("mlserver"), "start", launch.folder / "models"]


def _ray(launch: Launch) -> Command:
    return [launch.python, "-m", "benchmarks.servers.ray_app"]


def _prepare_mlflow(launch: Launch) -> Command:
    return [launch.python, "-m", "benchmarks.servers.mlflow_model", launch.folder / "model"]


def _mlflow(launch: Launch) -> Command:
    return [
        *(launch.python, "-m", "mlflow", "models", "serve", "--model-uri", launch.folder / "model"),
        *("--env-manager", "local", "--host", "127.0.0.1", "--port", str(launch.port), "--workers", str(CORES)),
    ]


def _prepare_keras(launch: Launch) -> Command:
    return [launch.python, "-m", "benchmarks.servers.keras_files", launch.site.networks, launch.folder]


def _keras(launch: Launch) -> Command:
    return [
        *(launch.python, "-m", "uvicorn", "benchmarks.servers.keras_app:app", "--port", str(launch.port)),
        *("--log-level", "warning"),
    ]


def _v2_base64(text: str) -> object:
    tensor = {"name": "audio", "datatype": "BYTES", "shape": [1], "data": [text]}
    return {"inputs": [tensor | {"parameters": {"content_type": "base64"}}]}


_TINY = "/v2/models/tiny/infer"
_HEAR = wire.Hearing("/hear", wire.raw, wire.labelled)
_JSON_ROWS = wire.Dense("/dense", wire.rows_under("inputs"), wire.from_json("outputs"))

_OURS = Subject(
    UNDERSTUDY,
    "bench",
    _understudy,
    "/health/ready",
    {
        "raw": wire.Hearing("/api/v1/predict", wire.raw, wire.labelled),
        "multipart": wire.Hearing("/api/v1/predict", wire.multipart("audio_file"), wire.labelled),
    },
    {
        "JSON": wire.Dense(_TINY, wire.v2_json, wire.from_v2_json),
        "binary": wire.Dense(_TINY, wire.v2_binary, wire.from_v2_binary),
    },
    variables={"UNDERSTUDY_LOG_LEVEL": "warning"},
    pinned=False,  # it pins its BLAS itself
)

SUBJECTS = {
    subject.name: subject
    for subject in (
        _OURS,
        replace(_OURS, name=THREADS, variables={**_OURS.variables, "UNDERSTUDY_WORKERS": "0"}),
        Subject(
            "fastapi",
            "fastapi",
            _fastapi,
            "/ready",
            {"raw": _HEAR},
            {"JSON": _JSON_ROWS, "binary": wire.Dense("/dense/raw", wire.raw_rows, wire.from_raw)},
        ),
        Subject(
            "litserve",
            "litserve",
            _litserve,
            "/health",
            {"JSON": wire.Hearing("/predict", wire.in_base64(lambda text: {"audio": text}), wire.labelled)},
            {"JSON": wire.Dense("/predict", wire.rows_under("inputs"), wire.from_json("outputs"))},
        ),
        Subject(
            "bentoml",
            "bentoml",
            _bentoml,
            "/readyz",
            {"raw": _HEAR},
            {"JSON": wire.Dense("/dense", wire.rows_under("inputs"), wire.from_json())},
            variables={"BENTOML_DO_NOT_TRACK": "True"},
        ),
        Subject(
            "mlserver",
            "mlserver",
            _mlserver,
            "/v2/models/model/ready",
            {"JSON": wire.Hearing("/v2/models/model/infer", wire.in_base64(_v2_base64), wire.v2_text)},
            {"JSON": wire.Dense("/v2/models/model/infer", wire.v2_json, wire.from_v2_json)},
            prepare=_prepare_mlserver,
        ),
        Subject(
            "ray",
            "ray",
            _ray,
            "/ready",
            {"raw": _HEAR},
            {"JSON": _JSON_ROWS},
            variables={
                "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
                "RAY_SERVE_ENABLE_HA_PROXY": "1",
                "RAY_USAGE_STATS_ENABLED": "0",
            },
        ),
        Subject(
            "mlflow",
            "mlflow",
            _mlflow,
            "/ping",
            {
                "JSON": wire.Hearing(
                    "/invocations", wire.in_base64(lambda text: {"inputs": [text]}), wire.first_prediction
                )
            },
            {"JSON": wire.Dense("/invocations", wire.rows_under("inputs"), wire.from_json("predictions"))},
            prepare=_prepare_mlflow,
            variables={"MLFLOW_DISABLE_TELEMETRY": "true"},
        ),
        Subject(
            "keras",
            "keras",
            _keras,
            "/ready",
            {"multipart": wire.Hearing("/predict", wire.multipart("file"), wire.labelled)},
            prepare=_prepare_keras,
            pinned=False,
        ),
    )
}
PEERS = tuple(name for name in SUBJECTS if name != UNDERSTUDY)
