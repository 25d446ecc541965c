"""Hatch's build hook: builds the page into the package before a wheel is packed."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent / "scripts"))

from build_page import NODE_PACKAGE, build_page, has_node


class PageHook(BuildHookInterface):
    """Runs scripts/build_page.py; asks pip for a Node.js where the machine has none that is new enough."""

    PLUGIN_NAME = "page"

    def dependencies(self) -> list[str]:
        return [] if has_node() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            self.app.display_info("An editable install leaves the page alone; `make page` builds it.")
            return
        build_page(Path(self.root))
