"""The rules for activations, and the activations that wait for a second person."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class PoliciesRow(Base):
    """The one row of policies. Without the row every policy is off. `document` holds a `Policies` as JSON."""

    __tablename__ = "understudy_policies"

    policies_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    document: Mapped[dict[str, object] | None]
    changed_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("policies_id = 1", name="one_row"),)


class RequestState(StrEnum):
    """The state of an activation that waits for a second person; a pending one past its end counts as expired."""

    PENDING = "pending"
    APPROVED = "approved"
    DONE = "done"
    FAILED = "failed"
    DECLINED = "declined"
    EXPIRED = "expired"


class ActivationRequestRow(Base):
    """An activation that one principal asked for.

    `generation` was the present one then. `target` is the digest of what would go live: file, spec and examples.
    `person_id` is the principal who counts: for a key, the person for whom it speaks. Names are repeated, because
    principals and models may be deleted.
    """

    __tablename__ = "understudy_requests"

    request_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    model_id: Mapped[int] = mapped_column(Integer)
    model_name: Mapped[str] = mapped_column(Text)
    version: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    form: Mapped[str] = mapped_column(String(60))
    tensors_only: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str | None] = mapped_column(Text)
    override_reason: Mapped[str | None] = mapped_column(Text)
    rollout: Mapped[dict[str, object] | None]
    generation: Mapped[int] = mapped_column(BigInteger)
    target: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    principal_id: Mapped[int | None] = mapped_column(Integer)
    principal_name: Mapped[str | None] = mapped_column(String(255))
    principal_kind: Mapped[str | None] = mapped_column(String(20))
    person_id: Mapped[int | None] = mapped_column(Integer)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Integer)
    decided_by_name: Mapped[str | None] = mapped_column(String(255))
    decided_by_kind: Mapped[str | None] = mapped_column(String(20))
    decision_reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index(None, "state", "request_id"), {"sqlite_autoincrement": True})
