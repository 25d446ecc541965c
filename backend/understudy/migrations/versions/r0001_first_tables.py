"""Creates the documented table, or adopts an existing one, and creates Understudy's own tables."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from understudy.migrations.adoption.adoption import adopt
from understudy.migrations.adoption.table_finding import INDEX, TABLE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    adopted = sa.inspect(op.get_bind()).has_table(TABLE)
    if not adopted:
        _create_ml_models()
    _create_own_tables()
    if adopted:
        context.config.attributes["findings"] = adopt(op.get_bind(), context.config.attributes["repair"])
    context.config.attributes["adopted"] = adopted
    _create_files()


def _create_ml_models() -> None:
    op.create_table(
        TABLE,
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("model_name", sa.String(255), nullable=False),
        sa.Column("version", sa.String(50)),
        sa.Column("file_path", sa.String(500), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("model_type", sa.String(100)),
        sa.Column("accuracy", sa.DECIMAL(5, 4)),
        sa.Column("created_at", sa.TIMESTAMP()),
        sa.Column("updated_at", sa.TIMESTAMP()),
        sa.Column("is_active", sa.Boolean(), server_default=sa.false()),
        sa.Column("created_by_user_id", sa.Integer()),
        sa.PrimaryKeyConstraint("model_id", name="ml_models_pkey"),
        sa.UniqueConstraint("model_name", name="ml_models_model_name_key"),
        sa.CheckConstraint("accuracy >= 0 AND accuracy <= 1", name="ml_models_accuracy_check"),
    )
    active = sa.column("is_active") == sa.true()
    op.create_index(INDEX, TABLE, ["is_active"], unique=True, postgresql_where=active, sqlite_where=active)


def _create_own_tables() -> None:
    stage = op.create_table(
        "understudy_stage",
        sa.Column("stage_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("model_id", sa.Integer()),
        sa.Column("changed_at", sa.TIMESTAMP(), nullable=False),
        sa.PrimaryKeyConstraint("stage_id", name="understudy_stage_pkey"),
        sa.CheckConstraint("stage_id = 1", name="understudy_stage_one_row_check"),
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    op.execute(sa.insert(stage).values(stage_id=1, generation=0, changed_at=now))
    op.create_table(
        "understudy_history",
        sa.Column("history_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.TIMESTAMP(), nullable=False),
        sa.Column("event", sa.String(20), nullable=False),
        sa.Column("model_id", sa.Integer()),
        sa.Column("model_name", sa.String(255)),
        sa.Column("version", sa.String(50)),
        sa.Column("digest", sa.String(64)),
        sa.Column("generation", sa.BigInteger()),
        sa.Column("actor", sa.String(100)),
        sa.Column("code", sa.String(50)),
        sa.Column("detail", sa.Text()),
        sa.Column("remedy", sa.Text()),
        sa.PrimaryKeyConstraint("history_id", name="understudy_history_pkey"),
    )
    op.create_index("understudy_history_model_id_history_id_idx", "understudy_history", ["model_id", "history_id"])
    op.create_index("understudy_history_generation_idx", "understudy_history", ["generation"])
    op.create_table(
        "understudy_replicas",
        sa.Column("replica", sa.String(255), nullable=False),
        sa.Column("model_id", sa.Integer()),
        sa.Column("digest", sa.String(64)),
        sa.Column("generation", sa.BigInteger()),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("error", _JSON),
        sa.Column("seen_at", sa.TIMESTAMP(), nullable=False),
        sa.PrimaryKeyConstraint("replica", name="understudy_replicas_pkey"),
    )
    op.create_table(
        "understudy_operations",
        sa.Column("operation_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("generation", sa.BigInteger()),
        sa.Column("error", _JSON),
        sa.Column("started_at", sa.TIMESTAMP(), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(), nullable=False),
        sa.PrimaryKeyConstraint("operation_id", name="understudy_operations_pkey"),
    )
    op.create_index("understudy_operations_started_at_idx", "understudy_operations", ["started_at"])


def _create_files() -> None:
    """Create the table of file records. It refers to `model_id`, which is a key only after the adoption."""
    op.create_table(
        "understudy_files",
        sa.Column("model_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file_path", sa.String(500), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.String(100), nullable=False),
        sa.Column("given_spec", _JSON),
        sa.Column("spec", _JSON),
        sa.Column("compile_state", sa.String(20), nullable=False),
        sa.Column("compile_error", _JSON),
        sa.Column("recorded_at", sa.TIMESTAMP(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", name="understudy_files_pkey"),
        sa.ForeignKeyConstraint(
            ["model_id"], ["ml_models.model_id"], name="understudy_files_model_id_fkey", ondelete="CASCADE"
        ),
    )
    op.create_index("understudy_files_digest_idx", "understudy_files", ["digest"])
