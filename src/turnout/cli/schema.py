"""`turnout schema`: the database's schema, up, down, shown."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from alembic.util import CommandError

from turnout.cli import user_errors
from turnout.db import engines
from turnout.migrations import schema

Moved = tuple[str | None, str | None]

app = typer.Typer(help="The schema of the database.", no_args_is_help=True, add_completion=False)


@app.command()
def upgrade(revision: Annotated[str, typer.Argument()] = "head") -> None:
    """Migrate up to a revision, by default the newest."""
    settings = user_errors.settings_or_fail()
    before, after = _move(lambda: schema.upgrade(settings.database_url, revision))
    print(f"{before or 'empty'} -> {after or 'empty'}")


@app.command()
def downgrade(revision: Annotated[str, typer.Argument(help="A revision, or `base`.")]) -> None:
    """Migrate down to a revision. What only later ones can hold is lost."""
    settings = user_errors.settings_or_fail()
    before, after = _move(lambda: schema.downgrade(settings.database_url, revision))
    print(f"{before or 'empty'} -> {after or 'empty'}")


@app.command()
def current() -> None:
    """Print the revision of the database and the newest one."""
    settings = user_errors.settings_or_fail()
    revision = user_errors.run(lambda: schema.current(settings.database_url))
    print(f"{revision or 'empty'} (newest: {schema.head()})")


@app.command()
def sql() -> None:
    """Print the whole schema as SQL, in the dialect of the database."""
    settings = user_errors.settings_or_fail()
    is_sqlite = engines.is_sqlite(settings.database_url)
    print(schema.statements("sqlite" if is_sqlite else "postgresql"), end="")


def _move(work: Callable[[], Awaitable[Moved]]) -> Moved:
    """Run a migration; a revision that does not exist is one clear line."""
    try:
        return user_errors.run(work)
    except CommandError as error:
        user_errors.fail(str(error))
