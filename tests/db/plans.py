"""What a database says it would do for the statements that a piece of work runs."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.db.session import Database

Work = Callable[[AsyncSession], Awaitable[object]]


async def gather_statistics(database: Database) -> None:
    """Let the planner know how many rows there are."""
    async with database.write() as db:
        await db.execute(text("ANALYZE"))


async def of(database: Database, work: Work) -> list[str]:
    """The plan of each statement that `work` runs, in order; indexes and scans by their names."""
    ran: list[tuple[str, Any]] = []

    def note(_: Connection, __: object, statement: str, parameters: Any, *___: object) -> None:
        ran.append((statement, parameters))

    async with database.write() as db:
        connection = await db.connection()
        raw = connection.sync_connection
        event.listen(raw, "before_cursor_execute", note)
        await work(db)
        event.remove(raw, "before_cursor_execute", note)
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        plans = []
        for statement, parameters in ran:
            found = await connection.exec_driver_sql(f"{explain} {statement}", parameters)
            plans.append("\n".join(str(row[-1]) for row in found))
    return plans


def scans(plan: str, table: str) -> list[str]:
    """The lines of a plan that read all of a table, whatever it is called in the statement.

    SQLite says SCAN of an index as well, where it reads on from a place in it: that is none.
    """
    aliases = f"({table}|{table[0]})"
    full = re.compile(rf"Seq Scan on {table}\b|^SCAN {aliases}( |$)(?!USING)")
    return [line.strip() for line in plan.splitlines() if full.search(line.strip(" ->"))]
