"""Adds what each process reports about its loads, and how an activation reached the servers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("understudy_replicas", sa.Column("desired_generation", sa.BigInteger()))
    op.add_column("understudy_replicas", sa.Column("load_seconds", sa.Float()))
    op.add_column("understudy_replicas", sa.Column("lag_seconds", sa.Float()))
    op.add_column(
        "understudy_operations", sa.Column("rollout", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"))
    )
