from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import understudy
from tests.cli.conftest import Run
from tests.types import ModelFactory

Ask = Callable[..., Any]

_BACKEND = Path(understudy.__file__).parents[1]
CLIPS = sorted(path.name for path in (_BACKEND / "demo" / "clips").glob("*.wav"))


@pytest.fixture
def starter(home: Path, make_model: ModelFactory) -> Path:
    """A small model under the starter's file name, which compiles quickly."""
    (home / "models" / "starter.spec.json").write_text("{}")
    return make_model(home / "models" / "starter.keras")


def test_the_second_run_skips_what_the_first_one_did(ask: Ask, starter: Path) -> None:
    first, second = ask("demo", "--no-serve"), ask("demo", "--no-serve")
    assert [step["name"] for step in first["steps"] if not step["skipped"]] == [
        "open",
        "register",
        "activate",
        "predict",
    ]
    assert [step["name"] for step in second["steps"] if step["skipped"]] == ["register", "activate"]
    assert sorted(first["predictions"]) == sorted(second["predictions"]) == CLIPS
    assert ask("list")["total"] == 1


def test_a_model_of_the_user_stays_active(ask: Ask, one: Path, starter: Path) -> None:
    report = ask("demo", "--no-serve")
    assert ask("show")["model_name"] == "One"
    assert {prediction["model"]["model_name"] for prediction in report["predictions"].values()} == {"One"}


def test_people_see_each_step_and_a_bar_for_each_label(run: Run, starter: Path) -> None:
    shown = run("demo", "--no-serve").stdout
    assert "Starter" in shown
    assert all(name in shown for name in CLIPS)
    assert "━" in shown
    assert "skipped" in run("demo", "--no-serve").stdout


@pytest.mark.frameworks
def test_the_starter_model_names_every_bundled_clip(ask: Ask) -> None:
    """The committed model through the real path, in a home that has no copy of it yet."""
    report = ask("demo", "--no-serve")
    assert {name: prediction["label"] for name, prediction in report["predictions"].items()} == {
        name: Path(name).stem for name in CLIPS
    }
    assert ask("show", "1")["examples"]["text"] == "6 of 6 within 1e-06"
