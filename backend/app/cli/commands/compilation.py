"""Compiling a registered model ahead of its activation."""

import typer

from app.cli.command import command
from app.cli.options import ModelId
from app.cli.session import Session
from app.cli.views import report as reports
from app.cli.views.cells import text

group = typer.Typer()


@command(group, "compile", example="understudy compile 2")
async def compile_model(session: Session, model_id: ModelId) -> None:
    """Compile a model now and show the report; nothing is done when its compiled form is there already."""
    from app.serving.services import open_services

    async with open_services(session.quiet_settings(), session.actor) as services:
        model = await services.registry.ensure_file_record(model_id)
        found = await services.compilation.find(model)
        with session.output.progress() as progress:
            progress.add_task(f"compiling {model.facts.path}", total=None)
            compiled = await services.compilation.compile(model)
    above = "was compiled before" if found else "is compiled"
    session.output.answer(
        compiled.report, text(f"{model.model_name} {above}.", "bold green"), reports.report(compiled.report)
    )
