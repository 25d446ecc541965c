"""Write backend/demo/starter.onnx and its report from backend/models/starter.keras: `python scripts/export_starter.py`.

A wheel carries this form, which needs no training framework. Run it whenever starter.keras or its spec changes.
"""

import asyncio
import json
import shutil
import tempfile
from pathlib import Path

from understudy.compiler.compiled_store import MODEL_FILE
from understudy.compiler.compiler import Compiler
from understudy.compiler.model_source import compute_digest
from understudy.schemas.compiler.spec import PartialSpec
from understudy.settings import Settings

BACKEND = Path(__file__).resolve().parents[1]


def export(target: Path) -> None:
    """Compile the starter model, with parity against Keras, and write starter.onnx and starter.report.json."""
    source = BACKEND / "models" / "starter.keras"
    spec = PartialSpec.model_validate_json((BACKEND / "models" / "starter.spec.json").read_bytes())
    with tempfile.TemporaryDirectory() as home:
        compiled = asyncio.run(Compiler(Settings(home=Path(home))).compile(source, compute_digest(source), spec))
        shutil.copyfile(compiled.folder / MODEL_FILE, target / "starter.onnx")
        report = json.loads(compiled.report.model_dump_json())
    (target / "starter.report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    export(BACKEND / "demo")
