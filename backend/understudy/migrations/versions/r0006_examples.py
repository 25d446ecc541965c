"""Adds the examples of model files, and the runs of them."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from understudy.migrations.adoption.api_roles import close_own_tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "understudy_examples",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("examples_digest", sa.String(64), nullable=False),
        sa.Column("examples", document, nullable=False),
        sa.Column("added_at", sa.TIMESTAMP(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="understudy_examples_pkey"),
    )
    op.create_index("understudy_examples_examples_digest_idx", "understudy_examples", ["examples_digest"])
    op.create_table(
        "understudy_proofs",
        sa.Column("compiled_key", sa.String(60), nullable=False),
        sa.Column("examples_digest", sa.String(64), nullable=False),
        sa.Column("proof", document, nullable=False),
        sa.Column("proved_at", sa.TIMESTAMP(), nullable=False),
        sa.PrimaryKeyConstraint("compiled_key", "examples_digest", name="understudy_proofs_pkey"),
    )
    found = tuple(close_own_tables(op.get_bind(), ("understudy_examples", "understudy_proofs"), repair=True))
    context.config.attributes["findings"] = (*context.config.attributes.get("findings", ()), *found)
