"""A few facts the database knows of itself: whose secret signed what is in it, which tz data."""

from sqlalchemy import String, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from turnout.db.base import Base


class Fact(Base):
    """One fact, by its name."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))


async def read(db: AsyncSession, name: str) -> str | None:
    """The fact's value, or None while it is not known."""
    fact = await db.get(Fact, name)
    return None if fact is None else fact.value


async def write(db: AsyncSession, name: str, value: str) -> None:
    """Set the fact, in the caller's transaction."""
    await db.merge(Fact(name=name, value=value))
    await db.flush()


async def advance(db: AsyncSession, name: str, value: str) -> None:
    """Set the fact unless a later value (in the order of text) is known, in one statement.

    Of two processes that do it at once, neither takes back what the other has set.
    """
    await db.execute(_ADVANCE, {"name": name, "value": value})


_ADVANCE = text(
    "INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) "
    "DO UPDATE SET value = excluded.value WHERE facts.value < excluded.value"
)
