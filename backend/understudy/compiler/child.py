"""The compiler's child process: `python -m understudy.compiler.child TASK REQUEST.json`.

TASK is `convert` or `quantize`. Only this process opens untrusted model files. It limits itself before it imports
anything that reads them. It ends with exit code 0 and outcome.json, or with exit code 1 and refusal.json.
"""

import sys
from importlib import import_module
from pathlib import Path

from understudy.compiler.isolation.child_protocol import (
    OUTCOME_FILE,
    REFUSAL_FILE,
    STEP_MARK,
    ChildRefusal,
    ConvertRequest,
    QuantizeRequest,
)
from understudy.compiler.isolation.process_limits import apply, make_memory_refusal
from understudy.errors import CompileFailed, UnderstudyError
from understudy.errors.memory_errors import mentions_memory

_TASKS: dict[str, tuple[type[ConvertRequest | QuantizeRequest], str]] = {
    "convert": (ConvertRequest, "understudy.compiler.convert.convert_task"),
    "quantize": (QuantizeRequest, "understudy.compiler.quantize.quantizer"),
}


def _report_step(step: str) -> None:
    sys.stdout.write(f"{STEP_MARK}{step}\n")
    sys.stdout.flush()


def _to_refusal(error: Exception, limit: int) -> UnderstudyError:
    text = str(error)
    unexplained = not isinstance(error, UnderstudyError) or isinstance(error, CompileFailed)
    if isinstance(error, MemoryError) or (unexplained and mentions_memory(text)):
        return make_memory_refusal(limit)
    if isinstance(error, UnderstudyError):
        return error
    return CompileFailed(
        f"{type(error).__name__}: {(text.strip().splitlines() or ['no message'])[0][:500]}",
        remedy="Export the model to ONNX with its own framework and register that file.",
    )


def main(task: str, path: Path) -> int:
    """Do one request and return the exit code."""
    kind, module = _TASKS[task]
    request = kind.model_validate_json(path.read_bytes())
    isolation = apply(request.limits, request.parent)
    try:
        outcome = getattr(import_module(module), task)(request, isolation, _report_step)
    except Exception as error:
        # This is the process boundary: every exception of a framework becomes a refusal that the parent can read.
        refusal = ChildRefusal.from_error(_to_refusal(error, request.limits.memory_bytes))
        (request.out / REFUSAL_FILE).write_text(refusal.model_dump_json())
        if not isinstance(error, UnderstudyError):
            raise
        return 1
    (request.out / OUTCOME_FILE).write_text(outcome.model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
