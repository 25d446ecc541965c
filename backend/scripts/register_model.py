"""Register a model that lies in the backend folder: the documented script.

    python scripts/register_model.py --name "Siren v2" --path models/siren_v2.keras --version v2.0 --activate

It is `understudy register`. An interpreter without Understudy's packages hands over to the checkout's .venv.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
NEEDED = ("aiosqlite", "alembic", "httpx", "onnxruntime", "pydantic_settings", "sqlalchemy", "structlog", "typer")


def environment() -> "Path | None":
    """The interpreter of the checkout's .venv, where `make install` made one."""
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
    made = environment()
    if made is not None and Path(sys.prefix).resolve() != made.parents[1].resolve():
        sys.exit(subprocess.call([str(made), *sys.argv]))  # noqa: S603
    lacks = f"it lacks {', '.join(missing)}" if missing else "it is older than Python 3.11"
    sys.exit(
        f"{sys.executable} cannot run Understudy: {lacks}.\n"
        "Run `make install` in the checkout (docs/install.md for Windows), or use the Python that has Understudy."
    )


if __name__ == "__main__":
    register()
