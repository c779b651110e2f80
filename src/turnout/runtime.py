"""What a running process holds: opened once, handed to the doors. Features never see it."""

from dataclasses import dataclass
from typing import Self

from turnout import clock
from turnout.accounts import service as accounts
from turnout.accounts.actor import ANONYMOUS, Actor
from turnout.db.paging import Cursors
from turnout.db.session import Database
from turnout.registrations.desk import Desk
from turnout.registrations.tickets import Tickets
from turnout.settings import Settings, secret_key


@dataclass(frozen=True, slots=True)
class Runtime:
    """One process's way to everything outside it."""

    settings: Settings
    database: Database
    desk: Desk
    cursors: Cursors
    tickets: Tickets
    default_actor: Actor
    """Who a caller without a credential is: nobody, or in open mode the built-in organizer."""

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Connect; the database must have been migrated. Raises SettingsError, NotDurableError."""
        secret = secret_key(settings)
        database = Database(settings.database_url, pgbouncer=settings.pgbouncer)
        await database.check_durability()
        actor = ANONYMOUS
        if settings.open_access:
            async with database.write() as db:
                actor = await accounts.built_in_organizer(db, clock.now())
        return cls(settings, database, Desk(database), Cursors(secret), Tickets(secret), actor)

    async def aclose(self) -> None:
        """Answer everyone who waits, then close every connection."""
        await self.desk.aclose()
        await self.database.aclose()
