"""Run by Alembic: applies migrations over the connection that `schema.py` hands in."""

from alembic import context
from sqlalchemy import Connection

from turnout import tables
from turnout.migrations import schema


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables.METADATA,
        include_name=schema.is_compared,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=False,
    )
    context.run_migrations()


_run(context.config.attributes["connection"])
