"""The records of what Understudy made and copied: tables, and rows of foreign tables."""

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class CreatedTable(Base):
    """A table beside Understudy's own ones that its migration made: `ml_models`, unless it was there before."""

    __tablename__ = "understudy_created"

    table_name: Mapped[str] = mapped_column(String(63), primary_key=True)
    created_at: Mapped[datetime]


class ImportedRow(Base):
    """A row of a foreign table that was copied into `ml_models`, so that it is never copied twice.

    `source_table` is the table's name with its schema, `source_key` its key as a JSON array. `model_id` has no foreign
    key: when a person deletes the model, its source row does not come back.
    """

    __tablename__ = "understudy_imports"

    source_table: Mapped[str] = mapped_column(String(200), primary_key=True)
    source_key: Mapped[str] = mapped_column(String(500), primary_key=True)
    model_id: Mapped[int] = mapped_column(Integer)
    imported_at: Mapped[datetime]
