"""The recorded facts about the file of a model."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class CompileState(StrEnum):
    """The state of a file's compilation."""

    NOT_COMPILED = "not_compiled"
    COMPILING = "compiling"
    READY = "ready"
    REFUSED = "refused"


class FileRecord(Base):
    """The facts recorded when the file was first read; a row inserted by hand has none until its first activation.

    `file_path` is the row's path at that time: when the row's path is changed by hand, the record no longer counts.
    `digest` is the SHA-256 in hex, `bytes` the size. `fingerprint` is made of size and modification time: the file is
    hashed again only when it differs. `twin` is the key of the latest int8 variant, whether it may go live or not.
    """

    __tablename__ = "understudy_files"

    model_id: Mapped[int] = mapped_column(
        Integer, ForeignKey("ml_models.model_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    file_path: Mapped[str] = mapped_column(String(500))
    digest: Mapped[str] = mapped_column(String(64), index=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    fingerprint: Mapped[str] = mapped_column(String(100))
    given_spec: Mapped[dict[str, object] | None]
    spec: Mapped[dict[str, object] | None]
    compile_state: Mapped[str] = mapped_column(String(20), default=CompileState.NOT_COMPILED)
    twin: Mapped[str | None] = mapped_column(String(60))
    compile_error: Mapped[dict[str, object] | None]
    recorded_at: Mapped[datetime]
