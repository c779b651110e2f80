"""Cuts rows into a page with the cursor of the next one. Knows no feature."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from turnout import ids
from turnout.accounts.actor import Actor
from turnout.db.paging import Cursors, Key
from turnout.errors import NotFound

R = TypeVar("R")


def cut(
    rows: Sequence[R], limit: int, cursors: Cursors, query: str, key: Callable[[R], Key]
) -> tuple[Sequence[R], str | None]:
    """The first `limit` of `rows` (one more was asked for), and the cursor if there are more."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursors.write(query, key(rows[limit - 1]))


def query_name(actor: Actor, *parts: object) -> str:
    """What a cursor belongs to: the caller, the list, and whatever selects from it."""
    return " ".join(str(part) for part in (actor.standing, actor.user_id, *parts))


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
