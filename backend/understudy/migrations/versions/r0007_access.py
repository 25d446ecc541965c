"""Adds the people, keys and identities that may use the server, and their sessions."""

import sqlalchemy as sa
from alembic import context, op

from understudy.migrations.adoption.api_roles import close_own_tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("understudy_principals", "understudy_keys", "understudy_sessions", "understudy_access")


def upgrade() -> None:
    op.create_table(
        "understudy_principals",
        sa.Column("principal_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("login", sa.String(255)),
        sa.Column("role", sa.String(20)),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("issuer", sa.String(255)),
        sa.Column("subject", sa.String(255)),
        sa.Column("created_at", sa.TIMESTAMP(), nullable=False),
        sa.Column("disabled_at", sa.TIMESTAMP()),
        sa.PrimaryKeyConstraint("principal_id", name="understudy_principals_pkey"),
        sa.UniqueConstraint("login", name="understudy_principals_login_key"),
        sa.UniqueConstraint("issuer", "subject", name="understudy_principals_issuer_subject_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "understudy_keys",
        sa.Column("principal_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("prefix", sa.String(20), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("source", sa.String(100)),
        sa.Column("expires_at", sa.TIMESTAMP()),
        sa.Column("last_used_at", sa.TIMESTAMP()),
        sa.Column("revoked_at", sa.TIMESTAMP()),
        sa.PrimaryKeyConstraint("principal_id", name="understudy_keys_pkey"),
        sa.UniqueConstraint("prefix", name="understudy_keys_prefix_key"),
        _refer_to_principal("understudy_keys"),
    )
    op.create_table(
        "understudy_sessions",
        sa.Column("session_hash", sa.String(64), nullable=False),
        sa.Column("principal_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(), nullable=False),
        sa.Column("last_seen_at", sa.TIMESTAMP(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(), nullable=False),
        sa.PrimaryKeyConstraint("session_hash", name="understudy_sessions_pkey"),
        _refer_to_principal("understudy_sessions"),
    )
    op.create_index("understudy_sessions_principal_id_idx", "understudy_sessions", ["principal_id"])
    op.create_index("understudy_sessions_expires_at_idx", "understudy_sessions", ["expires_at"])
    access = op.create_table(
        "understudy_access",
        sa.Column("access_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("access_id", name="understudy_access_pkey"),
        sa.CheckConstraint("access_id = 1", name="understudy_access_one_row_check"),
    )
    op.execute(sa.insert(access).values(access_id=1, revision=0))
    found = tuple(close_own_tables(op.get_bind(), _TABLES, repair=True))
    context.config.attributes["findings"] = (*context.config.attributes.get("findings", ()), *found)


def _refer_to_principal(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["principal_id"],
        ["understudy_principals.principal_id"],
        name=f"{table}_principal_id_fkey",
        ondelete="CASCADE",
    )
