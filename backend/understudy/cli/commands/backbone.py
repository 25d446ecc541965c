"""Commands for backbones, the embedding models that other models need: YAMNet, and those of the user's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import build_fact_table, format_bytes, to_text

if TYPE_CHECKING:
    from understudy.yamnet.install import BackboneInfo

group = typer.Typer(help="Backbones: install, list, remove, status.", no_args_is_help=True)


@command(group, "install", example="understudy backbone install panns cnn14.onnx --spec cnn14.spec.json")
async def install(
    session: Session,
    name: Annotated[
        str | None,
        typer.Argument(show_default=False, help="Name for an embedding model of your own; without it, YAMNet."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, show_default=False, help="The embedding model, such as an ONNX file."),
    ] = None,
    spec: Annotated[
        Path | None,
        typer.Option(
            "--spec",
            exists=True,
            dir_okay=False,
            show_default=False,
            help="JSON file with the way from a recording to the embedding model's input, and its `output`.",
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            exists=True,
            show_default=False,
            help="For YAMNet: a local yamnet.h5, SavedModel folder or yamnet.npz; without it, the official release is "
            "downloaded.",
        ),
    ] = None,
) -> None:
    """Install a backbone: YAMNet from its official release or a local file, or NAME from FILE with --spec.

    A model names it in its spec: {"backbone": "NAME"}.
    """
    if name is None:
        if spec is not None:
            raise typer.BadParameter("--spec belongs to a backbone of your own: give NAME and FILE too.")
        _install_yamnet(session, source)
        return
    if file is None or spec is None or source is not None:
        raise typer.BadParameter(f"A backbone of your own needs: {name} FILE --spec SPEC.json, without --from.")
    settings = session.load_quiet_settings()
    from understudy.cli.views import backbones as view
    from understudy.registry.files.sidecar import read_backbone_spec
    from understudy.serving.backbone_installation import install as install_named

    with session.output.show_progress() as progress:
        task = progress.add_task(f"installing {name}", total=None)
        done = await install_named(
            settings,
            name,
            file,
            read_backbone_spec(spec),
            lambda step: progress.update(task, description=f"{name}: {step}"),
        )
    session.output.print_answer(
        done.backbone.to_answer(),
        to_text(f"The backbone {name} is installed. A model names it in its spec.", "bold green"),
        view.format_backbone(done.backbone),
        *(to_text(f"Models still need the earlier {each.digest[:12]}, which stays.", "yellow") for each in done.kept),
    )


def _install_yamnet(session: Session, source: Path | None) -> None:
    settings = session.load_quiet_settings()
    from understudy.yamnet.install import install_backbone

    with session.output.show_progress() as progress:
        steps: dict[str, int] = {}

        def show(step: str, done: int, total: int | None) -> None:
            if step not in steps:
                steps[step] = int(progress.add_task(step, total=total))
            progress.update(progress.task_ids[steps[step]], completed=done, total=total)

        info = install_backbone(settings, source, show)
    _print_info(session, info)


@command(group, "list", example="understudy backbone list")
async def list_backbones(session: Session) -> None:
    """List the backbones that were installed under names, and the models that need them."""
    from understudy.cli.views import backbones as view
    from understudy.serving.backbone_installation import list_installed

    found = await list_installed(session.load_quiet_settings())
    document: list[object] = [
        each.to_answer().model_dump(mode="json") | {"models": list(models)} for each, models in found
    ]
    session.output.print_answer(document, view.format_list(found))


@command(group, "remove", example="understudy backbone remove panns")
async def remove(
    session: Session, name: Annotated[str, typer.Argument(show_default=False, help="Name of the backbone.")]
) -> None:
    """Remove a backbone that was installed under a name, unless registered models need it."""
    from understudy.serving.backbone_installation import remove as remove_named

    removed = await remove_named(session.load_quiet_settings(), name)
    document: list[object] = [each.to_answer().model_dump(mode="json") for each in removed]
    session.output.print_answer(document, to_text(f"The backbone {name} is removed.", "bold green"))


@command(group, "status", example="understudy backbone status")
def status(session: Session) -> None:
    """Show which YAMNet is installed. The exit code is 6 when it is missing."""
    settings = session.load_quiet_settings()
    from understudy.yamnet.install import read_installed_backbone

    _print_info(session, read_installed_backbone(settings))


def _print_info(session: Session, info: "BackboneInfo") -> None:
    document = {
        "file": str(info.path),
        "digest": info.digest,
        "bytes": info.bytes,
        "source": info.source,
        "source_digest": info.source_digest,
    }
    rows = [
        (name, to_text(value) if name != "bytes" else to_text(format_bytes(info.bytes)))
        for name, value in document.items()
    ]
    session.output.print_answer(document, build_fact_table(rows))
