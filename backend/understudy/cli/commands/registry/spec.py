"""Commands for specs: find the spec of a model file, list the presets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.exit_codes import NOT_FOUND
from understudy.cli.framework.session import Session
from understudy.cli.framework.spec_options import Labels, parse_spec_options
from understudy.cli.views.cells import build_fact_table, to_text
from understudy.cli.views.registry.spec_search import format_search
from understudy.files.regular_file import read_regular

if TYPE_CHECKING:
    from understudy.inference.spec_search.trials import Trial

group = typer.Typer(help="Specs: find, presets.", no_args_is_help=True)


@command(group, "find", example="understudy spec find models/siren.h5 --examples clips/examples.csv --labels a,b")
async def find(
    session: Session,
    path: Annotated[Path, typer.Argument(metavar="FILE", exists=True, help="Model file or SavedModel folder.")],
    examples: Annotated[
        Path,
        typer.Option(
            "--examples", exists=True, dir_okay=False, help="CSV of clips and the answers of the author's own script."
        ),
    ],
    labels: Labels = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Longest time of the search.")] = 300.0,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite an existing spec file.")] = False,
) -> None:
    """Search the way from recordings to the model's input that gives the examples' answers, and write it as a spec.

    The exit code is 3 when no spec gives all answers; nothing is written then.
    """
    settings = session.load_quiet_settings()
    from understudy.registry.files.examples_csv import read_folder
    from understudy.serving.spec_finding import find_spec, locate_sidecar

    given = parse_spec_options(session, labels, None)
    clips = [(read_regular(clip.path), clip.expected) for clip in read_folder(examples)]
    with session.output.show_progress() as progress:
        task = progress.add_task("compile", total=None)

        def show_trial(tried: int, best: "Trial | None") -> None:
            nearest = "" if best is None else f", nearest: {best.steps[0]} ({best.difference:.3g})"
            progress.update(task, description=f"{tried} specs tried{nearest}")

        found = await find_spec(
            settings,
            path,
            clips,
            given.labels if given else None,
            seconds=seconds,
            on_step=lambda step: progress.update(task, description=step),
            on_trial=show_trial,
        )
    sidecar = locate_sidecar(path)
    written = found.agrees and found.spec is not None and (replace or not sidecar.exists())
    if written and found.spec is not None:
        sidecar.write_text(found.spec.to_text(), encoding="utf-8")
    document, shown = format_search(found, sidecar if written else None)
    session.output.print_answer(document, shown)
    if not found.agrees:
        raise typer.Exit(NOT_FOUND)


@command(group, "presets", example="understudy spec presets")
def presets(session: Session) -> None:
    """List the presets that a spec can name."""
    from understudy.presets.presets import list_presets

    listed = list_presets()
    document: list[object] = [{"name": preset.name, "description": preset.description} for preset in listed]
    session.output.print_answer(
        document, build_fact_table([(preset.name, to_text(preset.description)) for preset in listed])
    )
