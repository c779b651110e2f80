"""The cast with accounts: made beside the doors, so that no test waits for a password's hash."""

from dataclasses import dataclass
from functools import cache
from uuid import UUID

import httpx2
from pwdlib.hashers.argon2 import Argon2Hasher
from tests.support.app import RunningApp

from turnout import clock
from turnout.accounts import sign_ins, users
from turnout.accounts.actor import Role
from turnout.accounts.models import SignInKind
from turnout.accounts.sign_ins import Client
from turnout.accounts.users import UserDraft
from turnout.audit.audit import Cause
from turnout.edge.caller import COOKIE

PASSWORD = "four unrelated words here"
CAUSE = Cause("system")


@dataclass(frozen=True, slots=True)
class Person:
    """One of the cast, signed in by a token and, in another sign-in, by a cookie."""

    id: UUID
    name: str
    email: str
    token: str
    cookie: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header of a program that acts for them."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def page(self) -> dict[str, str]:
        """The headers of their browser on a page of ours."""
        return {"Cookie": f"{COOKIE}={self.cookie}", "Sec-Fetch-Site": "same-origin"}

    def api(self, app: RunningApp) -> httpx2.AsyncClient:
        """A client that sends their token."""
        return app.client(headers=self.bearer)


@cache
def password_hash() -> str:
    """The hash of PASSWORD, as cheap as the library makes one."""
    return Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


async def join(
    app: RunningApp, name: str, role: Role = Role.ATTENDEE, *, verified: bool = True
) -> Person:
    """A new account of that name, at example.com, with PASSWORD."""
    now, email = clock.now(), f"{name.lower()}@example.com"
    draft = UserDraft(email, name, role, None, password_hash(), is_verified=verified)
    client, runtime = Client("test", "127.0.0.1"), app.runtime
    async with runtime.database.write() as db:
        user = await users.create(db, draft, CAUSE, now)
        found = sign_ins.candidate_of(user)
        tokens = await sign_ins.open_(db, found, SignInKind.TOKENS, client, CAUSE, now)
        page = await sign_ins.open_(db, found, SignInKind.PAGE, client, CAUSE, now)
    token = runtime.access_tokens.write(user.id, tokens.sign_in_id, now)
    return Person(user.id, name, email, token, page.secret)


async def olive(app: RunningApp) -> Person:
    """Organizes."""
    return await join(app, "Olive", Role.ORGANIZER)


async def ada(app: RunningApp) -> Person:
    """Attends."""
    return await join(app, "Ada")


async def mallory(app: RunningApp) -> Person:
    """Organizes events of her own, and has no business with any other."""
    return await join(app, "Mallory", Role.ORGANIZER)


async def root(app: RunningApp) -> Person:
    """Administers."""
    return await join(app, "Root", Role.ADMIN)
