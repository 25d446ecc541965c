"""The keys of machines."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class AccessKey(Base):
    """The secret of a principal of the kind `key`; its SHA-256 hash only, which cannot be turned back.

    `prefix` begins the key and is shown. `source` is the only source that a device may name. A limit of its own
    takes the place of that of its role; NULL: that of the role holds. `person_id` is the person or identity for whom
    the key speaks where an activation needs two people.
    """

    __tablename__ = "understudy_keys"

    principal_id: Mapped[int] = mapped_column(
        ForeignKey("understudy_principals.principal_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    prefix: Mapped[str] = mapped_column(String(20), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    source: Mapped[str | None] = mapped_column(String(100))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    requests_per_second: Mapped[float | None] = mapped_column(Float)
    concurrent_requests: Mapped[int | None] = mapped_column(Integer)
    person_id: Mapped[int | None] = mapped_column(Integer)
