"""The command that compiles a registered model before its activation."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.options import ModelId
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text
from understudy.cli.views.registry import compile_report
from understudy.cli.views.registry import examples as examples_view
from understudy.schemas.compiler.quantization import Gate, Precision

group = typer.Typer()

_GATE = Gate()


@command(group, "compile", example="understudy compile 2 --precision int8 --clips recordings")
async def compile_model(
    session: Session,
    model_id: ModelId,
    precision: Annotated[
        Precision, typer.Option("--precision", help="int8: make the int8 variant and compare it with float32.")
    ] = Precision.FLOAT32,
    clips: Annotated[
        Path | None,
        typer.Option(
            "--clips",
            exists=True,
            file_okay=False,
            show_default=False,
            help="Folder of recordings to calibrate and measure int8 on, with or without one subfolder for each label; "
            "without it, the demo's clips are used.",
        ),
    ] = None,
    min_agreement: Annotated[
        float,
        typer.Option("--min-agreement", min=0, max=1, help="Share of predictions that must keep their label."),
    ] = _GATE.min_agreement,
    max_change: Annotated[
        float, typer.Option("--max-change", min=1e-6, help="Largest change of a clip's score that is accepted.")
    ] = _GATE.max_change,
) -> None:
    """Compile a model now, run its examples and show the report.

    A model that is compiled already is not compiled again; one that was refused is tried again.
    """
    from understudy.container import open_services

    async with open_services(session.load_quiet_settings(), session.actor) as services:
        model = (await services.registry.read_spec_now(model_id)).model
        compiled_before = await services.compilation.find(model)
        with session.output.show_progress() as progress:
            task = progress.add_task(f"compiling {model.facts.path}", total=None)
            if precision is Precision.INT8:
                from understudy.audio.demo_clips import FOLDER
                from understudy.serving.compilation.quantization import ModelQuantizer

                quantizer = ModelQuantizer(
                    services.settings, services.database, services.registry, services.compilation
                )
                gate = Gate(min_agreement=min_agreement, max_change=max_change)
                compiled = await quantizer.quantize(
                    model_id,
                    clips or FOLDER,
                    gate,
                    session.actor,
                    lambda step: progress.update(task, description=f"{model.facts.path}: {step}"),
                )
            else:
                compiled = await services.compilation.compile(model, retry=True)
            progress.update(task, description=f"{model.facts.path}: examples")
            proof = await services.prover.prove_compiled(model, compiled)
    outcome = "was already compiled" if compiled_before else "is compiled"
    if precision is Precision.INT8:
        outcome = f"has an int8 variant that may go live: understudy activate {model_id} --precision int8"
    headline = to_text(f"{model.model_name} {outcome}.", "bold green")
    session.output.print_answer(
        compiled.report,
        headline,
        compile_report.format_report(compiled.report),
        examples_view.format_proof_line(proof),
    )
