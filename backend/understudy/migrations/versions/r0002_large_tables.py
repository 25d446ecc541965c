"""Keeps a page of a million models cheap: an index for each sort order, and the number of models."""

import sqlalchemy as sa
from alembic import op

from understudy.migrations.adoption.adoption import equip

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "understudy_counts",
        sa.Column("count_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("models", sa.BigInteger(), nullable=False),
        sa.Column("replaced", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("count_id", name="understudy_counts_pkey"),
    )
    equip(op.get_bind())
