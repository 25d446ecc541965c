"""The examples of model files, and the runs of them."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from understudy.models.base import Base


class ExamplesRow(Base):
    """The examples of the model file with the SHA-256 `digest`: what is expected of which clip.

    They belong to the content of the file and not to a row of `ml_models`: a file that is registered again keeps them.
    """

    __tablename__ = "understudy_examples"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    examples_digest: Mapped[str] = mapped_column(String(64), index=True)
    examples: Mapped[dict[str, object]]
    added_at: Mapped[datetime]


class ProofRow(Base):
    """The latest run of a set of examples through one compiled model."""

    __tablename__ = "understudy_proofs"

    compiled_key: Mapped[str] = mapped_column(String(60), primary_key=True)
    examples_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    proof: Mapped[dict[str, object]]
    proved_at: Mapped[datetime]
