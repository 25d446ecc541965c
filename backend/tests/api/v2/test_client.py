"""Clients of Triton work unchanged."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from tests.api.v2.conftest import Register
from understudy.schemas.inference.open_inference import InferenceResponse

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def inputs(x: Any = X, *, binary: bool = True) -> list[triton.InferInput]:
    return [triton.InferInput("x", list(x.shape), "FP32").set_data_from_numpy(x, binary_data=binary)]


def test_any_model_answers_by_name_and_version_live_or_not(
    client: triton.InferenceServerClient, register: Register
) -> None:
    models = {1: register("live one", plus=1, live=True), 2: register("org/other", plus=2, version=None)}
    for name, version, plus in (("live one", "v1", 1), ("live one", "", 1), ("org/other", "", 2)):
        for binary in (True, False):
            outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("z", "y")]
            answer = client.infer(name, inputs(binary=binary), model_version=version, outputs=outputs, request_id="7")
            np.testing.assert_array_equal(answer.as_numpy("y"), X + plus)
            np.testing.assert_array_equal(answer.as_numpy("z"), (X + plus).astype(np.float16))
            response = answer.get_response()
            InferenceResponse.model_validate(response)
            assert [output["name"] for output in response["outputs"]] == ["z", "y"]
            assert (response["model_name"], response["id"]) == (name, "7")
            assert response["parameters"]["model_id"] == models[plus]
            assert response["parameters"].get("generation") == (1 if plus == 1 else None)


def test_the_server_and_its_models_describe_themselves(
    client: triton.InferenceServerClient, register: Register
) -> None:
    register("adder", plus=1, live=True)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert client.is_model_ready("adder")
    assert client.is_model_ready("adder", "v1")
    assert not client.is_model_ready("adder", "v2")
    assert not client.is_model_ready("nobody")
    metadata = client.get_model_metadata("adder", "v1")
    assert (metadata["name"], metadata["versions"]) == ("adder", ["v1"])
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}]
    assert [output["datatype"] for output in metadata["outputs"]] == ["FP32", "FP16"]
    [entry] = client.get_model_repository_index()
    assert (entry["name"], entry["version"], entry["state"]) == ("adder", "v1", "READY")


def test_models_are_loaded_and_let_go_beside_the_live_one(
    client: triton.InferenceServerClient, register: Register
) -> None:
    register("adder", plus=1, live=True)
    register("org/next", plus=2)
    client.load_model("org/next")
    assert client.is_model_ready("org/next")
    client.unload_model("org/next")
    np.testing.assert_array_equal(client.infer("org/next", inputs()).as_numpy("y"), X + 2)
    with pytest.raises(InferenceServerException, match=r"adder is the live model, which stays loaded.*Activate"):
        client.unload_model("adder")
    np.testing.assert_array_equal(client.infer("adder", inputs()).as_numpy("y"), X + 1)
    with pytest.raises(InferenceServerException, match=r"There is no model 'nobody'"):
        client.load_model("nobody")
    with pytest.raises(InferenceServerException, match=r"the request gives config.*Register the file"):
        client.load_model("org/next", config="{}")


def test_bodies_may_be_compressed_both_ways_and_classes_come_in_words(
    client: triton.InferenceServerClient, register: Register
) -> None:
    register("adder", plus=1, live=True)
    large = np.zeros((40_000, 3), np.float32)  # large enough to leave the event loop's thread
    for way in ("gzip", "deflate"):
        answer = client.infer(
            "adder", inputs(large), request_compression_algorithm=way, response_compression_algorithm=way
        )
        np.testing.assert_array_equal(answer.as_numpy("y"), large + 1)
    wanted = [triton.InferRequestedOutput("y", class_count=2)]
    found = client.infer("adder", inputs(), outputs=wanted).as_numpy("y")
    assert found.tolist() == [[b"4.000000:2", b"3.000000:1"], [b"7.000000:2", b"6.000000:1"]]


def test_a_refusal_reaches_the_client_in_words_and_is_a_problem(
    client: triton.InferenceServerClient, register: Register, server: str
) -> None:
    register("adder", plus=0, live=True)
    with pytest.raises(InferenceServerException, match=r"There is no model 'nobody'.*List the registered models"):
        client.infer("nobody", inputs())
    with pytest.raises(InferenceServerException, match=r"\[2, 4\]"):
        client.infer("adder", inputs(np.ones((2, 4), np.float32)))
    answer = httpx.post(f"http://{server}/v2/models/adder/infer", content=b"{")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert httpx.get(f"http://{server}/v2/nothing").json()["error"].startswith("Nothing is served")


def test_the_documented_example_works(register: Register, server: str) -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "v2.md").read_text(encoding="utf-8")
    register("adder", plus=1, live=True)
    for language, run in (("python", [sys.executable, "-c"]), ("bash", ["bash", "-euc"])):
        example, *_ = re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
        done = subprocess.run([*run, example.replace("127.0.0.1:8000", server)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "generation" in done.stdout
        assert re.search(r"2\.0?,? *2\.0?,? *2\.", done.stdout), done.stdout
