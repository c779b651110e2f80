"""`turnout users`: accounts in the hands of whoever runs the machine."""

import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from turnout import clock, tables
from turnout.accounts import api_tokens, links, users
from turnout.accounts.actor import SYSTEM, Role, Scope
from turnout.accounts.api_tokens import TokenDraft
from turnout.accounts.models import LinkPurpose, User
from turnout.accounts.opaque import Seals
from turnout.accounts.users import UserDraft, UserFilter
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.cli import first_admin, user_errors
from turnout.db import revision
from turnout.db.session import Database, Db
from turnout.errors import TurnoutError
from turnout.fields import Line, check_email
from turnout.settings import Settings, secret_key
from turnout.web.links import address_of

T = TypeVar("T")
Email = Annotated[str, typer.Argument(help="The account's e-mail address.")]

app = typer.Typer(help="The accounts of people.", no_args_is_help=True, add_completion=False)
_CAUSE = Cause(SYSTEM.standing)
_PAGE = 500
_NAME_CHARACTERS, _TOKEN_NAME_CHARACTERS = 200, 100


@app.command()
def create(
    email: Email,
    name: Annotated[str, typer.Option(help="The person's name; else the address.")] = "",
    role: Annotated[Role, typer.Option(help="What the account may do.")] = Role.ATTENDEE,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read a password from the standard input.")
    ] = False,
) -> None:
    """Make an account; without a password, print the link by which its owner sets one."""
    settings = user_errors.settings_or_fail()
    address = _checked(email)
    called = _line(name, _NAME_CHARACTERS) if name else address[:_NAME_CHARACTERS]
    password = _password_typed() if password_stdin else None

    async def work(database: Database) -> str | None:
        hashed = await _hash(password, (address, called))
        async with database.write() as db:
            draft = UserDraft(address, called, role, None, hashed)
            user = await users.create(db, draft, _CAUSE, clock.now())
            if password is not None:
                return None
            return await _link(settings, db, user, LinkPurpose.INVITATION)

    url = _run(settings, work)
    print(f"{role} {email}" if url is None else f"{role} {email} sets a password by: {url}")


@app.command("list")
def list_(
    role: Annotated[Role | None, typer.Option(help="Only those.")] = None,
    words: Annotated[str | None, typer.Option(help="Part of a name or an address.")] = None,
) -> None:
    """Print each account: role, address, name, and what is special about it."""
    words = None if words is None else _text(words)

    async def work(database: Database) -> None:
        after: str | None = None
        while True:
            async with database.read() as db:
                found = await users.page(db, UserFilter(words, role), after=after, limit=_PAGE)
            for user in found:
                print("\t".join((user.role, user.email, user.name, *_remarks(user))))
            if len(found) < _PAGE:
                return
            after = found[-1].email_canonical

    _run(user_errors.settings_or_fail(), work)


def _remarks(user: User) -> list[str]:
    said = {
        "disabled": not user.is_active,
        "address not verified": user.email_verified_at is None,
        "no password": user.password_hash is None,
        "second factor": user.totp_confirmed_at is not None,
    }
    return [", ".join(what for what, is_so in said.items() if is_so)]


@app.command()
def disable(email: Email) -> None:
    """Let an account in no more; what it is signed in with ends at once."""
    _change(email, is_active=False)


@app.command()
def enable(email: Email) -> None:
    """Let a disabled account in again."""
    _change(email, is_active=True)


@app.command()
def role(email: Email, role: Annotated[Role, typer.Argument(help="The role it gets.")]) -> None:
    """Give an account a role; it counts from its next request on."""
    _change(email, role=role)


@app.command()
def token(
    email: Email,
    name: Annotated[str, typer.Option(help="What the token is for.")] = "command line",
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may be used for; without any, everything.")
    ] = None,
) -> None:
    """Print a new API token of an account."""
    draft = TokenDraft(_line(name, _TOKEN_NAME_CHARACTERS), tuple(scope or Scope))

    async def work(database: Database) -> str:
        async with database.write() as db:
            user = await _enabled(db, email)
            return (await api_tokens.create(db, user.id, _CAUSE, draft, clock.now()))[1]

    print(_run(user_errors.settings_or_fail(), work))


@app.command()
def link(
    email: Email,
    verify: Annotated[
        bool, typer.Option("--verify", help="For the address, not for a new password.")
    ] = False,
) -> None:
    """Print a one-time link by which an account's owner sets a password, or verifies the address.

    Hand it to the owner of the address and to nobody else.
    """
    settings = user_errors.settings_or_fail()
    purpose = LinkPurpose.VERIFY_EMAIL if verify else LinkPurpose.RESET_PASSWORD

    async def work(database: Database) -> str:
        async with database.write() as db:
            user, changes = await _enabled(db, email), {"purpose": purpose}
            entry = audit.Entry(clock.now(), _CAUSE, "user.link-made", None, user.id, changes)
            audit.record(db, [entry])
            return await _link(settings, db, user, purpose)

    print(_run(settings, work))


def _change(email: str, **values: object) -> None:
    async def work(database: Database) -> None:
        # By a session of its own: what is locked must be read as it is then, not as it was before.
        async with database.read() as db:
            user_id = (await _found(db, email)).id
        async with database.write() as db:
            user = await users.locked_with_admins(db, user_id)
            await users.change(db, user, values, _CAUSE, clock.now())

    _run(user_errors.settings_or_fail(), work)


async def _found(db: Db, email: str) -> User:
    user = await users.by_email(db, _text(email))
    if user is None:
        user_errors.fail(f"there is no account with the address {email}")
    return user


async def _enabled(db: Db, email: str) -> User:
    user = await _found(db, email)
    if not user.is_active:
        user_errors.fail(f"{email} is disabled: turnout users enable comes first")
    return user


async def _link(settings: Settings, db: Db, user: User, purpose: LinkPurpose) -> str:
    link_id = await links.issue(db, user.id, purpose, user.email, clock.now())
    return address_of(settings.base_url, Seals(secret_key(settings)).link_token(link_id), purpose)


def _checked(email: str) -> str:
    try:
        return check_email(email)
    except ValueError:
        user_errors.fail(f"{email} is not an e-mail address that can be used")


def _line(name: str, max_length: int) -> str:
    try:
        return TypeAdapter(Annotated[str, Line(max_length)]).validate_python(name)
    except ValidationError:
        user_errors.fail(f"a name is one line of 1 to {max_length} characters")


def _text(typed: str) -> str:
    """What was typed, if it is text: an argument of other bytes holds surrogates in their place."""
    if not typed.isprintable():
        user_errors.fail(f"{typed!a} is not text that can be looked for")
    return typed


def _password_typed() -> str:
    """The first line of the standard input."""
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        user_errors.fail("the password cannot be used: it is not UTF-8")


async def _hash(password: str | None, personal: tuple[str, ...]) -> str | None:
    if password is None:
        return None
    return await first_admin.hash_or_fail(password, personal=personal, what="the password")


def _run(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    async def whole() -> T:
        await _require_schema(settings.database_url)
        database = Database(settings.database_url, pgbouncer=settings.pgbouncer)
        try:
            return await work(database)
        except TurnoutError as error:
            user_errors.fail(error.detail)
        finally:
            await database.aclose()

    return user_errors.run(whole)


async def _require_schema(url: str) -> None:
    found = await revision.current(url)
    if found != tables.REVISION:
        user_errors.fail(
            f"the database is {f'at revision {found}' if found else 'empty or not there'}, "
            f"and this needs {tables.REVISION}: run turnout schema upgrade"
        )
