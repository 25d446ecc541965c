import shlex
from pathlib import Path

from understudy.cli.reference import get_root, list_commands, make_example, render_reference

_DOCS = Path(__file__).resolve().parents[3] / "docs" / "cli.md"

DOCUMENTED = {
    *((name,) for name in ("serve", "register", "list", "show", "activate", "rollback", "update", "delete", "predict")),
    ("examples",),
    ("sign",),
    *(
        (name,)
        for name in (
            "train",
            "compile",
            "doctor",
            "migrate",
            "status",
            "demo",
            "uninstall",
            "import-table",
            "predictions",
            "backup",
            "restore",
        )
    ),
    *(("deploy", name) for name in ("ray", "delete")),
    ("backbone", "install"),
    ("backbone", "list"),
    ("backbone", "remove"),
    ("backbone", "status"),
    ("spec", "find"),
    ("spec", "presets"),
    *(("users", name) for name in ("add", "list", "role", "password", "disable", "enable", "sign-out", "remove")),
    *(("history", name) for name in ("show", "export", "accept")),
    *(("policy", name) for name in ("show", "set", "approve", "decline", "confirm")),
    *(("keys", name) for name in ("create", "list", "limit", "assign", "revoke")),
}


def test_docs_cli_md_is_what_the_commands_generate() -> None:
    assert _DOCS.read_text("utf-8") == render_reference(), (
        "run: python -m understudy.cli.reference > ../docs/cli.md (in backend/)"
    )


def test_every_promised_command_exists_and_takes_json_and_home() -> None:
    taken = {path: {param.name for param in command.params} for path, command in list_commands(get_root())}
    assert taken.keys() == DOCUMENTED
    assert all({"as_json", "home"} <= names for names in taken.values())


def test_every_option_has_a_meaning_and_every_example_calls_its_command() -> None:
    for path, command in list_commands(get_root()):
        assert shlex.split(make_example(command))[: len(path) + 1] == ["understudy", *path]
        assert not [param.name for param in command.params if not getattr(param, "help", None)], path
