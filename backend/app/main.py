"""Re-exports the server for `uvicorn --factory app.main:create_app`."""

from understudy.main import create_app

__all__ = ["create_app"]
