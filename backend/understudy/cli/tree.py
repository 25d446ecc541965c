"""The commands, in the order in which --help lists them."""

import typer

from understudy import __version__
from understudy.cli.commands import (
    backbone,
    compile_model,
    database,
    demo,
    deployment,
    doctor,
    models,
    predict,
    register,
    serve,
    train,
)

tree = typer.Typer(
    name="understudy",
    help="Keep sound-event models, rehearse the next one, put it on stage.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@tree.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Keep sound-event models, rehearse the next one, put it on stage."""


for _part in (demo, serve, register, models, deployment, predict, train, compile_model):
    tree.add_typer(_part.group)
tree.add_typer(backbone.group, name="backbone")
for _part in (doctor, database):
    tree.add_typer(_part.group)
