"""A server in this process that speaks gRPC, on an event loop in a thread of its own, and Triton's client for it."""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import grpc
import httpx
import onnx
import pytest
import tritonclient.grpc as triton
from asgi_lifespan import LifespanManager
from onnx import TensorProto, helper

from tests.api.v2.conftest import write_adder
from understudy.api.v2_grpc.server import GrpcServer
from understudy.container import Services
from understudy.main import create_app
from understudy.settings import Settings

T = TypeVar("T")


@dataclass
class RunningServer:
    """A server that runs in another thread. `call` runs a coroutine there."""

    services: Services
    grpc: GrpcServer
    loop: asyncio.AbstractEventLoop
    http: httpx.AsyncClient

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.grpc.port}"

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def post(self, path: str, **options: Any) -> Any:
        """POST over HTTP and return the answer's JSON."""
        answer = self.call(self.http.post(path, **options))
        assert answer.is_success, answer.text
        return answer.json()

    def register(self, name: str, write: Callable[[Path], None], *, version: str | None = "v1") -> int:
        file = f"{name.replace('/', '-')}.onnx"
        write(self.services.settings.models_dir / file)
        body = {"model_name": name, "file_path": f"models/{file}", "version": version}
        model_id: int = self.post("/api/v1/models", json=body)["model_id"]
        return model_id

    def activate(self, model_id: int) -> None:
        self.post(f"/api/v1/models/{model_id}/activate?tensors_only=true")

    @contextmanager
    def connect(self) -> Iterator[triton.InferenceServerClient]:
        with triton.InferenceServerClient(self.address) as client:
            yield client

    def ask(self, path: str, body: bytes = b"", **options: Any) -> bytes:
        """Send one message without a client of the protocol."""
        with grpc.insecure_channel(self.address) as channel:
            answer: bytes = channel.unary_unary(path)(body, timeout=30, **options)
            return answer


def build_adder(plus: float) -> Callable[[Path], None]:
    """Return what writes `y` = `x` + `plus` for float32 [n, 3], and its half-precision copy `z`."""
    return partial(write_adder, plus=plus)


def write_counter(path: Path) -> None:
    """Write `sum` = `a` + `b` and `same` = (`a` is `b`), for int64 [n]."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Equal", ["a", "b"], ["same"])],
        "counter",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["n"]) for name in ("a", "b")],
        [
            helper.make_tensor_value_info("sum", TensorProto.INT64, ["n"]),
            helper.make_tensor_value_info("same", TensorProto.BOOL, ["n"]),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


@contextmanager
def run_server(settings: Settings) -> Iterator[RunningServer]:
    """Run the application in a thread until the block ends."""
    loop = asyncio.new_event_loop()
    started: Future[RunningServer] = Future()
    stop = asyncio.Event()

    async def serve() -> None:
        try:
            async with LifespanManager(create_app(settings), startup_timeout=60, shutdown_timeout=60) as manager:
                transport = httpx.ASGITransport(manager.app, raise_app_exceptions=False)
                async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as http:
                    state = manager._state
                    started.set_result(RunningServer(state["services"], state["grpc"], loop, http))
                    await stop.wait()
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield started.result(60)
    finally:
        if started.exception() is None:
            loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def grpc_settings(tmp_path_factory: pytest.TempPathFactory, migrated_home: Path) -> Settings:
    """Settings of a home of its own with the newest tables, for every test of a file."""
    home = tmp_path_factory.mktemp("grpc")
    (home / "models").mkdir()
    shutil.copytree(migrated_home / "var", home / "var")
    workers = int(os.environ.get("UNDERSTUDY_TEST_WORKERS", "0"))
    return Settings(home=home, workers=workers, grpc_port=0, grace_seconds=5.0, max_tensor_bytes=1 << 20)


@pytest.fixture(scope="module")
def running(grpc_settings: Settings) -> Iterator[RunningServer]:
    with run_server(grpc_settings) as server:
        yield server


@pytest.fixture(scope="module")
def client(running: RunningServer) -> Iterator[triton.InferenceServerClient]:
    with running.connect() as client:
        yield client
