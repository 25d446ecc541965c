"""Every name that is allowed works on every route and command that takes or shows a name."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from typer.testing import CliRunner

from tests.api.v2.conftest import write_adder
from tests.serve_process import run_serve
from understudy.cli.tree import tree

NAMES = {
    "slashes": "team/siren/v2",
    "spaces": "siren of  the north",
    "script": "警報/サイレン",
    "right to left": "صفارة الإنذار",
    "joined emoji": "👩\u200d🚒",
    "percent": "100_%25 %2F % %zz",
    "marks of addresses": "models:siren?version=2&x=%20;a+b#2",
    "quotes and markup": "it's \"[red]<b>${x}{{y}}\\",
    "minus and digits": "-1",
    "infer": "infer",
    "ready": "ready",
    "versions": "versions",
    "longest": "n" * 250,
    "longest outside of ASCII": "名" * 250,
}
VERSION = "2026/06 β#1?%25"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, migrated_home: Path) -> Path:
    home = tmp_path_factory.mktemp("odd")
    shutil.copytree(migrated_home / "var", home / "var")
    (home / "models").mkdir()
    write_adder(home / "models" / "adder.onnx", 1)
    return home


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[httpx.Client]:
    with run_serve(home) as address, httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client


def run_command(home: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(tree, [*arguments, "--home", str(home), "--json"])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def ask(client: httpx.Client, method: str, path: str, body: object = None) -> Any:
    answer = client.request(method, path, json=body)
    assert answer.is_success, f"{path} {answer.text}"
    return answer.json()


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_legal_name_works_on_every_route_and_command(client: httpx.Client, home: Path, name: str) -> None:
    model = ask(client, "POST", "/api/v1/models", {"model_name": name, "file_path": "models/adder.onnx"})
    address = f"/api/v1/models/{model['model_id']}"
    assert ask(client, "PATCH", address, {"version": VERSION})["model_name"] == name
    assert ask(client, "GET", address)["model_name"] == name
    [found] = ask(client, "GET", f"/api/v1/models?q={quote(name, safe='')}")["models"]
    assert found["model_name"] == name
    entries = ask(client, "GET", f"/api/v1/history?model_id={model['model_id']}&event=registered")["entries"]
    assert [entry["model_name"] for entry in entries] == [name]

    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}
    for safe in ("", "/"):  # clients differ in whether they escape a slash
        one = f"/v2/models/{quote(name, safe=safe)}"
        for place in (one, f"{one}/versions/{quote(VERSION, safe=safe)}"):
            answer = ask(client, "POST", f"{place}/infer", {"inputs": [tensor]})
            assert (answer["model_name"], answer["model_version"]) == (name, VERSION)
            assert answer["parameters"]["model_id"] == model["model_id"]
            assert ask(client, "GET", place)["name"] == name
            assert ask(client, "GET", f"{place}/ready") == {"name": name, "ready": True}
    index = ask(client, "POST", "/v2/repository/index")
    assert {"name": name, "version": VERSION} in [{key: each[key] for key in ("name", "version")} for each in index]

    ask(client, "DELETE", address)
    run_command(home, "register", f"--name={name}", "--path", "models/adder.onnx", f"--version={VERSION}")
    [found] = run_command(home, "list", f"--search={name}")["models"]
    assert (found["model_name"], found["version"]) == (name, VERSION)
    assert (
        ask(client, "PATCH", f"/api/v1/models/{found['model_id']}", {"model_name": f"{name}!"})["model_name"]
        == f"{name}!"
    )
    ask(client, "DELETE", f"/api/v1/models/{found['model_id']}")


@pytest.mark.parametrize("name", ["a\nb", "a/versions/1", "a/ready", "../a", "/a", " a", "a\u202eb"])
def test_a_refused_name_is_a_typed_error_everywhere(client: httpx.Client, home: Path, name: str) -> None:
    answer = client.post("/api/v1/models", json={"model_name": name, "file_path": "models/adder.onnx"})
    assert (answer.status_code, answer.json()["code"]) == (422, "name_refused")
    result = CliRunner().invoke(
        tree, ["register", f"--name={name}", "--path", "models/adder.onnx", "--home", str(home), "--json"]
    )
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (5, "name_refused")
