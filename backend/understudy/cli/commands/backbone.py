"""Commands for the YAMNet backbone, which models on its embeddings and scores need."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import build_fact_table, format_bytes, to_text

if TYPE_CHECKING:
    from understudy.yamnet.install import BackboneInfo

group = typer.Typer(help="The YAMNet backbone: install, status.", no_args_is_help=True)


@command(group, "install", example="understudy backbone install --from yamnet.h5")
def install(
    session: Session,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            exists=True,
            show_default=False,
            help="A local yamnet.h5, SavedModel folder or yamnet.npz; without it, the official release is downloaded.",
        ),
    ] = None,
) -> None:
    """Install the backbone from the official release, or from a local file."""
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


@command(group, "status", example="understudy backbone status")
def status(session: Session) -> None:
    """Show which backbone is installed. The exit code is 6 when it is missing."""
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
