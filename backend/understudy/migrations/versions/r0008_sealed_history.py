"""Adds to the history who changed something, what was before and after, and a chain of hashes."""

import sqlalchemy as sa
from alembic import context, op

from understudy.history_chain import GENESIS
from understudy.migrations.adoption.api_roles import close_own_tables
from understudy.migrations.history_seal import seal_present

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("principal_id", sa.Integer()),
        sa.Column("principal_name", sa.String(255)),
        sa.Column("principal_kind", sa.String(20)),
        sa.Column("before_json", sa.Text()),
        sa.Column("after_json", sa.Text()),
        sa.Column("position", sa.BigInteger()),
        sa.Column("previous_hash", sa.String(64)),
        sa.Column("entry_hash", sa.String(64)),
    ):
        op.add_column("understudy_history", column)
    op.create_index("understudy_history_position_idx", "understudy_history", ["position"], unique=True)
    head = op.create_table(
        "understudy_history_head",
        sa.Column("head_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("entry_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("head_id", name="understudy_history_head_pkey"),
        sa.CheckConstraint("head_id = 1", name="understudy_history_head_one_row_check"),
    )
    op.execute(sa.insert(head).values(head_id=1, position=0, entry_hash=GENESIS))
    connection = op.get_bind()
    seal_present(connection, "The migration to revision 0008")
    found = tuple(close_own_tables(connection, ("understudy_history_head",), repair=True))
    context.config.attributes["findings"] = (*context.config.attributes.get("findings", ()), *found)
