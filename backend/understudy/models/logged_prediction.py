"""The log of predictions."""

from datetime import datetime

from sqlalchemy import BigInteger, Float, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class LoggedPrediction(Base):
    """An answer that was given: who asked, what was answered by which model, and the SHA-256 of the recording.

    It repeats names, because the principal and the model may be deleted. It holds no audio.
    """

    __tablename__ = "understudy_predictions"

    prediction_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    principal_id: Mapped[int | None] = mapped_column(Integer)
    principal_name: Mapped[str | None] = mapped_column(String(255))
    model_id: Mapped[int] = mapped_column(Integer)
    model_name: Mapped[str] = mapped_column(Text)
    version: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    generation: Mapped[int | None] = mapped_column(BigInteger)
    label: Mapped[str] = mapped_column(Text)
    score: Mapped[float] = mapped_column(Float)
    clip_digest: Mapped[str] = mapped_column(String(64))

    __table_args__ = (Index(None, "model_id", "prediction_id"),)
