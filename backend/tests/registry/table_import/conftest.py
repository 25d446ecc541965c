"""A hand-made `ml_models` beside the foreign table."""

from tests.migrations.conftest import documented

__all__ = ["documented"]
