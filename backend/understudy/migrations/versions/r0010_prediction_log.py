"""Adds the log of predictions."""

import sqlalchemy as sa
from alembic import context, op

from understudy.migrations.adoption.api_roles import close_own_tables

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLE = "understudy_predictions"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("prediction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.TIMESTAMP(), nullable=False),
        sa.Column("principal_id", sa.Integer()),
        sa.Column("principal_name", sa.String(255)),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text()),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("generation", sa.BigInteger()),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("clip_digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("prediction_id", name="understudy_predictions_pkey"),
    )
    op.create_index("understudy_predictions_at_idx", _TABLE, ["at"])
    op.create_index("understudy_predictions_model_id_prediction_id_idx", _TABLE, ["model_id", "prediction_id"])
    found = tuple(close_own_tables(op.get_bind(), (_TABLE,), repair=True))
    context.config.attributes["findings"] = (*context.config.attributes.get("findings", ()), *found)
