"""The command line: `understudy`, and `scripts/register_model.py`, which calls the same function."""

import os
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None, *, program: str = "understudy", actor: str = "cli") -> None:
    """Run one command and exit the process with its exit code.

    `arguments` come from the command line unless given. `actor` is the name in the history: `cli` or `script`.
    """
    _open_standard_descriptors()
    from understudy.cli.garbage_collection import pause_garbage_collection

    with pause_garbage_collection():
        from typer.main import get_command

        from understudy.cli.tree import tree

    get_command(tree)(args=arguments, prog_name=program, obj=actor)


def _open_standard_descriptors() -> None:
    """Open the descriptors 0 to 2 that are closed.

    Otherwise the database or a socket would get one of them, and libraries would write their errors into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
