"""Writes spans of requests, of the phases of a prediction and of the steps of an activation, by OpenTelemetry."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from understudy.errors import Misconfigured
from understudy.schemas.inference.prediction import ModelIdentity, Timing
from understudy.schemas.server.operation import Step

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span

_CLOSE_MILLISECONDS = 5_000
_NS = 1_000_000


class Traces:
    """Holds the tracer of one process; without a processor every method does nothing.

    Endpoint, headers, sampling and the service's name come from OpenTelemetry's own variables, such as
    OTEL_EXPORTER_OTLP_ENDPOINT.
    """

    def __init__(self, processor: "SpanProcessor | None" = None) -> None:
        """`processor` gets the spans that have ended."""
        self._provider = self._tracer = None
        if processor is not None:
            from opentelemetry.sdk.resources import SERVICE_NAME, Resource
            from opentelemetry.sdk.trace import TracerProvider

            resource = Resource.create()  # with what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say
            if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
                resource = resource.merge(Resource({SERVICE_NAME: "understudy"}))
            self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            self._provider.add_span_processor(processor)
            self._tracer = self._provider.get_tracer("understudy")

    @classmethod
    def export(cls) -> Self:
        """Return traces that are sent by OTLP over HTTP. Raises Misconfigured where the packages are not installed."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            raise Misconfigured(
                "UNDERSTUDY_TRACES is set, and OpenTelemetry's packages are not installed.",
                remedy="Run `pip install '.[otel]'` in the checkout.",
            ) from None
        return cls(BatchSpanProcessor(OTLPSpanExporter()))

    @property
    def is_enabled(self) -> bool:
        return self._tracer is not None

    def close(self) -> None:
        """Send what is left, for at most five seconds. Blocks."""
        if self._provider is not None:
            self._provider.force_flush(_CLOSE_MILLISECONDS)
            self._provider.shutdown()

    @contextmanager
    def follow_request(
        self, method: str, path: str, headers: Mapping[str, str], request_id: str
    ) -> Iterator[Callable[[str, int], None]]:
        """Run the block in a span of a request, whose parent is that of the header `traceparent`.

        Yields what names the route and the status once they are known.
        """
        if self._tracer is None:
            yield lambda _route, _status: None
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind, StatusCode

        with self._tracer.start_as_current_span(method, extract(headers), SpanKind.SERVER) as span:
            span.set_attributes({"http.request.method": method, "url.path": path, "understudy.request_id": request_id})

            def note(route: str, status: int) -> None:
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": status})
                if status >= 500:
                    span.set_status(StatusCode.ERROR)

            yield note

    def add_phases(self, model: ModelIdentity, timing: Timing) -> None:
        """Add spans for the phases of a prediction that has just ended, one after the other.

        A worker process reports how long each phase took, not when: for a long recording phases take turns.
        """
        if self._tracer is None:
            return
        attributes: dict[str, str | int] = {
            "understudy.model_id": model.model_id,
            "understudy.model_name": model.model_name,
            "understudy.model_digest": model.digest,
        }
        phases = {name: round(getattr(timing, name) * _NS) for name in ("queue", "decode", "features", "inference")}
        at = time.time_ns() - sum(phases.values())
        for name, took in phases.items():
            span = self._tracer.start_span(name, attributes=attributes, start_time=at)
            at += took
            span.end(at)

    @contextmanager
    def follow_activation(self, model_id: int, kind: str) -> Iterator[Callable[[Step], None]]:
        """Run the block in a span of an activation, and yield what begins the span of each step."""
        if self._tracer is None:
            yield lambda _step: None
            return
        tracer, spans = self._tracer, list["Span"]()
        with tracer.start_as_current_span(kind, attributes={"understudy.model_id": model_id}):
            try:

                def begin(step: Step) -> None:
                    if spans:
                        spans.pop().end()
                    spans.append(tracer.start_span(f"{kind} {step}"))

                yield begin
            finally:
                for span in spans:
                    span.end()
