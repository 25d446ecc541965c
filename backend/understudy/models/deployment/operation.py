"""The progress of activations, so that every process can report it."""

from datetime import datetime

from sqlalchemy import BigInteger, Float, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base, JsonDocument


class OperationRow(Base):
    """An activation or rollback; `progress` is between 0 and 1, `error` a problem document.

    `rollout` says which servers served it in the end, where somebody waited for that.
    """

    __tablename__ = "understudy_operations"

    operation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    model_id: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(20))
    step: Mapped[str] = mapped_column(String(20))
    progress: Mapped[float] = mapped_column(Float)
    generation: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[dict[str, object] | None]
    rollout: Mapped[dict[str, object] | None]
    warnings: Mapped[list[str] | None] = mapped_column(JsonDocument())
    started_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
