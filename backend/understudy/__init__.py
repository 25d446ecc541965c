"""Understudy: a model registry and inference server for audio classifiers.

The names below load their modules when they are first used: the compiler's child imports this package too, and must
not pay for the server.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"  # the only place that names the version

# ONNX Runtime would report its use to its makers, and write into the user's cache folder, from its import on.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from understudy.client import AsyncClient, Client
    from understudy.main import create_app, mount_app
    from understudy.settings import Settings

__all__ = ["AsyncClient", "Client", "Settings", "__version__", "create_app", "mount_app"]

_MODULES = {
    "AsyncClient": "understudy.client",
    "Client": "understudy.client",
    "Settings": "understudy.settings",
    "create_app": "understudy.main",
    "mount_app": "understudy.main",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
