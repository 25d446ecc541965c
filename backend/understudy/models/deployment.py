"""Which model is on stage, as one row that counts the changes."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base

FLOAT32 = "float32"


class Deployment(Base):
    """`model_id` carries no foreign key: a row deleted by hand must leave a difference that can be noticed.

    `form` says in which form that model should be live: FLOAT32, or the key of its int8 twin.
    """

    __tablename__ = "understudy_stage"

    stage_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(BigInteger)
    model_id: Mapped[int | None] = mapped_column(Integer)
    changed_at: Mapped[datetime]
    form: Mapped[str] = mapped_column(String(60), default=FLOAT32, server_default=FLOAT32)

    __table_args__ = (CheckConstraint("stage_id = 1", name="one_row"),)
