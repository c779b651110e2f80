"""What can be said of a database's state. Knows no table but Alembic's."""

from sqlalchemy import text

from turnout.db.session import Database


async def check(database: Database) -> dict[str, str]:
    """The kind and version of the database and its schema's revision.

    Raises what the driver raises while the database is away.
    """
    async with database.read() as db:
        version = "sqlite_version()" if database.is_sqlite else "version()"
        server = (await db.execute(text(f"SELECT {version}"))).scalar_one()
        revision = (await db.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    words = str(server).split()
    return {"database": f"{kind} {words[1 if len(words) > 1 else 0]}", "schema": str(revision)}
