"""No library that Understudy loads reports what is done with it."""

import os
import subprocess
import sys
from pathlib import Path


def test_onnx_runtime_writes_no_telemetry(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    script = "import understudy.inference.runtime.onnx_session"
    subprocess.run(
        [sys.executable, "-c", script], env=environment | {"HOME": str(tmp_path)}, cwd=tmp_path, check=True, timeout=120
    )
    assert list(tmp_path.rglob("*")) == []
