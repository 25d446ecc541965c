"""Run the scripts of docs/export.md with the libraries themselves, compile what they write, and record the results.

    python scripts/originals/export_examples.py torch=/envs/torch/bin/python sklearn=… jax=…

Each argument names the Python of an environment that has what the script's first line asks for. This script runs in
Understudy's own environment. It rewrites backend/tests/docs/export_results.json, and the table at the end of the page.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from understudy.compiler.compiler import Compiler
from understudy.compiler.model_source import compute_digest
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import PartialSpec
from understudy.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = CHECKOUT / "docs" / "export.md"
RESULTS = CHECKOUT / "backend" / "tests" / "docs" / "export_results.json"
_PACKAGES = {
    "torch": ("torch", "onnxscript"),
    "sklearn": ("scikit-learn", "skl2onnx"),
    "jax": ("jax", "jax2onnx"),
}


def read_scripts(page: str) -> dict[str, str]:
    """Return the page's Python scripts by the library in the name of their first line, `# export_LIBRARY.py`."""
    found = re.findall(r"```python\n(# export_(\w+)\.py.*?)```", page, flags=re.DOTALL)
    return {library: script for script, library in found}


def read_sidecars(page: str) -> list[PartialSpec]:
    """Return the page's sidecars, in the order of the scripts."""
    return [PartialSpec.model_validate_json(text) for text in re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)]


def run_script(python: str, library: str, script: str, folder: Path) -> float:
    """Run a script in `folder` and return the largest difference that it prints."""
    (folder / f"export_{library}.py").write_text(script, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - the caller names the interpreter
        [python, f"export_{library}.py"], cwd=folder, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split("largest difference")[1])


def list_versions(python: str, library: str) -> dict[str, str]:
    code = (
        "import importlib.metadata as m, json, sys\n"
        "have = {d.metadata['Name'].lower() for d in m.distributions()}\n"
        "print(json.dumps({n: m.version(n) for n in sys.argv[1:] if n in have}))"
    )
    done = subprocess.run(  # noqa: S603 - the caller names the interpreter
        [python, "-c", code, *_PACKAGES[library], "onnx", "onnxruntime"], capture_output=True, text=True, check=True
    )
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


def compile_file(path: Path, spec: PartialSpec, home: Path) -> CompileReport:
    """Compile the exported file with its sidecar, as a registration does."""
    made = asyncio.run(Compiler(Settings(home=home)).compile(path, compute_digest(path), spec))
    return made.report


def format_table(results: dict[str, dict[str, object]]) -> str:
    lines = ["| library | versions | largest difference of the export | input |", "|---|---|---|---|"]
    for library, row in results.items():
        versions = ", ".join(f"{name} {version}" for name, version in dict(row["versions"]).items())  # type: ignore[call-overload]
        lines.append(f"| {library} | {versions} | {row['difference']:.1g} | `{row['input']}` |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    pythons = dict(argument.split("=", maxsplit=1) for argument in arguments)
    results: dict[str, dict[str, object]] = {}
    for (library, script), spec in zip(read_scripts(page).items(), read_sidecars(page), strict=True):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            difference = run_script(pythons[library], library, script, folder)
            report = compile_file(folder / f"head_{library}.onnx", spec, folder / "home")
        results[library] = {
            "script": sha256(script.encode()).hexdigest(),
            "versions": list_versions(pythons[library], library),
            "difference": difference,
            "input": report.spec.input.value,
            "labels": list(report.spec.labels),
            "shapes": [list(signature.shape) for signature in (*report.inputs, *report.outputs)],
        }
        sys.stdout.write(f"{library}: {results[library]}\n")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    head = page.partition("## Last results\n")[0]
    PAGE.write_text(f"{head}## Last results\n\n{format_table(results)}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
