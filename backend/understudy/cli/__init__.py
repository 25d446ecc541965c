"""The command line: `understudy`, and the documented script behind the same door."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None, *, program: str = "understudy", actor: str = "cli") -> None:
    """Run one command and exit with its code; `arguments` come from the command line unless given.

    `actor` is who the history names: `cli` or `script`.
    """
    from understudy.cli.garbage_collection import pause_garbage_collection

    with pause_garbage_collection():
        from typer.main import get_command

        from understudy.cli.tree import tree

    get_command(tree)(args=arguments, prog_name=program, obj=actor)
