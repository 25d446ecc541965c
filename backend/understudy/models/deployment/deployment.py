"""The deployment: the model that was switched to last, in one row that counts the switches."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base

FLOAT32 = "float32"


class Deployment(Base):
    """The one row of `understudy_stage`.

    `model_id` has no foreign key: when the model's row is deleted by hand, the difference must remain. `form` is the
    variant in which the model should be live: FLOAT32, or the key of an int8 variant.

    Unless somebody confirms the model until `confirm_by`, a server returns to `return_model_id` in `return_form`; one
    server does it, which has claimed that until `return_claimed_until`. The next switch clears all four.
    """

    __tablename__ = "understudy_stage"

    stage_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(BigInteger)
    model_id: Mapped[int | None] = mapped_column(Integer)
    changed_at: Mapped[datetime]
    form: Mapped[str] = mapped_column(String(60), default=FLOAT32, server_default=FLOAT32)
    confirm_by: Mapped[datetime | None]
    return_model_id: Mapped[int | None] = mapped_column(Integer)
    return_form: Mapped[str | None] = mapped_column(String(60))
    return_claimed_until: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("stage_id = 1", name="one_row"),)
