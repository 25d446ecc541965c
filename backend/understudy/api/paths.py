"""Addresses of the API, each written once.

They are relative to where the application is mounted: a request's own path begins with its `root_path`.
"""

from starlette.types import Scope

API = "/api"
V1 = f"{API}/v1"
V2 = "/v2"
HEALTH = "/health"
METRICS = "/metrics"
DOCS = "/docs"
REDOC = "/redoc"
OPENAPI = "/openapi.json"

MODELS = "/models"
DEMO_CLIPS = "/demo-clips"
EVENTS = "/events"


def is_below(path: str, place: str) -> bool:
    """Return whether `path` is `place` or lies below it."""
    return path == place or path.startswith(f"{place}/")


def strip_mount(scope: Scope) -> str:
    """Return the request's path relative to where the application is mounted."""
    path: str = scope["path"]
    mount: str = scope.get("root_path", "")
    return path[len(mount) :] if mount and is_below(path, mount) else path


def add_mount(scope: Scope, path: str) -> str:
    """Return the path under which the client of this request reaches `path`."""
    return f"{scope.get('root_path', '')}{path}"
