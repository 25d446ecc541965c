"""Records whether `ml_models` was made here and which rows were imported, and closes the tables to Supabase's API."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import context, op

from understudy.migrations.adoption.api_roles import close_to_api_roles
from understudy.migrations.adoption.table_finding import TABLE

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    created = op.create_table(
        "understudy_created",
        sa.Column("table_name", sa.String(63), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", name="understudy_created_pkey"),
    )
    # The first revision sets `adopted`. A database that was at a later one has no record of who made ml_models.
    if context.config.attributes.get("adopted") is False:
        now = datetime.now(UTC).replace(tzinfo=None)
        op.execute(sa.insert(created).values(table_name=TABLE, created_at=now))
    op.create_table(
        "understudy_imports",
        sa.Column("source_table", sa.String(200), nullable=False),
        sa.Column("source_key", sa.String(500), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.TIMESTAMP(), nullable=False),
        sa.PrimaryKeyConstraint("source_table", "source_key", name="understudy_imports_pkey"),
    )
    found = tuple(close_to_api_roles(op.get_bind(), repair=True))
    context.config.attributes["findings"] = (*context.config.attributes.get("findings", ()), *found)
