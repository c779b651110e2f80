"""What a database says it would do for the statements that a piece of work runs."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.db.session import Database

_NOT_DONE = re.compile(r"^.*\(never executed\)$\n?", re.MULTILINE)

Work = Callable[[AsyncSession], Awaitable[object]]


async def gather_statistics(database: Database) -> None:
    """Let the planner know how many rows there are."""
    async with database.write() as db:
        await db.execute(text("ANALYZE"))


async def of(database: Database, work: Work, *, done_alone: bool = False) -> list[str]:
    """The plan of each statement that `work` runs; indexes and scans by their names.

    With `done_alone` without what PostgreSQL had planned and then did not come to.
    """
    async with database.write() as db:
        if database.is_sqlite:
            return await _of_sqlite(db, work)
        return await _of_postgresql(db, work, done_alone=done_alone)


async def _of_sqlite(db: AsyncSession, work: Work) -> list[str]:
    ran: list[tuple[str, Any]] = []

    def note(_: Connection, __: object, statement: str, parameters: Any, *___: object) -> None:
        ran.append((statement, parameters))

    connection = await db.connection()
    event.listen(connection.sync_connection, "before_cursor_execute", note)
    await work(db)
    event.remove(connection.sync_connection, "before_cursor_execute", note)
    plans = []
    for statement, parameters in ran:
        found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plans.append("\n".join(str(row[-1]) for row in found))
    return plans


async def _of_postgresql(db: AsyncSession, work: Work, *, done_alone: bool) -> list[str]:
    """What auto_explain says: unlike EXPLAIN it also sees the statements inside a function."""
    plans: list[str] = []
    connection = await db.connection()
    raw: Any = (await connection.get_raw_connection()).driver_connection
    for setting in (
        "LOAD 'auto_explain'",
        "SET LOCAL auto_explain.log_min_duration = 0",
        "SET LOCAL auto_explain.log_nested_statements = on",
        f"SET LOCAL auto_explain.log_analyze = {done_alone}",
        "SET LOCAL client_min_messages = log",
    ):
        await connection.exec_driver_sql(setting)

    def note(_: object, message: Any) -> None:
        plans.append(str(message.message))

    raw.add_log_listener(note)
    await work(db)
    # The last plan comes when its statement gives way to another, and listeners are called in
    # a later turn of the loop.
    await connection.exec_driver_sql("SELECT 1")
    for _ in range(10):
        await asyncio.sleep(0)
    raw.remove_log_listener(note)
    return [_NOT_DONE.sub("", plan) for plan in plans]


def scans(plan: str, table: str) -> list[str]:
    """The lines of a plan that read all of a table, whatever it is called in the statement.

    SQLite says SCAN of an index as well, where it reads on from a place in it: that is none.
    """
    aliases = f"({table}|{table[0]})"
    full = re.compile(rf"Seq Scan on {table}\b|^SCAN {aliases}( |$)(?!USING)")
    return [line.strip() for line in plan.splitlines() if full.search(line.strip(" ->"))]
