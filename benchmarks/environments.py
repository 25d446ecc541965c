"""The environments of the peers, each made from its lock when it is first needed."""

import subprocess
import sys
from pathlib import Path

INSTALL = Path(__file__).with_name("install.sh")


def install(name: str) -> str | None:
    """Make the environment `name` unless it is there; the reason when it cannot be made."""
    done = subprocess.run([INSTALL, sys.executable, name], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return f"cannot be installed on Python {sys.version.split()[0]}: {lines[-1] if lines else done.returncode}"
    return None


def versions(python: Path) -> dict[str, str]:
    """Version of every package that an interpreter's environment holds."""
    code = "from importlib.metadata import distributions as d; [print(x.name, x.version) for x in d()]"
    done = subprocess.run([python, "-I", "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    parted = (line.partition(" ") for line in done.stdout.splitlines())
    return dict(sorted((name, version) for name, _, version in parted))
