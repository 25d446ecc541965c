"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

LARGEST_ID = 2**31 - 1

ModelId = Annotated[
    int, typer.Argument(metavar="MODEL_ID", min=1, max=LARGEST_ID, help="model_id of a registered model.")
]
SomeModelId = Annotated[
    int | None,
    typer.Argument(metavar="[MODEL_ID]", min=1, max=LARGEST_ID, show_default=False, help="model_id of a model."),
]
ModelPath = Annotated[
    str, typer.Option("--path", help="Model file, relative to the backend folder; either kind of slash.")
]
Cursor = Annotated[str | None, typer.Option("--cursor", show_default=False, help="next_cursor of the page before.")]
Clips = Annotated[
    list[Path], typer.Argument(metavar="CLIP...", exists=True, dir_okay=False, readable=True, help="Recordings.")
]
