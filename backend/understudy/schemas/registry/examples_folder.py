"""Names the folder in which a training leaves the examples of the model that it wrote.

`models/siren.keras` has `models/siren.examples/` with examples.csv, the clips, and model.sha256. The last one holds the
SHA-256 of the model file, so that the examples are never taken for those of another file under the same name.
"""

from pathlib import PurePath

CSV_NAME = "examples.csv"
DIGEST_NAME = "model.sha256"


def name_examples_folder(model: PurePath, *, folder: bool = False) -> str:
    """Return the name of the examples folder beside a model file or SavedModel folder."""
    return f"{model.name if folder else model.stem}.examples"


def format_digest(digest: str, model_name: str) -> str:
    """Return the content of model.sha256, which `sha256sum -c` in the folder checks."""
    return f"{digest}  ../{model_name}\n"


def parse_digest(content: str) -> str:
    """Return the digest in a model.sha256, or an empty string."""
    return content.partition(" ")[0].strip()
