"""The compiler's child: `python -m understudy.compiler.child TASK JOB.json`, TASK being `convert` or `quantize`.

Only this process opens model files of others. It limits itself before it imports anything that reads them, and ends
with exit code 0 and outcome.json, or with 1 and refusal.json.
"""

import sys
from importlib import import_module
from pathlib import Path

from understudy.compiler.isolation.child_protocol import (
    OUTCOME_FILE,
    REFUSAL_FILE,
    STEP_MARK,
    ChildRefusal,
    ConvertJob,
    QuantizeJob,
)
from understudy.compiler.isolation.process_limits import apply, describe_memory_refusal, mentions_memory
from understudy.errors import CompileFailed, UnderstudyError

_TASKS: dict[str, tuple[type[ConvertJob | QuantizeJob], str]] = {
    "convert": (ConvertJob, "understudy.compiler.convert.conversion"),
    "quantize": (QuantizeJob, "understudy.compiler.quantize.quantizer"),
}


def _announce(step: str) -> None:
    sys.stdout.write(f"{STEP_MARK}{step}\n")
    sys.stdout.flush()


def _refusal(error: Exception, limit: int) -> UnderstudyError:
    text = str(error)
    untold = not isinstance(error, UnderstudyError) or isinstance(error, CompileFailed)
    if isinstance(error, MemoryError) or (untold and mentions_memory(text)):
        return describe_memory_refusal(limit)
    if isinstance(error, UnderstudyError):
        return error
    return CompileFailed(
        f"{type(error).__name__}: {(text.strip().splitlines() or ['no message'])[0][:500]}",
        remedy="Export the model to ONNX with its own framework and register that file.",
    )


def main(task: str, path: Path) -> int:
    kind, module = _TASKS[task]
    job = kind.model_validate_json(path.read_bytes())
    isolation = apply(job.limits, job.parent)
    try:
        outcome = getattr(import_module(module), task)(job, isolation, _announce)
    except Exception as error:
        # The process boundary: whatever a framework raises becomes a refusal that the parent can read.
        (job.out / REFUSAL_FILE).write_text(ChildRefusal.of(_refusal(error, job.limits.memory_bytes)).model_dump_json())
        if not isinstance(error, UnderstudyError):
            raise
        return 1
    (job.out / OUTCOME_FILE).write_text(outcome.model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
