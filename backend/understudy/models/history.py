"""The history of models."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from understudy.history_chain import parse_state
from understudy.models.base import Base
from understudy.schemas.access.actor import ActingPrincipal


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
    SEALED = "sealed"
    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    CONFIRMED = "confirmed"
    POLICIES_CHANGED = "policies_changed"
    ACCEPTED = "accepted"


class History(Base):
    """An entry of the history, which is only appended to.

    It repeats the model's name, version and digest, because the model's row may be deleted. `form` is the variant of a
    model that went live; in entries of earlier versions it is NULL and means float32. `actor` is the source of the
    change. `migrations/history_seal.py` writes all entries and seals them: `position` counts them without gaps.
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
    principal_id: Mapped[int | None] = mapped_column(Integer)
    principal_name: Mapped[str | None] = mapped_column(String(255))
    principal_kind: Mapped[str | None] = mapped_column(String(20))
    before_json: Mapped[str | None] = mapped_column(Text)
    after_json: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int | None] = mapped_column(BigInteger)
    previous_hash: Mapped[str | None] = mapped_column(String(64))
    entry_hash: Mapped[str | None] = mapped_column(String(64))

    @property
    def principal(self) -> ActingPrincipal | None:
        if self.principal_kind is None:
            return None
        return ActingPrincipal(self.principal_id, self.principal_name, self.principal_kind)

    @property
    def before(self) -> dict[str, object] | str | None:
        """Return the values before the change; what is no JSON object, because somebody changed it, as its text."""
        return _read_state(self.before_json)

    @property
    def after(self) -> dict[str, object] | str | None:
        """Return the values since the change, as `before` does."""
        return _read_state(self.after_json)

    __table_args__ = (
        Index(None, "model_id", "history_id"),
        Index(None, "generation"),
        Index(None, "position", unique=True),
    )


def _read_state(text: str | None) -> dict[str, object] | str | None:
    state = parse_state(text)
    return state if isinstance(state, dict) else text


class HistoryHead(Base):
    """One row: the position and the hash of the last entry, so that a removed end of the history is noticed."""

    __tablename__ = "understudy_history_head"

    head_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)
    entry_hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (CheckConstraint("head_id = 1", name="one_row"),)
