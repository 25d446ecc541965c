"""Reads a password without showing it: from the terminal, or from standard input. It is never an argument or option."""

import sys

import typer

from understudy.errors import PasswordRefused


def read_password(*, from_stdin: bool) -> str:
    """Return the password: the first line of standard input, or what is typed twice.

    Raises PasswordRefused where there is neither a terminal nor a line.
    """
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise PasswordRefused("Standard input has no line with a password.")
        return password
    if not sys.stdin.isatty():
        raise PasswordRefused(
            "There is no terminal to ask for the password.",
            remedy="Pass it on standard input: understudy users add NAME --role ROLE --password-stdin < FILE.",
        )
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
