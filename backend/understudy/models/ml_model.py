"""The documented table `ml_models`, column for column."""

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, Numeric, String, Text, false, true
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class MlModel(Base):
    """A registered model. At most one row has `is_active` TRUE: that model should be live."""

    __tablename__ = "ml_models"

    model_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    model_name: Mapped[str] = mapped_column(String(255), unique=True)
    version: Mapped[str | None] = mapped_column(String(50))
    file_path: Mapped[str] = mapped_column(String(500))
    description: Mapped[str | None] = mapped_column(Text)
    model_type: Mapped[str | None] = mapped_column(String(100))
    accuracy: Mapped[float | None] = mapped_column(Numeric(5, 4, asdecimal=False))
    created_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    is_active: Mapped[bool | None] = mapped_column(Boolean, default=False, server_default=false())
    created_by_user_id: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        CheckConstraint("accuracy >= 0 AND accuracy <= 1", name="accuracy"),
        # Each sort order of the list walks one of these.
        *(Index(None, each, "model_id") for each in ("created_at", "updated_at", "accuracy", "version", "model_type")),
    )


_ACTIVE = MlModel.__table__.c.is_active == true()

# On PostgreSQL the revisions create it as a partial index too; naming that here would import its dialect everywhere.
Index("ml_models_one_active", MlModel.is_active, unique=True, sqlite_where=_ACTIVE)
