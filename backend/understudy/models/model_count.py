"""The number of rows of `ml_models`, kept by triggers."""

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class ModelCount(Base):
    """A part of the number of models: the sum of `models` over all rows. Triggers keep it, whichever client writes.

    SQLite has one writer at a time and keeps one row. On PostgreSQL each statement adds a row and merges the rows that
    are not locked, so that no transaction waits for the count of another. `replaced` is used by SQLite's triggers: the
    number of rows that a running OR REPLACE statement deletes, for which SQLite fires no trigger.
    """

    __tablename__ = "understudy_counts"

    count_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    models: Mapped[int] = mapped_column(BigInteger)
    replaced: Mapped[int] = mapped_column(BigInteger, default=0)
