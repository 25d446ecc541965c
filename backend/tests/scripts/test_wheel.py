"""The wheel, and the command beside a package of its user's."""

import email
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from understudy import __version__
from understudy.compiler.model_source import compute_digest

_CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel of this checkout, without the page, which takes npm."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=_CHECKOUT, env=os.environ | {"UNDERSTUDY_WHEEL_WITHOUT_PAGE": "1"}, check=True)
    [path] = folder.iterdir()
    return zipfile.ZipFile(path)


def test_the_only_package_of_the_wheel_is_understudy(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in wheel.namelist()} == {
        "understudy",
        f"understudy_audio-{__version__}.dist-info",
    }


def test_the_wheel_states_the_version_the_license_and_the_interpreters(wheel: zipfile.ZipFile) -> None:
    folder = f"understudy_audio-{__version__}.dist-info"
    metadata = email.message_from_bytes(wheel.read(f"{folder}/METADATA"))
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata["Requires-Python"].split(",")) == {">=3.11", "<3.14"}
    assert b"Apache License" in wheel.read(f"{folder}/licenses/LICENSE")


def test_the_wheel_lists_what_it_is_made_of(wheel: zipfile.ZipFile) -> None:
    """PEP 770; the locks pin what the document lists."""
    sbom = json.loads(wheel.read(f"understudy_audio-{__version__}.dist-info/sboms/understudy.cdx.json"))
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    assert sbom["metadata"]["component"]["purl"] == f"pkg:pypi/understudy-audio@{__version__}"
    components = {each["purl"]: each for each in sbom["components"]}
    assert len(components) == len(sbom["components"])
    lock = (_CHECKOUT / "requirements" / "run.lock").read_text("utf-8")
    pinned = set(re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", lock, re.MULTILINE))
    assert {purl for purl in components if purl.startswith("pkg:pypi/")} == {
        f"pkg:pypi/{name}@{version}" for name, version in pinned
    }
    hashes = {
        each["content"]
        for one in components.values()
        for reference in one.get("externalReferences", [])
        for each in reference["hashes"]
    }
    assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", lock))
    project = tomllib.loads((_CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    [dependencies] = sbom["dependencies"]
    direct = {re.split(r"[\[<>=;]", each)[0].lower() for each in project["dependencies"]}
    assert {components[purl]["name"] for purl in dependencies["dependsOn"]} == direct
    npm = {each["name"] for purl, each in components.items() if purl.startswith("pkg:npm/")}
    assert {"react", "react-dom", "scheduler", "uplot"} <= npm
    assert not {"vite", "vitest", "oidc-provider", "@biomejs/biome"} & npm


def test_the_demo_of_the_wheel_needs_no_checkout_and_no_training_framework(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path / "site")
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("UNDERSTUDY_", "DATABASE_URL"))
    }
    environment["PYTHONPATH"] = str(tmp_path / "site")
    command = [sys.executable, "-P", "-m", "understudy.cli", "demo", "--no-serve", "--json"]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {name: prediction["label"] for name, prediction in answer["predictions"].items()} == {
        f"{label}.wav": label
        for label in ("alarm_beep", "clock_tick", "fire_crackling", "helicopter", "rain", "sea_waves")
    }
    [report] = (home / "var" / "compiled").glob("*/report.json")
    assert json.loads(report.read_bytes())["format"] == "onnx"


def test_the_bundled_form_of_the_starter_was_made_from_the_file_of_the_checkout() -> None:
    report = json.loads((_CHECKOUT / "backend" / "demo" / "starter.report.json").read_bytes())
    assert report["source_digest"] == compute_digest(_CHECKOUT / "backend" / "models" / "starter.keras")
    assert report["onnx_digest"] == compute_digest(_CHECKOUT / "backend" / "demo" / "starter.onnx")
    assert all(probe["max_abs_error"] <= probe["tolerance"] for probe in report["parity"])


def test_the_version_is_written_in_one_place() -> None:
    project = tomllib.loads((_CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" not in project
    assert project["dynamic"] == ["version"]


def test_the_command_works_where_its_user_has_a_package_called_app(home: Path, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise ImportError('the app of the user was imported')\n")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("UNDERSTUDY_", "DATABASE_URL"))
    }
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(_CHECKOUT / "backend")]),
        "UNDERSTUDY_HOME": str(home),
    }
    command = str(Path(sys.executable).with_name("understudy"))
    for verb in ("migrate", "list"):
        done = subprocess.run(
            [command, verb], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert "No models are registered." in done.stdout
