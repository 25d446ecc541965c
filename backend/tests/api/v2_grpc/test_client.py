"""Triton's gRPC client works unchanged, and clients that send typed contents do too."""

import re
import threading
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from tests.api.v2_grpc.conftest import RunningServer, build_adder, write_counter
from understudy.api.v2_grpc import open_inference_pb2 as messages
from understudy.api.v2_grpc.methods import HEALTH, INFERENCE
from understudy.api.v2_grpc.status_codes import CODE, PROBLEM

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def give(name: str, values: Any, datatype: str = "FP32") -> triton.InferInput:
    return triton.InferInput(name, list(values.shape), datatype).set_data_from_numpy(values)


def read_parameters(answer: triton.InferResult) -> dict[str, Any]:
    found = answer.get_response().parameters
    return {name: getattr(value, value.WhichOneof("parameter_choice")) for name, value in found.items()}


@pytest.fixture(scope="module")
def models(running: RunningServer) -> dict[str, int]:
    """Ids by name: `adder` is live, `org/other` adds 2, `counter` takes int64."""
    ids = {
        "adder": running.register("adder", build_adder(1)),
        "org/other": running.register("org/other", build_adder(2), version=None),
        "counter": running.register("counter", write_counter),
    }
    running.activate(ids["adder"])
    return ids


