"""Alembic's entry point: runs the revisions on the connection of `alembic_run`."""

from alembic import context

from understudy.migrations.revision import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
