"""The gRPC server starts, stops and recovers with the server of HTTP."""

import asyncio
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import tritonclient.grpc as triton
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tritonclient.utils import InferenceServerException

from tests.api.v2_grpc.conftest import RunningServer, build_adder, run_server
from tests.certificates import write_certificate
from tests.serve_process import run_serve_process
from understudy.api.v2_grpc import open_inference_pb2 as messages
from understudy.api.v2_grpc.methods import INFERENCE
from understudy.errors import Misconfigured
from understudy.serving.prediction.tensor_inference import InferenceResult, TensorInference
from understudy.serving.telemetry.traces import Traces
from understudy.settings import Settings

INFER = f"/{INFERENCE}/ModelInfer"
REQUEST = messages.ModelInferRequest(
    model_name="adder",
    inputs=[{"name": "x", "datatype": "FP32", "shape": [1, 3], "contents": {"fp32_contents": [1, 2, 3]}}],
).SerializeToString()


class HeldInference:
    """Holds inferences back until `let_go`, and says when one has begun and whether one was cancelled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = threading.Event()
        self.cancelled = threading.Event()
        self._let_go = threading.Event()
        infer = TensorInference.infer

        async def hold(
            this: TensorInference, name: str, version: str | None, inputs: Mapping[str, Any]
        ) -> InferenceResult:
            self.begun.set()
            try:
                while not self._let_go.is_set():
                    await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
            return await infer(this, name, version, inputs)

        monkeypatch.setattr(TensorInference, "infer", hold)

    def let_go(self) -> None:
        self._let_go.set()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldInference]:
    held = HeldInference(monkeypatch)
    yield held
    held.let_go()


@pytest.fixture(scope="module")
def running(running: RunningServer) -> RunningServer:
    running.activate(running.register("adder", build_adder(1)))
    return running


def count(running: RunningServer, status: int) -> int:
    return running.services.counters.requests[(INFER, "GRPC", status)]


def wait_until_counted(running: RunningServer, status: int, more_than: int) -> None:
    deadline = time.monotonic() + 10
    while count(running, status) <= more_than:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_until_refused(running: RunningServer) -> None:
    """Return when the server takes no new call any more. Raises grpc.RpcError for another reason to refuse one.

    gRPC itself answers CANCELLED to a call that arrives in the very moment in which the stop begins.
    """
    deadline = time.monotonic() + 10
    while True:
        try:
            running.ask(f"/{INFERENCE}/ServerLive")
        except grpc.RpcError as refused:
            if refused.code() is grpc.StatusCode.UNAVAILABLE:
                return
            if refused.code() is not grpc.StatusCode.CANCELLED:
                raise
        assert time.monotonic() < deadline


class TestClients:
    def test_work_ends_when_the_client_goes(self, running: RunningServer, held: HeldInference) -> None:
        before = count(running, 499)
        with grpc.insecure_channel(running.address) as channel:
            call = channel.unary_unary(INFER).future(REQUEST)
            assert held.begun.wait(10)
            assert not call.done()
        assert held.cancelled.wait(10)
        wait_until_counted(running, 499, before)

    def test_work_ends_at_the_clients_deadline(self, running: RunningServer, held: HeldInference) -> None:
        with grpc.insecure_channel(running.address) as channel, pytest.raises(grpc.RpcError) as late:
            channel.unary_unary(INFER)(REQUEST, timeout=0.3)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert held.cancelled.wait(10)

    def test_an_error_that_nobody_foresaw_is_internal_and_says_nothing_of_the_inside(
        self, running: RunningServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(*_: object) -> None:
            raise ValueError("a secret")

        monkeypatch.setattr(TensorInference, "infer", fail)
        with pytest.raises(grpc.RpcError, match="unexpected error") as failed:
            running.ask(INFER, REQUEST)
        assert failed.value.code() is grpc.StatusCode.INTERNAL
        assert "secret" not in str(failed.value)

    def test_calls_are_counted_by_method_and_status(self, running: RunningServer) -> None:
        before = count(running, 200), count(running, 422)
        running.ask(INFER, REQUEST)
        with pytest.raises(grpc.RpcError):
            running.ask(INFER, b"\xff")
        assert (count(running, 200), count(running, 422)) == (before[0] + 1, before[1] + 1)

    def test_answers_and_refusals_carry_the_id_of_the_request(self, running: RunningServer) -> None:
        given = (("x-request-id", "gate-3/17"),)
        with grpc.insecure_channel(running.address) as channel:
            _, answered = channel.unary_unary(INFER).with_call(REQUEST, metadata=given)
            _, made = channel.unary_unary(INFER).with_call(REQUEST, metadata=(("x-request-id", "not an id"),))
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary(INFER)(b"\xff", metadata=given)
        assert dict(answered.trailing_metadata())["x-request-id"] == "gate-3/17"
        assert re.fullmatch("[0-9a-f]{16}", dict(made.trailing_metadata())["x-request-id"])
        assert dict(refused.value.trailing_metadata())["x-request-id"] == "gate-3/17"

    def test_a_call_is_a_span_below_that_of_its_client(
        self, running: RunningServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        exporter = InMemorySpanExporter()
        traces = Traces(SimpleSpanProcessor(exporter))
        monkeypatch.setattr(running.grpc, "_services", replace(running.services, traces=traces))
        client = "4bf92f3577b34da6a3ce929d0e0e4736"
        with grpc.insecure_channel(running.address) as channel:
            channel.unary_unary(INFER)(REQUEST, metadata=(("traceparent", f"00-{client}-00f067aa0ba902b7-01"),))
            with pytest.raises(grpc.RpcError):
                channel.unary_unary(INFER)(b"\xff")
        answered, refused = exporter.get_finished_spans()
        assert (answered.name, f"{answered.context.trace_id:032x}") == (f"GRPC {INFER}", client)
        assert answered.attributes is not None
        assert answered.attributes["http.response.status_code"] == 200
        assert refused.attributes is not None
        assert refused.attributes["http.response.status_code"] == 422

    def test_a_server_that_ended_is_started_again_on_its_port(self, running: RunningServer) -> None:
        port = running.grpc.port
        running.call(running.grpc._server.stop(None))
        deadline = time.monotonic() + 20
        while True:
            try:
                running.ask(INFER, REQUEST)
                break
            except grpc.RpcError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert running.grpc.port == port
        assert running.services.counters.task_failures["grpc"] == 1


class TestStop:
    def test_a_running_call_is_answered_within_the_grace_period_and_no_new_one_is_taken(
        self, running: RunningServer, held: HeldInference
    ) -> None:
        with run_server(running.services.settings) as other:
            channel = grpc.insecure_channel(other.address)
            call = channel.unary_unary(INFER).future(REQUEST)
            assert held.begun.wait(10)
            stopping = asyncio.run_coroutine_threadsafe(other.grpc.stop(), other.loop)
            wait_until_refused(other)
            held.let_go()
            answer = messages.ModelInferResponse.FromString(call.result(10))
            stopping.result(10)
            channel.close()
        assert answer.model_name == "adder"
        assert other.services.counters.task_failures["grpc"] == 0  # the supervisor does not take the end for a failure

    def test_a_call_that_outlasts_the_grace_period_is_told_so(
        self, running: RunningServer, held: HeldInference
    ) -> None:
        hasty = running.services.settings.model_copy(update={"grace_seconds": 0.2})
        with run_server(hasty) as other, grpc.insecure_channel(other.address) as channel:
            call = channel.unary_unary(INFER).future(REQUEST)
            assert held.begun.wait(10)
            asyncio.run_coroutine_threadsafe(other.grpc.stop(), other.loop)
            failed = call.exception(10)
        assert failed.code() is grpc.StatusCode.UNAVAILABLE
        assert dict(failed.trailing_metadata())["understudy-code"] == "server_stopping"
        assert held.cancelled.is_set()


class TestStart:
    def test_a_port_that_is_taken_stops_the_start(self, running: RunningServer) -> None:
        taken = running.services.settings.model_copy(update={"grpc_port": running.grpc.port})
        with pytest.raises(Misconfigured, match=f"{running.grpc.port} cannot be bound for gRPC"), run_server(taken):
            pass

    def test_without_the_packages_the_start_says_how_to_get_them(
        self, grpc_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delitem(sys.modules, "understudy.api.v2_grpc.server")
        monkeypatch.setitem(sys.modules, "grpc", None)
        with pytest.raises(Misconfigured) as refused, run_server(grpc_settings):
            pass
        assert "'.[grpc]'" in refused.value.remedy


def test_the_command_serves_grpc_with_its_certificate_and_both_end_together(
    home: Path, migrated: None, tmp_path: Path
) -> None:
    certificate, key = write_certificate(tmp_path, "audio.example")
    with run_serve_process(
        home, UNDERSTUDY_GRPC_PORT="0", UNDERSTUDY_TLS_CERT=str(certificate), UNDERSTUDY_TLS_KEY=str(key)
    ) as server:
        assert server.grpc is not None
        port = server.grpc.removeprefix("127.0.0.1:")
        trusted = {"ssl": True, "root_certificates": str(certificate)}
        with triton.InferenceServerClient(f"localhost:{port}", **trusted) as client:
            assert client.is_server_live()
            server.process.terminate()
            assert server.process.wait(30) == 0
            with pytest.raises(InferenceServerException):
                client.is_server_live()
