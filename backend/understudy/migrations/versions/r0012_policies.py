"""Adds policies, activations that wait for a second person, and the time by which a model must be confirmed."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from understudy.migrations.adoption.api_roles import close_own_tables

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "understudy_policies",
        sa.Column("policies_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", _JSON),
        sa.Column("changed_at", sa.TIMESTAMP(), nullable=False),
        sa.PrimaryKeyConstraint("policies_id", name="understudy_policies_pkey"),
        sa.CheckConstraint("policies_id = 1", name="understudy_policies_one_row_check"),
    )
    op.create_table(
        "understudy_requests",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text()),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("form", sa.String(60), nullable=False),
        sa.Column("tensors_only", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("override_reason", sa.Text()),
        sa.Column("rollout", _JSON),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("requested_at", sa.TIMESTAMP(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(), nullable=False),
        sa.Column("principal_id", sa.Integer()),
        sa.Column("principal_name", sa.String(255)),
        sa.Column("principal_kind", sa.String(20)),
        sa.Column("person_id", sa.Integer()),
        sa.Column("decided_at", sa.TIMESTAMP()),
        sa.Column("decided_by_id", sa.Integer()),
        sa.Column("decided_by_name", sa.String(255)),
        sa.Column("decided_by_kind", sa.String(20)),
        sa.Column("decision_reason", sa.Text()),
        sa.PrimaryKeyConstraint("request_id", name="understudy_requests_pkey"),
        sqlite_autoincrement=True,
    )
    op.create_index("understudy_requests_state_request_id_idx", "understudy_requests", ["state", "request_id"])
    for column in (
        sa.Column("confirm_by", sa.TIMESTAMP()),
        sa.Column("return_model_id", sa.Integer()),
        sa.Column("return_form", sa.String(60)),
        sa.Column("return_claimed_until", sa.TIMESTAMP()),
    ):
        op.add_column("understudy_stage", column)
    op.add_column("understudy_keys", sa.Column("person_id", sa.Integer()))
    op.add_column("understudy_sessions", sa.Column("user_agent", sa.String(300)))
    found = tuple(close_own_tables(op.get_bind(), ("understudy_policies", "understudy_requests"), repair=True))
    context.config.attributes["findings"] = (*context.config.attributes.get("findings", ()), *found)
