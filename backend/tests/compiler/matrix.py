"""Open, convert and prove every model file of a folder in one process. Run as: matrix.py FOLDER TARGET.

`understudy compile` does the same in a limited process for each file; here all share one import of the frameworks.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}

from understudy.compiler.convert.conversion import serve
from understudy.compiler.formats import open_source
from understudy.compiler.formats.detect_format import detect_format
from understudy.errors import UnderstudyError

MEMORY_BYTES = 4 << 30


def compile_in_folder(source: Path, folder: Path) -> dict[str, object]:
    """Return the compiler's result for `source`, with the files that it left in `folder` beside its own."""
    copied = folder / "inner" / f"model{source.suffix}"
    copied.parent.mkdir()
    (shutil.copytree if source.is_dir() else shutil.copy)(source, copied)
    os.chdir(folder)
    try:
        result = describe(source, copied)
    except UnderstudyError as error:
        result = {"code": error.code, "detail": error.detail, "remedy": error.remedy}
    own = (copied, copied.parent / "unpacked")
    left = [path for path in folder.rglob("*") if path.is_file() and not any(path.is_relative_to(each) for each in own)]
    return result | {"left": sorted(path.relative_to(folder).as_posix() for path in left)}


def describe(source: Path, copied: Path) -> dict[str, object]:
    found = detect_format(source)
    loaded = open_source.open_source(copied, found.kind, found.keras_version, MEMORY_BYTES)
    with tempfile.TemporaryDirectory() as out:
        served = serve(loaded, copied, Path(out), lambda _: None)
    agreement = served.agreement
    return {
        "runtime": served.runtime.value,
        "kind": found.kind.value,
        "framework": loaded.framework,
        "written_by": loaded.written_by,
        "inputs": [signature.model_dump() for signature in loaded.inputs],
        "outputs": {name: list(shape) for name, shape in agreement.shapes.items()},
        "activation": served.activations[0].value,
        "labels": loaded.hints.labels,
        "shapes": [probe.input_shapes for probe in agreement.probes],
        "errors": [probe.max_abs_error for probe in agreement.probes],
        "tolerances": [probe.tolerance for probe in agreement.probes],
        "answer": next(iter(agreement.outputs.values())).ravel()[:8].tolist(),
        "notes": [*loaded.notes, *served.notes],
    }


def main(folder: Path, target: Path) -> None:
    start = Path.cwd()
    rows = {}
    for source in sorted(folder.resolve().iterdir()):
        with tempfile.TemporaryDirectory() as scratch:
            rows[source.name] = compile_in_folder(source, Path(scratch))
            os.chdir(start)
    target.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
