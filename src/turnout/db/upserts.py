"""Writes a row whether or not it is there, by one statement on either database. Knows no table."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.db.base import Base


async def put(
    db: AsyncSession,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
    keep: Sequence[str] = (),
) -> None:
    """Insert the rows, each with the same columns; where the key is taken, set its other columns.

    Columns in `keep` count for a new row alone. Nothing is read before: of two who write the same
    row at once, the later one stays and neither fails.
    """
    if not rows:
        return
    dialect = (await db.connection()).dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(model).values(list(rows))
    changed = {name: statement.excluded[name] for name in rows[0] if name not in {*key, *keep}}
    await db.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))
