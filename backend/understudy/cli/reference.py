"""Writes docs/cli.md from the commands: `python -m understudy.cli.reference > ../docs/cli.md` in backend/."""

import sys
from collections.abc import Iterator

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from understudy.cli.framework.exit_codes import EXITS
from understudy.cli.tree import tree

_HEAD = """\
# Command line

`understudy` does from a terminal what the API does over HTTP. This page is generated from the commands
(`python -m understudy.cli.reference > ../docs/cli.md` in `backend/`); a test compares the two.

- Without `--url` a command works on the database and the files of this machine. A running server follows what the
  command commits. With `--url http://HOST:PORT` (or `UNDERSTUDY_URL`) the command calls that server instead.
- With `--json` standard output holds one JSON document and nothing else: the API's answer, or the problem document of
  an error. `demo --json` prints a second document, the address, when it starts to serve.
- An error is printed on standard error: what happened, and what to do now. The exit code names its kind.
- `python scripts/register_model.py` in `backend/` is `understudy register`, with the same options.
- `understudy --version` prints the version.

## Exit codes

| code | meaning |
|---|---|
"""


def list_commands(node: TyperGroup, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Yield every command below `node` with the words that call it."""
    for name, child in node.commands.items():
        if isinstance(child, TyperGroup):
            yield from list_commands(child, (*above, name))
        elif isinstance(child, TyperCommand):
            yield (*above, name), child


def make_example(command: TyperCommand) -> str:
    return (command.epilog or "").removeprefix("Example: ")


def get_root() -> TyperGroup:
    """Return the tree of all commands."""
    root = get_command(tree)
    if not isinstance(root, TyperGroup):
        raise TypeError("the tree of commands is a group")
    return root


def render_reference() -> str:
    """Return the page as Markdown."""
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXITS.items())
    return _HEAD + codes + "".join(_render_section(path, command) for path, command in list_commands(get_root()))


def _render_section(path: tuple[str, ...], command: TyperCommand) -> str:
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    options = [each for each in command.params if isinstance(each, TyperOption)]
    usage = " ".join(["understudy", *path, *(_format_argument(each) for each in arguments)])
    rows = "".join(f"| `{_format_argument(each)}` | | {_escape_cell(each.help)} |\n" for each in arguments)
    rows += "".join(
        f"| `{', '.join(each.opts)}` | {_format_default(each)} | {_escape_cell(each.help)} |\n" for each in options
    )
    return f"""
## {usage}

{(command.help or "").strip()}

```bash
{make_example(command)}
```

| option | default | meaning |
|---|---|---|
{rows}"""


def _format_argument(argument: TyperArgument) -> str:
    return argument.metavar or (argument.name or "").upper()


def _format_default(option: TyperOption) -> str:
    if option.required:
        return "required"
    return "" if option.default in (None, False) else f"`{option.default}`"


def _escape_cell(help_text: str | None) -> str:
    return (help_text or "").replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render_reference())
