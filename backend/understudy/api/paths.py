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
SESSION = "/session"
OIDC = "/oidc"
USERS = "/users"
KEYS = "/keys"
ACCOUNT = "/account"
POLICIES = "/policies"

# Below these paths of the API an unknown address is answered with a problem document, never with the page.
_NOT_THE_PAGE = (API, HEALTH, DOCS, REDOC, OPENAPI, V2, METRICS)
# What a caller who is not signed in may ask for, besides the page's own files.
_PUBLIC = (HEALTH, f"{V1}{HEALTH}", f"{V2}{HEALTH}", f"{V1}{SESSION}")


def is_below(path: str, place: str) -> bool:
    """Return whether `path` is `place` or lies below it."""
    return path == place or path.startswith(f"{place}/")


def is_page(path: str) -> bool:
    """Return whether `path`, relative to the mount, is an address of the page or one of its files."""
    return not any(is_below(path, place) for place in _NOT_THE_PAGE)


def is_public(path: str) -> bool:
    """Return whether `path`, relative to the mount, is answered to callers who are not signed in."""
    return is_page(path) or any(is_below(path, place) for place in _PUBLIC)


def strip_mount(scope: Scope) -> str:
    """Return the request's path relative to where the application is mounted."""
    path: str = scope["path"]
    mount: str = scope.get("root_path", "")
    return path[len(mount) :] if mount and is_below(path, mount) else path


def add_mount(scope: Scope, path: str) -> str:
    """Return the path under which the client of this request reaches `path`."""
    return f"{scope.get('root_path', '')}{path}"
