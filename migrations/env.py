"""Entry point of Alembic, for `service.database.upgrade`, which passes its connection, and for the `alembic` command.

The command reads the database from softray's settings. The whole run is one transaction, on SQLite as well.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from service.database import make_engine, schema_change
from service.registry.tables import Table
from service.settings import load_settings


def run(connection: Connection) -> None:
    """Run the migrations inside the transaction that `connection` is in."""
    # SQLite cannot alter a table in place; batch mode copies it.
    context.configure(
        connection=connection, target_metadata=Table.metadata, render_as_batch=connection.dialect.name == "sqlite"
    )
    context.run_migrations()


passed = context.config.attributes.get("connection")
if passed is not None:
    run(passed)
else:
    with schema_change(make_engine(load_settings().effective_database_url)) as opened:
        run(opened)
