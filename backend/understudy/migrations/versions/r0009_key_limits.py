"""Adds limits of its own to a key."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("understudy_keys", sa.Column("requests_per_second", sa.Float()))
    op.add_column("understudy_keys", sa.Column("concurrent_requests", sa.Integer()))
