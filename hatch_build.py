"""Hatch's build hook: builds the page into the package, and packs the software bill of materials (PEP 770)."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent / "scripts"))

from build_page import NODE_PACKAGE, build_page, has_node
from make_sbom import write_sbom

# A test packs wheels without the page, which takes npm and half a minute.
_WITHOUT_PAGE = "UNDERSTUDY_WHEEL_WITHOUT_PAGE"


class PageHook(BuildHookInterface):
    """Runs scripts/build_page.py; asks pip for a Node.js where the machine has none that is new enough."""

    PLUGIN_NAME = "page"

    def dependencies(self) -> list[str]:
        return [] if has_node() or _WITHOUT_PAGE in os.environ else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="understudy-sbom-"))
        if version == "editable":
            self.app.display_info("An editable install leaves the page alone; `make page` builds it.")
            return
        build_data["sbom_files"].append(str(write_sbom(self._folder, Path(self.root))))
        if _WITHOUT_PAGE not in os.environ:
            build_page(Path(self.root))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        shutil.rmtree(self._folder)
