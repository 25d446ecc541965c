"""Adds the variant in which a model should be live, and the key of its int8 variant."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    form = sa.Column("form", sa.String(60), nullable=False, server_default="float32")
    op.add_column("understudy_stage", form)
    op.add_column("understudy_history", sa.Column("form", sa.String(60)))
    op.add_column("understudy_files", sa.Column("twin", sa.String(60)))
