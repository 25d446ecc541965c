"""How many rows `ml_models` has, without counting them."""

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class ModelCount(Base):
    """The sum of `models` over all rows is the number of models; triggers keep it, whoever changes `ml_models`.

    SQLite, which has one writer at a time, keeps one row. On PostgreSQL each statement adds a row and merges those that
    nobody holds, so that no transaction waits for another one's count. `replaced` is the triggers' own note on SQLite:
    rows that a running statement with OR REPLACE removes, for which SQLite fires no trigger.
    """

    __tablename__ = "understudy_counts"

    count_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    models: Mapped[int] = mapped_column(BigInteger)
    replaced: Mapped[int] = mapped_column(BigInteger, default=0)
