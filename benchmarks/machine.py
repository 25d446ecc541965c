"""Facts about the machine and the tools that figures depend on."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import psutil

from benchmarks.paths import ROOT


def machine() -> dict[str, str]:
    """Facts by name; what cannot be found out is left out."""
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": sys.version.split()[0],
        "wrk": _said("wrk", "-v").partition("[")[0].removeprefix("wrk").strip(),
        "commit": _said("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }
    return {name: value for name, value in facts.items() if value}


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    text = listed.read_text() if listed.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    features = re.search(r"^flags\s*:\s*(.+)$", text, re.MULTILINE)
    wide = [name for name in ("avx2", "avx512f", "avx512_vnni", "amx_int8") if features and name in features[1].split()]
    name = found[1] if found else platform.processor()
    return f"{name} ({', '.join(wide)})" if wide else name


def _said(*command: str) -> str:
    """The first line that a command prints, whatever its exit code; nothing where there is no such command."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.partition("\n")[0]
