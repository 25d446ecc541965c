"""Makes a command of a function: adds the shared options, runs it in an event loop, turns errors into exit codes."""

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Annotated, Concatenate, ParamSpec, cast

import typer

from understudy.cli.framework.exit_codes import INTERNAL, INTERRUPTED, choose_exit_code
from understudy.cli.framework.output import Output
from understudy.cli.framework.session import Session
from understudy.cli.framework.system_user import build_actor
from understudy.errors import UnderstudyError
from understudy.schemas.access.actor import Source

P = ParamSpec("P")
Handler = Callable[Concatenate[Session, P], Awaitable[None] | None]

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer or the error as one JSON document.")]
Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        exists=True,
        file_okay=False,
        resolve_path=True,
        show_default=False,
        help="Folder with models/ and var/ (UNDERSTUDY_HOME; default: backend/).",
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="UNDERSTUDY_URL",
        show_default=False,
        help="Call the server at this address, such as http://127.0.0.1:8000, instead of using the database.",
    ),
]


def command(group: typer.Typer, name: str, *, example: str, remote: bool = False) -> Callable[[Handler[P]], Handler[P]]:
    """Return a decorator that adds a function of a Session and its own options to `group`, as a command.

    --help and docs/cli.md show `example`. A `remote` command takes --url too.
    """

    def register(handler: Handler[P]) -> Handler[P]:
        unbound = cast("Callable[..., Awaitable[None] | None]", handler)

        @wraps(handler)
        def run(
            context: typer.Context, as_json: bool, home: Path | None, url: str | None = None, **given: object
        ) -> None:
            source = context.obj if isinstance(context.obj, str) else Source.CLI
            session = Session(Output(as_json=as_json), build_actor(source), home, url)
            _run(session, lambda: unbound(session, **given))

        run.__signature__ = _build_signature(handler, remote=remote)  # type: ignore[attr-defined]  # read by inspect
        group.command(name, epilog=f"Example: {example}")(run)
        return handler

    return register


def _build_signature(handler: Callable[..., object], *, remote: bool) -> inspect.Signature:
    _, *own = inspect.signature(handler).parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter("url", keyword, default=None, annotation=Url),
        inspect.Parameter("home", keyword, default=None, annotation=Home),
        inspect.Parameter("as_json", keyword, default=False, annotation=AsJson),
    ]
    context = inspect.Parameter("context", keyword, annotation=typer.Context)
    return inspect.Signature(
        [context, *(each.replace(kind=keyword) for each in own), *(shared if remote else shared[1:])]
    )


def _run(session: Session, call: Callable[[], Awaitable[None] | None]) -> None:
    """Run a command to its end. Every error becomes an exit code and a sentence that explains it."""
    try:
        outcome = call()
        if outcome is not None:
            asyncio.run(_await(outcome))
    except UnderstudyError as error:
        session.output.print_problem(error)
        raise typer.Exit(choose_exit_code(error)) from None
    except KeyboardInterrupt:
        session.output.print_note("Interrupted.")
        raise typer.Exit(INTERRUPTED) from None
    except (typer.Exit, typer.TyperException):
        raise
    except Exception as error:
        with suppress(OSError, ValueError):  # standard error may be gone
            traceback.print_exc()
        remedy = "This is a fault of Understudy. Report it with the lines above, which name the place in the code."
        session.output.print_problem(UnderstudyError(f"{type(error).__name__}: {error}", remedy=remedy))
        raise typer.Exit(INTERNAL) from error


async def _await(outcome: Awaitable[None]) -> None:
    await outcome
