from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run


def test_a_dry_run_shows_what_goes_and_removes_nothing(run: Run, ask: Callable[..., Any], one: Path) -> None:
    plan = ask("uninstall", "--dry-run")
    assert plan["removed"] is False
    assert plan["lost_models"] == 1
    assert {"ml_models", "understudy_stage", "understudy_version"} <= set(plan["tables"])
    shown = run("uninstall", "--keep-ml-models", "--dry-run").stdout
    assert "To be removed:" in shown
    assert "ml_models stays with its 1 rows" in shown
    assert len(ask("list")["models"]) == 1


def test_a_home_without_a_database_gets_none(run: Run, home: Path) -> None:
    (home / "var").rmdir()
    for command in (("uninstall", "--dry-run"), ("import-table", "--from", "models")):
        assert "--home" in run(*command, code=6).stderr
    assert not (home / "var").exists()


def test_nothing_is_removed_without_confirmation(run: Run, ask: Callable[..., Any], one: Path) -> None:
    assert "--yes" in run("uninstall", code=5).stderr
    assert ask("uninstall", code=5)["code"] == "request_invalid"
    assert len(ask("list")["models"]) == 1


def test_confirmed_it_removes_and_a_migration_adopts_what_was_kept(
    run: Run,
    ask: Callable[..., Any],
    one: Path,
) -> None:
    assert ask("uninstall", "--keep-ml-models", "--yes")["removed"] is True
    assert one.exists()
    assert "Nothing of Understudy" in run("uninstall", "--keep-ml-models", "--yes").stdout
    assert ask("migrate")["adopted"] is True
    [model] = ask("list")["models"]
    assert (model["model_name"], model["is_active"]) == ("One", True)
    # It is the user's table now.
    assert ask("uninstall", "--yes", code=4)["code"] == "conflict"
