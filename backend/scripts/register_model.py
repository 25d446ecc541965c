"""Register a model file that lies in the backend folder.

    python scripts/register_model.py --name "Siren v2" --path models/siren_v2.keras --version v2.0 --activate

The script runs `understudy register`. If the interpreter lacks Understudy's packages, the checkout's .venv runs it.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
NEEDED = (
    "aiosqlite",
    "alembic",
    "cachetools",
    "filelock",
    "httpx",
    "onnxruntime",
    "pydantic_settings",
    "sqlalchemy",
    "structlog",
    "typer",
)


def find_environment() -> "Path | None":
    """Return the interpreter of the checkout's .venv, or None before `make install`."""
    folder = BACKEND.parent / ".venv"
    return next(
        (each for each in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if each.exists()), None
    )


def register() -> None:
    sys.path.insert(0, str(BACKEND))
    missing = [name for name in NEEDED if find_spec(name) is None]
    if sys.version_info >= OLDEST and not missing:
        from understudy.cli import main

        main(["register", *sys.argv[1:]], program="register_model.py", actor="script")
        return
    interpreter = find_environment()
    if interpreter is not None and Path(sys.prefix).resolve() != interpreter.parents[1].resolve():
        sys.exit(subprocess.call([str(interpreter), *sys.argv]))  # noqa: S603
    reason = f"it lacks {', '.join(missing)}" if missing else "it is older than Python 3.11"
    sys.exit(
        f"{sys.executable} cannot run Understudy: {reason}.\n"
        "Run `make install` in the checkout (docs/install.md for Windows), or use the Python that has Understudy."
    )


if __name__ == "__main__":
    register()
