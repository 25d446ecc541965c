"""The number that tells processes that accounts have changed."""

from sqlalchemy import BigInteger, CheckConstraint, Integer
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class AccessRevision(Base):
    """One row. `revision` grows by one with each change of accounts, keys and sessions that takes a right away."""

    __tablename__ = "understudy_access"

    access_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("access_id = 1", name="one_row"),)
