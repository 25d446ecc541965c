"""Compiling a registered model ahead of its activation."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.options import ModelId
from understudy.cli.framework.session import Session
from understudy.cli.views import compile_report
from understudy.cli.views.cells import to_text
from understudy.schemas.compiler.quantization import Gate, Precision

group = typer.Typer()

_GATE = Gate()


@command(group, "compile", example="understudy compile 2 --precision int8 --clips recordings")
async def compile_model(
    session: Session,
    model_id: ModelId,
    precision: Annotated[
        Precision, typer.Option("--precision", help="int8: make an 8-bit twin and measure it against float32.")
    ] = Precision.FLOAT32,
    clips: Annotated[
        Path | None,
        typer.Option(
            "--clips",
            exists=True,
            file_okay=False,
            show_default=False,
            help="Recordings to calibrate and measure int8 on, or one folder of them a label; else the demo's.",
        ),
    ] = None,
    min_agreement: Annotated[
        float, typer.Option("--min-agreement", min=0, max=1, help="Share of answers that must keep their label.")
    ] = _GATE.min_agreement,
    max_change: Annotated[
        float, typer.Option("--max-change", min=1e-6, help="Most that a clip's score may change.")
    ] = _GATE.max_change,
) -> None:
    """Compile a model now and show the report; nothing is done when its compiled form is there already."""
    from understudy.container import open_services

    async with open_services(session.load_quiet_settings(), session.actor) as services:
        model = await services.registry.ensure_file_record(model_id)
        found = await services.compilation.find(model)
        with session.output.show_progress() as progress:
            task = progress.add_task(f"compiling {model.facts.path}", total=None)
            if precision is Precision.INT8:
                from understudy.audio.demo_clips import FOLDER

                gate = Gate(min_agreement=min_agreement, max_change=max_change)
                compiled = await services.quantizer.quantize(
                    model_id,
                    clips or FOLDER,
                    gate,
                    session.actor,
                    lambda step: progress.update(task, description=f"{model.facts.path}: {step}"),
                )
            else:
                compiled = await services.compilation.compile(model)
    above = "was compiled before" if found else "is compiled"
    if precision is Precision.INT8:
        above = f"has an int8 twin that may go live: understudy activate {model_id} --precision int8"
    session.output.print_answer(
        compiled.report,
        to_text(f"{model.model_name} {above}.", "bold green"),
        compile_report.format_report(compiled.report),
    )
