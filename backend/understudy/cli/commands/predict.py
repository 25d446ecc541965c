"""The command that predicts recordings."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.exit_codes import choose_exit_code
from understudy.cli.framework.options import Clips
from understudy.cli.framework.session import Session
from understudy.cli.views.prediction import format_prediction
from understudy.errors import UnderstudyError
from understudy.schemas.inference.prediction import Prediction
from understudy.schemas.registry.model import LARGEST_ID

group = typer.Typer()


@command(group, "predict", example="understudy predict demo/clips/*.wav --model 2", remote=True)
async def predict(
    session: Session,
    clips: Clips,
    model_id: Annotated[
        int | None,
        typer.Option(
            "--model", min=1, max=LARGEST_ID, show_default=False, help="Use this model instead of the active one."
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Labels to show.")] = 10,
    windows: Annotated[bool, typer.Option("--windows", help="Show each window as well.")] = False,
    strict: Annotated[
        bool | None,
        typer.Option(
            "--strict/--no-strict",
            show_default=False,
            help="Refuse damaged recordings, or answer what can be decoded; as the server's setting says unless given.",
        ),
    ] = None,
) -> None:
    """Predict recordings with the active model, or with another one to test it.

    With --json one recording gives the API's answer with its `file`. Several give an array of such answers.
    """
    outcomes: list[tuple[Path, Prediction | UnderstudyError]] = []
    async with session.open_backend(read_only=True) as backend:
        for clip in clips:
            try:
                answer = await backend.predict(clip, model_id, strict=strict)
            except UnderstudyError as error:
                outcomes.append((clip, error))
                if len(clips) > 1:
                    error.add_note(f"File: {clip}")
                    if not session.output.as_json:
                        session.output.print_problem(error)
            else:
                outcomes.append((clip, answer))
                session.output.print_text(format_prediction(str(clip), answer, top=top, windows=windows))
    failed = [outcome for _, outcome in outcomes if isinstance(outcome, UnderstudyError)]
    if len(clips) == 1 and failed:
        raise failed[0]
    if session.output.as_json:
        documents = [_to_document(clip, outcome) for clip, outcome in outcomes]
        session.output.print_answer(list(documents) if len(clips) > 1 else documents[0])
    if failed:
        raise typer.Exit(choose_exit_code(failed[0]))


def _to_document(clip: Path, outcome: Prediction | UnderstudyError) -> dict[str, object]:
    document = outcome.problem() if isinstance(outcome, UnderstudyError) else outcome.model_dump(mode="json")
    return {"file": str(clip), **document}
