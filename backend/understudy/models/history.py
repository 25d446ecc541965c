"""The history of models."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class HistoryEvent(StrEnum):
    """The kind of a history entry."""

    REGISTERED = "registered"
    UPDATED = "updated"
    DELETED = "deleted"
    COMPILED = "compiled"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    ROLLED_BACK = "rolled_back"
    REFUSED = "refused"
    REPAIRED = "repaired"


class History(Base):
    """An entry of the history, which is only appended to.

    It repeats the model's name, version and digest, because the model's row may be deleted. `form` is the variant of a
    model that went live; in entries of earlier versions it is NULL and means float32.
    """

    __tablename__ = "understudy_history"

    history_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime]
    event: Mapped[str] = mapped_column(String(20))
    model_id: Mapped[int | None] = mapped_column(Integer)
    model_name: Mapped[str | None] = mapped_column(String(255))
    version: Mapped[str | None] = mapped_column(String(50))
    digest: Mapped[str | None] = mapped_column(String(64))
    generation: Mapped[int | None] = mapped_column(BigInteger)
    form: Mapped[str | None] = mapped_column(String(60))
    actor: Mapped[str | None] = mapped_column(String(100))
    code: Mapped[str | None] = mapped_column(String(50))
    detail: Mapped[str | None] = mapped_column(Text)
    remedy: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(None, "model_id", "history_id"),
        Index(None, "generation"),
    )
