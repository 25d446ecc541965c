"""Adds what a client should know about the model that an operation made live."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "understudy_operations", sa.Column("warnings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"))
    )
