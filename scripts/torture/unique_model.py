"""Model files that no two of are alike, so that each is compiled."""

from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from tests.sample_files import write_classifier


def make_unique_model(winner: int, number: int) -> bytes:
    """Return a model that answers label number `winner`; another `number` gives another file."""
    with TemporaryDirectory() as folder:
        path = write_classifier(Path(folder) / "model.onnx", winner=winner)
        model = onnx.load(path)
    model.doc_string = f"number {number}"
    return bytes(model.SerializeToString())
