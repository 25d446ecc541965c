"""`understudy serve` in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BACKEND = Path(__file__).resolve().parents[1]


@contextmanager
def run_serve(home: Path, **environment: str) -> Iterator[str]:
    """Serve `home` on a free port and yield the server's address, such as `http://127.0.0.1:41234`."""
    command = [sys.executable, "-m", "understudy.cli", "serve", "--port", "0", "--json"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    inherited.pop("DATABASE_URL", None)
    environment = inherited | {"PYTHONPATH": str(_BACKEND), "UNDERSTUDY_HOME": str(home)} | environment
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
