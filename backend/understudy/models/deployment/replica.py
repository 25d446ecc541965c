"""The reports of the server processes."""

from datetime import datetime

from sqlalchemy import BigInteger, Float, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class Replica(Base):
    """The model that one server process has in memory; `error` is the problem document of a load that failed.

    `desired_generation` is the generation that the process tries to serve, `generation` the one that it serves.
    """

    __tablename__ = "understudy_replicas"

    replica: Mapped[str] = mapped_column(String(255), primary_key=True)
    model_id: Mapped[int | None] = mapped_column(Integer)
    digest: Mapped[str | None] = mapped_column(String(64))
    generation: Mapped[int | None] = mapped_column(BigInteger)
    desired_generation: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(20))
    error: Mapped[dict[str, object] | None]
    load_seconds: Mapped[float | None] = mapped_column(Float)
    lag_seconds: Mapped[float | None] = mapped_column(Float)
    seen_at: Mapped[datetime]
