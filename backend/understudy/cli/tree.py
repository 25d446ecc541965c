"""The tree of commands, in the order in which --help lists them."""

import typer

from understudy import __version__
from understudy.cli.commands import backbone, deployment, keys, policy, predict, predictions, train, users
from understudy.cli.commands.installation import backup, database, demo, deploy, doctor, serve
from understudy.cli.commands.registry import compile_model, history, models, register, sign, spec

_HELP = "Register audio classifiers, test them, and replace the live one without dropping a request."

tree = typer.Typer(
    name="understudy",
    help=_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(__version__)
        raise typer.Exit


@tree.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    pass


for _module in (demo, serve, register, models, deployment, predict, predictions, train, compile_model, sign):
    tree.add_typer(_module.group)
tree.add_typer(deploy.group, name="deploy")
tree.add_typer(history.group, name="history")
tree.add_typer(spec.group, name="spec")
tree.add_typer(backbone.group, name="backbone")
tree.add_typer(users.group, name="users")
tree.add_typer(keys.group, name="keys")
tree.add_typer(policy.group, name="policy")
for _module in (doctor, backup, database):
    tree.add_typer(_module.group)
