import pytest
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex

from understudy.models import MlModel

_DOCUMENTED = {
    "model_id": ("INTEGER", False),
    "model_name": ("VARCHAR(255)", False),
    "version": ("VARCHAR(50)", True),
    "file_path": ("VARCHAR(500)", False),
    "description": ("TEXT", True),
    "model_type": ("VARCHAR(100)", True),
    "accuracy": ("NUMERIC(5, 4)", True),
    "created_at": ("TIMESTAMP", True),
    "updated_at": ("TIMESTAMP", True),
    "is_active": ("BOOLEAN", True),
    "created_by_user_id": ("INTEGER", True),
}


def _dialect(name: str) -> Dialect:
    dialect: Dialect = registry.load(name)()
    return dialect


@pytest.mark.parametrize("name", ["postgresql", "sqlite"])
def test_the_table_is_the_documented_one_and_nothing_more(name: str) -> None:
    dialect = _dialect(name)
    columns = {
        column.name: (column.type.compile(dialect).removesuffix(" WITHOUT TIME ZONE"), column.nullable)
        for column in MlModel.__table__.columns
    }
    assert columns == _DOCUMENTED


def test_one_active_row_is_held_by_a_partial_unique_index() -> None:
    """PostgreSQL's is pinned where the revisions make it: the model spares SQLite that dialect."""
    [index] = [each for each in MlModel.__table__.indexes if each.unique]  # type: ignore[attr-defined]
    statement = str(CreateIndex(index).compile(dialect=_dialect("sqlite")))
    assert statement == "CREATE UNIQUE INDEX ml_models_one_active ON ml_models (is_active) WHERE is_active = 1"
