"""Signing in by password and code, for both doors: counted, and the same for all who fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from starlette.requests import Request

from turnout import clock
from turnout.accounts import links, passwords, second_factor, sign_ins, sign_up, users
from turnout.accounts.actor import ANONYMOUS, Actor
from turnout.accounts.errors import InvalidCode, InvalidCredentials, SecondFactorRequired
from turnout.accounts.models import SignInKind, User
from turnout.accounts.sign_ins import Candidate, Client, Opened
from turnout.audit.audit import Cause
from turnout.edge import answers, client, csrf, limits, pace
from turnout.edge.caller import address_key, count, runtime_of
from turnout.fields import canonical_email
from turnout.limiter import RESET, SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, Limit

# One attempt at a time for each address, known or not: of many at once, all would be looked at
# before the first failure is counted.
_attempts: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def begin(request: Request, limit: Limit | None) -> None:
    """Take a request of somebody who is not known yet. Raises CsrfFailed, RateLimited."""
    csrf.require_own_page(request.scope)
    await count(request, ANONYMOUS, limit)


async def check_password(request: Request, email: str, password: str) -> Candidate:
    """The active account that address and password belong to.

    Raises InvalidCredentials, the same and after the same work for an unknown address; RateLimited
    after too many failures; Busy.
    """
    runtime, person = runtime_of(request), canonical_email(email)
    async with _attempts.setdefault(person, asyncio.Lock()):
        await _look(request, person)
        async with runtime.database.read() as db:
            found = await sign_ins.candidate(db, person)
        is_right = await runtime.hasher.verify(password, found.password_hash if found else None)
        if found is None or not is_right or not found.is_active:
            await _count_failure(request, person)
            raise InvalidCredentials(error="invalid_grant")  # as OAuth clients look for it
        return found


async def open_(request: Request, found: Candidate, kind: SignInKind, code: str | None) -> Opened:
    """A new sign-in, where the second factor asks for nothing or `code` is right.

    Raises SecondFactorRequired, InvalidCredentials, RateLimited.
    """
    runtime, now = runtime_of(request), clock.now()
    async with _attempts.setdefault(found.person, asyncio.Lock()):
        await _look(request, found.person)
        try:
            async with runtime.database.write() as db:
                if found.has_second_factor:
                    await second_factor.require(db, runtime.seals, found.user_id, code, now)
                return await sign_ins.open_(
                    db, found, kind, client_of(request), cause_of(request), now
                )
        except SecondFactorRequired:
            if code:
                await _count_failure(request, found.person)
            raise


async def ask_for_reset(request: Request, email: str) -> None:
    """Let the owner of the address have a link to set a new password, if there is an account.

    Takes the same time, and is counted in the same way, if there is none. Raises RateLimited.
    """
    runtime, person = runtime_of(request), canonical_email(email)
    await limits.look(runtime.limiter, request.scope, RESET, person)
    await runtime.limiter.hit(RESET, person)
    async with pace.even(), runtime.database.write() as db:
        await sign_up.forget_password(db, email, cause_of(request), clock.now())


async def reset_password(
    request: Request, token: str, password: str, *, email: str | None = None
) -> None:
    """Give the account of a link a new password; `email` is for the first administrator's.

    Raises InvalidLink, WeakPassword, EmailTaken, Busy.
    """
    runtime = runtime_of(request)
    async with runtime.database.read() as db:
        link = await links.look(db, runtime.seals, token, sign_up.RESETTING, clock.now())
        user = await users.by_id(db, link.user_id)
    passwords.check_strength(password, personal=(email or user.email, user.name))
    hashed, cause = await runtime.hasher.hash(password), cause_of(request)
    async with runtime.database.write() as db:
        await sign_up.reset_password(
            db, runtime.seals, token, hashed, cause, clock.now(), email=email
        )


async def is_password_of(request: Request, user: User, password: str) -> bool:
    """Whether it is the account's present password; failures count as those of signing in do.

    Raises RateLimited, Busy.
    """
    person = user.email_canonical
    async with _attempts.setdefault(person, asyncio.Lock()):
        await _look(request, person)
        is_right = await runtime_of(request).hasher.verify(password, user.password_hash)
        if not is_right:
            await _count_failure(request, person)
        return is_right


@asynccontextmanager
async def counted_code(request: Request, actor: Actor) -> AsyncIterator[None]:
    """Counts a code of the second factor that is found wrong inside as a failure to sign in."""
    person = actor.person or ""
    async with _attempts.setdefault(person, asyncio.Lock()):
        await _look(request, person)
        try:
            yield
        except InvalidCode:
            await _count_failure(request, person)
            raise


def client_of(request: Request) -> Client:
    """The program that asks, as it names itself, and its address."""
    address = client.address_of(request.scope, runtime_of(request).settings.trusted_proxies)
    name = request.headers.get("user-agent", "")
    printable = "".join(letter for letter in name if letter.isprintable())
    return Client(printable, None if address is None else str(address))


def cause_of(request: Request) -> Cause:
    """Why something happens that a caller asked for before they were known."""
    return Cause("anonymous", None, answers.request_id_of(request.scope))


async def _look(request: Request, person: str) -> None:
    limiter = runtime_of(request).limiter
    await limits.look(limiter, request.scope, SIGN_IN_ACCOUNT, person)
    await limits.look(limiter, request.scope, SIGN_IN_ADDRESS, address_key(request))


async def _count_failure(request: Request, person: str) -> None:
    limiter = runtime_of(request).limiter
    try:
        await limiter.hit(SIGN_IN_ADDRESS, address_key(request))
    finally:
        await limiter.hit(SIGN_IN_ACCOUNT, person)
