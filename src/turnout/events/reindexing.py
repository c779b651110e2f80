"""Derives anew what events are found by, where their rows came of older rules.

It changes no word that anyone said: neither the version of an event nor its date of change moves,
and there is nothing to audit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.events import finding
from turnout.events.models import Event

_EVENT = Event.__table__.c
_SOURCES: Any = select(_EVENT.id, *(_EVENT[name] for name in finding.SOURCES))
_PAGE = (
    _SOURCES.add_columns(*(_EVENT[name] for name in finding.DERIVED))
    .order_by(_EVENT.id)
    .limit(bindparam("limit"))
)
_PAGE_AFTER = _PAGE.where(_EVENT.id > bindparam("after", type_=_EVENT.id.type))
_OF_ID = _EVENT.id == bindparam("of_id", type_=_EVENT.id.type)


@dataclass(frozen=True, slots=True)
class Stale:
    """An event as it was read, and what its derived columns should hold."""

    row: Row[Any]
    derived: dict[str, Any]


async def page(db: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """At most `limit` events of every status and owner with what they are found by, by their id."""
    if after is None:
        return (await db.execute(_PAGE, {"limit": limit})).all()
    return (await db.execute(_PAGE_AFTER, {"limit": limit, "after": after})).all()


def stale(rows: Sequence[Row[Any]]) -> list[Stale]:
    """Those of a page that hold something else than the rules of today give."""
    found = (Stale(row, finding.columns_of(row)) for row in rows)
    return [each for each in found if _values(each.row, finding.DERIVED) != (*_said(each),)]


async def renew(db: AsyncSession, stale: Sequence[Stale]) -> int:
    """Write what the events should hold; returns how many were still there to be written.

    They were read before this transaction: one that somebody edited since is derived once more.
    """
    read = {each.row.id: each for each in stale}
    query = _SOURCES.where(_EVENT.id.in_(read)).order_by(_EVENT.id)
    # Without the lock, on PostgreSQL an edit in between would get the words of the text before it.
    now = (await db.execute(query.with_for_update(key_share=True))).all()
    values = [{"of_id": row.id, **_derived(row, read[row.id])} for row in now]
    if values:
        await db.execute(update(Event.__table__).where(_OF_ID), values)  # type: ignore[arg-type]  # a Table, as the class says too widely
    return len(values)


def _derived(now: Row[Any], before: Stale) -> dict[str, Any]:
    is_same = _values(now, finding.SOURCES) == _values(before.row, finding.SOURCES)
    return before.derived if is_same else finding.columns_of(now)


def _said(stale: Stale) -> list[Any]:
    return [stale.derived[name] for name in finding.DERIVED]


def _values(row: Row[Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in names)
