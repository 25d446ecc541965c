"""The documented table `ml_models`, column for column."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, false, true
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.adopted_types import (
    AdoptedFlag,
    AdoptedLongText,
    AdoptedNumber,
    AdoptedText,
    AdoptedTime,
    AdoptedUserId,
    RequiredText,
)
from understudy.models.base import Base


class MlModel(Base):
    """A registered model. At most one row has `is_active` TRUE: that model should be live."""

    __tablename__ = "ml_models"

    model_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    model_name: Mapped[str] = mapped_column(RequiredText(255), unique=True)
    version: Mapped[str | None] = mapped_column(AdoptedText(50))
    file_path: Mapped[str] = mapped_column(RequiredText(500))
    description: Mapped[str | None] = mapped_column(AdoptedLongText())
    model_type: Mapped[str | None] = mapped_column(AdoptedText(100))
    accuracy: Mapped[float | None] = mapped_column(AdoptedNumber(5, 4, asdecimal=False))
    created_at: Mapped[datetime | None] = mapped_column(AdoptedTime())
    updated_at: Mapped[datetime | None] = mapped_column(AdoptedTime())
    is_active: Mapped[bool | None] = mapped_column(AdoptedFlag(), default=False, server_default=false())
    created_by_user_id: Mapped[int | None] = mapped_column(AdoptedUserId())

    __table_args__ = (
        CheckConstraint("accuracy >= 0 AND accuracy <= 1", name="accuracy"),
        # Each sort order of the list walks one of these.
        *(Index(None, each, "model_id") for each in ("created_at", "updated_at", "accuracy", "version", "model_type")),
    )


_ACTIVE = MlModel.__table__.c.is_active == true()

# On PostgreSQL the revisions create it as a partial index too; naming that here would import its dialect everywhere.
Index("ml_models_one_active", MlModel.is_active, unique=True, sqlite_where=_ACTIVE)