class TestInference:
    def test_any_model_answers_by_name_and_version_live_or_not(
        self, client: triton.InferenceServerClient, running: RunningServer, models: dict[str, int]
    ) -> None:
        for name, version, plus in (("adder", "v1", 1), ("adder", "", 1), ("org/other", "", 2)):
            wanted = [triton.InferRequestedOutput(each) for each in ("z", "y")]
            answer = client.infer(name, [give("x", X)], model_version=version, outputs=wanted, request_id="7")
            np.testing.assert_array_equal(answer.as_numpy("y"), X + plus)
            np.testing.assert_array_equal(answer.as_numpy("z"), (X + plus).astype(np.float16))
            response = answer.get_response()
            assert [output.name for output in response.outputs] == ["z", "y"]
            assert (response.model_name, response.id) == (name, "7")
            assert response.model_version == ("" if name == "org/other" else "v1")
            parameters = read_parameters(answer)
            assert parameters["model_id"] == models[name]
            assert len(parameters["digest"]) == 64
            assert parameters.get("generation") == (1 if name == "adder" else None)

    def test_int64_inputs_give_two_outputs(self, client: triton.InferenceServerClient, models: dict[str, int]) -> None:
        a, b = np.array([2**62, -1], np.int64), np.array([2**61, -1], np.int64)
        answer = client.infer("counter", [give("a", a, "INT64"), give("b", b, "INT64")])
        np.testing.assert_array_equal(answer.as_numpy("sum"), a + b)
        np.testing.assert_array_equal(answer.as_numpy("same"), [False, True])

    def test_typed_contents_are_answered_with_typed_contents(
        self, running: RunningServer, models: dict[str, int]
    ) -> None:
        request = messages.ModelInferRequest(model_name="counter")
        for name, values in (("a", [2**62, 5]), ("b", [1, 5])):
            request.inputs.add(name=name, datatype="INT64", shape=[2], contents={"int64_contents": values})
        answer = infer(running, request)
        assert [list(answer.outputs[0].contents.int64_contents), list(answer.outputs[1].contents.bool_contents)] == [
            [2**62 + 1, 10],
            [False, True],
        ]
        assert not answer.raw_output_contents
        request = messages.ModelInferRequest(model_name="adder", outputs=[{"name": "y"}])
        request.inputs.add(name="x", datatype="FP32", shape=[1, 3], contents={"fp32_contents": [1, 2, float("inf")]})
        assert list(infer(running, request).outputs[0].contents.fp32_contents) == [2, 3, float("inf")]

    def test_half_precision_has_no_typed_contents_so_the_answer_is_raw(
        self, running: RunningServer, models: dict[str, int]
    ) -> None:
        request = messages.ModelInferRequest(model_name="adder")
        request.inputs.add(name="x", datatype="FP32", shape=[1, 3], contents={"fp32_contents": [1, 2, 3]})
        answer = infer(running, request)
        assert [output.datatype for output in answer.outputs] == ["FP32", "FP16"]
        assert not any(output.HasField("contents") for output in answer.outputs)
        assert np.frombuffer(answer.raw_output_contents[1], np.float16).tolist() == [2, 3, 4]

    def test_classes_come_in_words(
        self, client: triton.InferenceServerClient, running: RunningServer, models: dict[str, int]
    ) -> None:
        best = [[b"4.000000:2", b"3.000000:1"], [b"7.000000:2", b"6.000000:1"]]
        wanted = [triton.InferRequestedOutput("y", class_count=2)]
        assert client.infer("adder", [give("x", X)], outputs=wanted).as_numpy("y").tolist() == best
        request = messages.ModelInferRequest(model_name="adder")
        request.inputs.add(name="x", datatype="FP32", shape=[2, 3], contents={"fp32_contents": X.reshape(-1).tolist()})
        request.outputs.add(name="y").parameters["classification"].int64_param = 2
        [output] = infer(running, request).outputs
        assert (output.datatype, list(output.shape)) == ("BYTES", [2, 2])
        assert list(output.contents.bytes_contents) == [word for row in best for word in row]

    def test_large_tensors_leave_the_event_loop_and_may_be_compressed(
        self, client: triton.InferenceServerClient, models: dict[str, int]
    ) -> None:
        large = np.zeros((40_000, 3), np.float32)
        for way in (None, "gzip", "deflate"):
            answer = client.infer("adder", [give("x", large)], compression_algorithm=way)
            np.testing.assert_array_equal(answer.as_numpy("y"), large + 1)

    def test_every_answer_names_the_model_that_computed_it_while_models_are_swapped(
        self, running: RunningServer, models: dict[str, int]
    ) -> None:
        plus = {"adder": 1, "org/other": 2}
        done = threading.Event()
        answers: list[tuple[str, dict[str, Any], Any]] = []
        failures: list[BaseException] = []

        def load(name: str) -> None:
            with running.connect() as client:
                try:
                    while not done.is_set():
                        answer = client.infer(name, [give("x", X)])
                        answers.append((name, read_parameters(answer), answer.as_numpy("y")))
                except BaseException as error:  # noqa: BLE001  # the test fails with it
                    failures.append(error)

        threads = [threading.Thread(target=load, args=(name,)) for name in plus]
        for thread in threads:
            thread.start()
        for turn in range(6):
            running.activate(models["org/other" if turn % 2 == 0 else "adder"])
        done.set()
        for thread in threads:
            thread.join(30)
        assert failures == []
        assert {name for name, _, _ in answers} == set(plus)
        generations = {
            name: {parameters.get("generation") for each, parameters, _ in answers if each == name} for name in plus
        }
        assert all(len(each) > 1 for each in generations.values())
        assert not (generations["adder"] - {None}) & (generations["org/other"] - {None})
        for name, parameters, y in answers:
            assert parameters["model_id"] == models[name]
            np.testing.assert_array_equal(y, X + plus[name])

    def test_the_documented_example_works(
        self, running: RunningServer, models: dict[str, int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        page = (Path(__file__).resolve().parents[4] / "docs" / "v2.md").read_text(encoding="utf-8")
        [example] = re.findall(r"^```python\n([^`]*tritonclient\.grpc.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
        exec(compile(example.replace("127.0.0.1:8001", running.address), "v2.md", "exec"), {})  # noqa: S102
        assert capsys.readouterr().out.split() == ["[[2.", "2.", "2.]]", str(models["adder"])]


class TestDescriptions:
    def test_the_server_and_its_models_describe_themselves(
        self, client: triton.InferenceServerClient, models: dict[str, int]
    ) -> None:
        assert client.is_server_live()
        assert client.is_server_ready()
        about = client.get_server_metadata()
        assert (about.name, set(about.extensions)) == ("understudy", {"classification", "model_repository"})
        metadata = client.get_model_metadata("adder", "v1")
        assert (metadata.name, list(metadata.versions)) == ("adder", ["v1"])
        assert metadata.platform == "onnxruntime_onnx"
        [x] = metadata.inputs
        assert (x.name, x.datatype, list(x.shape)) == ("x", "FP32", [-1, 3])
        assert [output.datatype for output in metadata.outputs] == ["FP32", "FP16"]

    def test_a_model_that_is_not_compiled_is_not_ready(
        self, client: triton.InferenceServerClient, running: RunningServer, models: dict[str, int]
    ) -> None:
        assert client.is_model_ready("adder", "v1")
        running.register("broken", write_broken)
        assert client.is_model_ready("broken") is False
        with pytest.raises(InferenceServerException, match="There is no model 'nobody'"):
            client.is_model_ready("nobody")

    def test_the_standard_health_check_answers(self, running: RunningServer, models: dict[str, int]) -> None:
        for service in ("", INFERENCE):
            body = messages.HealthCheckRequest(service=service).SerializeToString()
            answer = messages.HealthCheckResponse.FromString(running.ask(f"/{HEALTH}/Check", body))
            assert answer.status == messages.HealthCheckResponse.SERVING
        body = messages.HealthCheckRequest(service="other").SerializeToString()
        with pytest.raises(grpc.RpcError) as refused:
            running.ask(f"/{HEALTH}/Check", body)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND

    def test_models_are_listed_loaded_and_let_go(
        self, client: triton.InferenceServerClient, running: RunningServer, models: dict[str, int]
    ) -> None:
        running.activate(models["adder"])
        index = {entry.name: entry for entry in client.get_model_repository_index().models}
        assert set(models) <= set(index)
        assert (index["adder"].version, index["adder"].state) == ("v1", "READY")
        client.load_model("org/other")
        assert client.is_model_ready("org/other")
        client.unload_model("org/other")
        np.testing.assert_array_equal(client.infer("org/other", [give("x", X)]).as_numpy("y"), X + 2)
        with pytest.raises(InferenceServerException, match=r"adder is the live model.*Activate"):
            client.unload_model("adder")
        with pytest.raises(InferenceServerException, match=r"the request gives config.*Register the file"):
            client.load_model("org/other", config="{}")
        with pytest.raises(InferenceServerException, match=r"There is no model 'nobody'"):
            client.load_model("nobody")


def write_broken(path: Path) -> None:
    path.write_bytes(b"no model")


def infer(running: RunningServer, request: messages.ModelInferRequest) -> messages.ModelInferResponse:
    answer = running.ask(f"/{INFERENCE}/ModelInfer", request.SerializeToString())
    found: messages.ModelInferResponse = messages.ModelInferResponse.FromString(answer)
    return found


def build(**more: Any) -> messages.ModelInferRequest:
    """Return a request for `adder` that is right, but for what `more` changes."""
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 3], "contents": {"fp32_contents": [1, 2, 3]}}
    raw, wanted, model = more.pop("raw", None), more.pop("outputs", []), more.pop("model_name", "adder")
    if raw is not None:
        del tensor["contents"]
    return messages.ModelInferRequest(model_name=model, inputs=[tensor | more], outputs=wanted, raw_input_contents=raw)


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (build(model_name="nobody"), "NOT_FOUND", "There is no model 'nobody'"),
        (build(shape=[1, 4], raw=[bytes(16)]), "INVALID_ARGUMENT", r"\[1, 4\]"),
        (build(shape=[1, 3], raw=[bytes(8)]), "INVALID_ARGUMENT", "takes 12 bytes, and 8 are given"),
        (build(shape=[1, 2]), "INVALID_ARGUMENT", "takes 2 values, and 3 are given"),
        (build(shape=[-1, 3]), "INVALID_ARGUMENT", "shape of x"),
        (build(shape=[1] * 33), "INVALID_ARGUMENT", "shape of x"),
        (build(raw=[bytes(12), bytes(12)]), "INVALID_ARGUMENT", "holds 2 tensors, and the request has 1"),
        (build(raw=[bytes(12)], contents={"fp32_contents": [1]}), "INVALID_ARGUMENT", "come twice"),
        (build(contents={"fp64_contents": [1, 2, 3]}), "INVALID_ARGUMENT", "FP32 is in fp32_contents"),
        (
            build(datatype="BYTES", contents={"bytes_contents": [b"a"] * 3}),
            "INVALID_ARGUMENT",
            "datatype of x is 'BYTES'",
        ),
        (build(datatype="BYTES", raw=[b"\1\0\0\0a" * 3]), "INVALID_ARGUMENT", "datatype of x is 'BYTES'"),
        (build(datatype="FP16"), "INVALID_ARGUMENT", "FP16 has no contents"),
        (build(datatype="INT8", contents={"int_contents": [1, 2, 300]}), "INVALID_ARGUMENT", "go beyond its datatype"),
        (build(datatype="INT32", contents={"int_contents": [1, 2, 3]}), "INVALID_ARGUMENT", "x"),
        (build(name="other"), "INVALID_ARGUMENT", "other"),
        (build(outputs=[{"name": "nothing"}]), "INVALID_ARGUMENT", "asks for 'nothing'"),
        (build(parameters={"shared_memory_region": {"string_param": "r"}}, contents={}), "INVALID_ARGUMENT", "shared"),
        (
            build(outputs=[{"name": "y", "parameters": {"classification": {"string_param": "2"}}}]),
            "INVALID_ARGUMENT",
            "classification of y",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "request",
)
def test_a_request_that_cannot_be_answered_is_refused_in_words_with_our_code(
    running: RunningServer, models: dict[str, int], request_: messages.ModelInferRequest, status: str, words: str
) -> None:
    with pytest.raises(grpc.RpcError, match=words) as refused:
        infer(running, request_)
    assert refused.value.code().name == status
    metadata = dict(refused.value.trailing_metadata())
    expected = "model_not_found" if status == "NOT_FOUND" else "request_invalid"
    assert metadata[CODE] == expected
    assert f'"code": "{expected}"'.encode() in metadata[PROBLEM]


def test_a_message_that_is_none_or_too_large_is_refused(running: RunningServer, models: dict[str, int]) -> None:
    with pytest.raises(grpc.RpcError, match="not the one that") as refused:
        running.ask(f"/{INFERENCE}/ModelInfer", b"\xff")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        with pytest.raises(grpc.RpcError, match="larger than max") as refused:
            running.ask(f"/{INFERENCE}/ModelInfer", bytes(2 << 20), compression=compression)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    with pytest.raises(grpc.RpcError) as refused:
        running.ask(f"/{INFERENCE}/ModelStreamInfer")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
