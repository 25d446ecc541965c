import re
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
LOCKS = sorted((CHECKOUT / "benchmarks" / "requirements").glob("*.lock"))


def pinned(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==(\S+)", lock.read_text(), re.MULTILINE))


def test_the_measured_server_has_what_the_project_depends_on() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[\[><=; ]", requirement)[0] for requirement in project["dependencies"]}
    assert needed - set(pinned(CHECKOUT / "benchmarks" / "requirements" / "bench.lock")) == set()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_wheel_has_a_hash_and_no_registry_is_named(lock: Path) -> None:
    text = lock.read_text()
    assert text.count("--hash=sha256:") >= len(pinned(lock)) > 10
    assert "://" not in text


@pytest.mark.parametrize("name", ["numpy", "onnxruntime"])
def test_peers_infer_with_the_same_build(name: str) -> None:
    versions = {lock.stem: pinned(lock)[name] for lock in LOCKS if lock.stem != "keras"}
    assert len(set(versions.values())) == 1, versions
