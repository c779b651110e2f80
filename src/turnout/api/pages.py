"""Cuts rows into a page with the cursor of the next one. Knows no feature."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from turnout import ids
from turnout.accounts.actor import Actor
from turnout.api import responses
from turnout.api.queries import PageQuery
from turnout.db.paging import Cursors, Key, key_of
from turnout.db.session import Db
from turnout.edge.caller import runtime_of
from turnout.errors import NotFound

R = TypeVar("R")
Load = Callable[[Db, str | None, int], Awaitable[Sequence[R]]]
"""Reads the rows behind a position (None is the beginning), at most that many."""
Make = Callable[[list[Any], str | None], object]
"""Makes a page of its items and the cursor of the next one."""


def by_id(row: Any) -> Key:
    """The position of a row in a list that is sorted by id."""
    return key_of(row.id)


async def listed(
    request: Request,
    query: PageQuery,
    name: str,
    load: Load[R],
    show: Callable[[R], object],
    page: Make,
    *,
    key: Callable[[R], Key] = by_id,
) -> Response:
    """The answer with one page of a list, of rows that anyone may see who may ask for the list.

    `name` is what `query_name` gives, `key` has one value. Raises InvalidCursor.
    """
    runtime = runtime_of(request)
    position = str(runtime.cursors.read(name, query.cursor)[0]) if query.cursor else None
    async with runtime.database.read() as db:
        found = await load(db, position, query.limit + 1)
    rows, cursor = cut(found, query.limit, runtime.cursors, name, key)
    content = page([show(row) for row in rows], cursor)
    return responses.read(request, content, link=responses.next_link(request, cursor))


def id_at(position: str | None) -> UUID | None:
    """The id that a position in a list sorted by id is."""
    return None if position is None else UUID(position)


def cut(
    rows: Sequence[R], limit: int, cursors: Cursors, query: str, key: Callable[[R], Key]
) -> tuple[Sequence[R], str | None]:
    """The first `limit` of `rows` (one more was asked for), and the cursor if there are more."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursors.write(query, key(rows[limit - 1]))


def query_name(actor: Actor, *parts: object) -> str:
    """What a cursor belongs to: the caller, the list, and whatever selects from it."""
    # By repr: two words are not to pass for two parts.
    return " ".join(repr(part) for part in (actor.standing, actor.user_id, *parts))


def id_after(cursors: Cursors, query: str, cursor: str | None) -> UUID | None:
    """The id behind which a page of rows in the order of their ids begins; None for the first.

    Raises InvalidCursor.
    """
    return UUID(str(cursors.read(query, cursor)[0])) if cursor else None


def id_of(text: str) -> UUID:
    """The id in a path. Raises NotFound for any other text: it names nothing."""
    found = ids.parse_id(text)
    if found is None:
        raise NotFound
    return found
