"""The sessions of people who signed in with a browser."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class BrowserSession(Base):
    """A session; `session_hash` is the SHA-256 hash of the cookie's value. It ends at `expires_at`, or when unused."""

    __tablename__ = "understudy_sessions"

    session_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    principal_id: Mapped[int] = mapped_column(
        ForeignKey("understudy_principals.principal_id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    user_agent: Mapped[str | None] = mapped_column(String(300))
