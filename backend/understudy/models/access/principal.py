"""The people, keys and identities that may use the server."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class PrincipalKind(StrEnum):
    """A person with a password, a machine with a key, or the subject of another service's tokens."""

    PERSON = "person"
    KEY = "key"
    IDENTITY = "identity"


class Principal(Base):
    """Someone who may use the server. `ml_models.created_by_user_id` holds `principal_id`, which is never used again.

    `login` is the name in lower case; it is unique among people and keys, and null for identities, which are known by
    `issuer` and `subject`. The role of an identity comes from each token; `role` holds the last one.
    """

    __tablename__ = "understudy_principals"

    principal_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(255))
    login: Mapped[str | None] = mapped_column(String(255), unique=True)
    role: Mapped[str | None] = mapped_column(String(20))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    issuer: Mapped[str | None] = mapped_column(String(255))
    subject: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("issuer", "subject"), {"sqlite_autoincrement": True})
