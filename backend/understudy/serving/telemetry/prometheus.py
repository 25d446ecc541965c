"""Renders /metrics in the formats that Prometheus reads."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from platform import python_version

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from understudy import __version__
from understudy.logs import count_lost_lines
from understudy.serving.supervision import Supervisor
from understudy.serving.sync.live_model import LiveModel, LiveModelReference
from understudy.serving.sync.reconciler import Reconciler
from understudy.serving.telemetry.counters import Counters, Distribution


class PrometheusExporter(Collector):
    """Reads counts and live model at a scrape, on the event loop, so that a scrape never mixes two live models."""

    def __init__(
        self,
        counters: Counters,
        live: LiveModelReference,
        reconciler: Reconciler,
        supervisor: Supervisor,
        queue_depth: Callable[[], int],
    ) -> None:
        self._counters = counters
        self._live = live
        self._reconciler = reconciler
        self._supervisor = supervisor
        self._queue_depth = queue_depth
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics and their content type: OpenMetrics where `accept` asks for it, else Prometheus' text."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        yield from self._collect_counters()
        yield from self._collect_state()

    def _collect_counters(self) -> Iterator[Metric]:
        counters = self._counters
        yield _build_counter(
            "understudy_requests",
            "HTTP requests, WebSocket handshakes and gRPC calls answered, by the template of the route (`other`: the "
            "page's files and addresses without a route), method (`WEBSOCKET`, `GRPC`) and status; gRPC's errors have "
            "the status that they have over HTTP.",
            ("route", "method", "status"),
            {(route, method, str(status)): count for (route, method, status), count in counters.requests.items()},
        )
        yield _build_counter(
            "understudy_refusals",
            "Problem documents sent, by their code.",
            ("code",),
            {(code,): count for code, count in counters.refusals.items()},
        )
        yield _build_counter(
            "understudy_limited_requests",
            "Requests refused because their caller had reached its limit, by the kind of caller.",
            ("kind",),
            {(kind,): count for kind, count in counters.limited.items()},
        )
        yield _build_counter(
            "understudy_logged_predictions",
            "Predictions that were written to the log of predictions.",
            (),
            {(): counters.predictions_logged},
        )
        yield _build_counter(
            "understudy_unlogged_predictions",
            "Predictions that the log had to drop: more came than could be written.",
            (),
            {(): counters.predictions_not_logged},
        )
        yield _build_counter(
            "understudy_source_predictions",
            "Predictions of recordings that name their source: the first 100 sources by name, the rest as `other`.",
            ("source",),
            {(source,): count for source, count in counters.sources.items()},
        )
        yield _build_histogram(
            "understudy_prediction_seconds",
            "Time of a prediction by phase: waiting for a worker (queue), decode, features, inference; total is from "
            "the received body to the answer.",
            ("stage",),
            {(phase,): seconds for phase, seconds in counters.phases.items()},
        )
        yield _build_histogram(
            "understudy_batch_size",
            "Rows or windows in one run of a graph, which requests share.",
            (),
            {(): counters.batches},
        )
        yield _build_gauge(
            "understudy_queue_depth",
            "Waiting work: clips for a time slice, tensor requests for a run, and other tasks for a worker thread.",
            self._queue_depth(),
        )
        yield _build_counter("understudy_streams", "Microphone streams opened.", (), {(): counters.streams})
        yield _build_gauge("understudy_open_streams", "Microphone streams open now.", counters.open_streams)

    def _collect_state(self) -> Iterator[Metric]:
        counters, live = self._counters, self._live.current
        yield _build_info(
            "understudy_live_model",
            "The live model; absent without one.",
            _build_labels(live) if live else None,
        )
        yield _build_gauge(
            "understudy_generation", "Generation of the live model; 0 without one.", live.generation if live else 0
        )
        yield _build_gauge(
            "understudy_in_sync",
            "1 while this process serves the model that the database desires.",
            self._reconciler.in_sync,
        )
        yield _build_gauge(
            "understudy_registry_age_seconds",
            "Time since the database was last read for the model that should be live.",
            self._reconciler.registry_age_seconds or 0.0,
        )
        yield _build_gauge(
            "understudy_database_up",
            "1 while the database answers.",
            self._reconciler.outage is None,
        )
        yield _build_counter("understudy_swaps", "Models that became live.", (), {(): counters.swaps})
        yield _build_counter(
            "understudy_activation_refusals",
            "Activations refused and desired models that did not load, by the code of the reason.",
            ("code",),
            {(code,): count for code, count in counters.activation_refusals.items()},
        )
        yield _build_histogram(
            "understudy_load_seconds",
            "Time to build a compiled model's session and warm it up.",
            (),
            {(): counters.loads},
        )
        yield _build_histogram("understudy_compile_seconds", "Time of a compilation.", (), {(): counters.compilations})
        yield from self._collect_tasks()
        yield _build_info(
            "understudy_build",
            "Versions of Understudy, Python and ONNX Runtime.",
            {"version": __version__, "python": python_version(), "onnxruntime": version("onnxruntime")},
        )

    def _collect_tasks(self) -> Iterator[Metric]:
        yield _build_labeled_gauge(
            "understudy_task_up",
            "1 while the background task runs; 0 between a failure and its next start.",
            ("task",),
            {(task.name,): task.running for task in self._supervisor.list_status()},
        )
        yield _build_counter(
            "understudy_task_failures",
            "Failures of background tasks, each of which is started again.",
            ("task",),
            {(name,): count for name, count in self._counters.task_failures.items()},
        )
        yield _build_counter(
            "understudy_lost_log_lines",
            "Log lines that could not be written: the disk was full, or their reader had ended or stood still.",
            (),
            {(): count_lost_lines()},
        )


def _build_labels(live: LiveModel) -> dict[str, str]:
    identity = live.model.identity
    return {
        "model_id": str(identity.model_id),
        "name": identity.model_name,
        "version": identity.version or "",
        "digest": identity.digest,
        "precision": identity.precision,
    }


def _build_counter(
    name: str, meaning: str, labels: Iterable[str], values: Mapping[tuple[str, ...], float]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, meaning, labels=list(labels))
    for key, value in values.items():
        family.add_metric(list(key), value)
    return family


def _build_labeled_gauge(
    name: str, meaning: str, labels: Iterable[str], values: Mapping[tuple[str, ...], float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=list(labels))
    for key, value in values.items():
        family.add_metric(list(key), float(value))
    return family


def _build_gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=float(value))


def _build_info(name: str, meaning: str, value: dict[str, str] | None) -> InfoMetricFamily:
    return InfoMetricFamily(name, meaning, value=value)


def _build_histogram(
    name: str, meaning: str, labels: Iterable[str], values: Mapping[tuple[str, ...], Distribution]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, meaning, labels=list(labels))
    for key, distribution in values.items():
        pairs, total = distribution.read()
        family.add_metric(list(key), [(_format_bound(bound), count) for bound, count in pairs], total)
    return family


def _format_bound(bound: float) -> str:
    return "+Inf" if math.isinf(bound) else str(float(bound))
