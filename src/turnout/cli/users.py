"""`turnout users`: accounts in the hands of whoever runs the machine."""

import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from turnout import clock
from turnout.accounts import api_tokens, links, passwords, users
from turnout.accounts.actor import SYSTEM, Role, Scope
from turnout.accounts.api_tokens import TokenDraft
from turnout.accounts.models import LinkPurpose, User
from turnout.accounts.opaque import Seals
from turnout.accounts.passwords import Hasher
from turnout.accounts.users import UserDraft, UserFilter
from turnout.audit.audit import Cause
from turnout.cli import user_errors
from turnout.db.session import Database, Db
from turnout.errors import TurnoutError
from turnout.fields import check_email
from turnout.settings import Settings, secret_key
from turnout.web.links import address_of

T = TypeVar("T")
Email = Annotated[str, typer.Argument(help="The account's e-mail address.")]

app = typer.Typer(help="The accounts of people.", no_args_is_help=True, add_completion=False)
_CAUSE = Cause(SYSTEM.standing)
_PAGE = 500


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
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None

    async def work(database: Database) -> str | None:
        draft = UserDraft(_checked(email), name or email, role, None, await _hash(email, password))
        async with database.write() as db:
            user = await users.create(db, draft, _CAUSE, clock.now())
            if password is not None:
                return None
            return await _link(settings, db, user, LinkPurpose.RESET_PASSWORD)

    url = _run(settings, work)
    print(f"{role} {email}" if url is None else f"{role} {email} sets a password by: {url}")


@app.command("list")
def list_(
    role: Annotated[Role | None, typer.Option(help="Only those.")] = None,
    words: Annotated[str | None, typer.Option(help="Part of a name or an address.")] = None,
) -> None:
    """Print each account: role, address, name, and what is special about it."""

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
    draft = TokenDraft(name, tuple(scope or Scope))

    async def work(database: Database) -> str:
        async with database.write() as db:
            user = await _found(db, email)
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
            return await _link(settings, db, await _found(db, email), purpose)

    print(_run(settings, work))


def _change(email: str, **values: object) -> None:
    async def work(database: Database) -> None:
        async with database.write() as db:
            user = await users.locked(db, (await _found(db, email)).id)
            await users.change(db, user, values, _CAUSE, clock.now())

    _run(user_errors.settings_or_fail(), work)


async def _found(db: Db, email: str) -> User:
    user = await users.by_email(db, email)
    if user is None:
        user_errors.fail(f"there is no account with the address {email}")
    return user


async def _link(settings: Settings, db: Db, user: User, purpose: LinkPurpose) -> str:
    link_id = await links.issue(db, user.id, purpose, user.email, clock.now())
    return address_of(settings.base_url, Seals(secret_key(settings)).link_token(link_id), purpose)


def _checked(email: str) -> str:
    try:
        return check_email(email)
    except ValueError:
        user_errors.fail(f"{email} is not an e-mail address that can be used")


async def _hash(email: str, password: str | None) -> str | None:
    if password is None:
        return None
    hasher = Hasher()
    try:
        passwords.check_password(password)
        passwords.check_strength(password, personal=(email,))
        return await hasher.hash(password)
    except ValueError as error:
        user_errors.fail(f"the password cannot be used: {error}")
    finally:
        await hasher.aclose()


def _run(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    async def whole() -> T:
        database = Database(settings.database_url, pgbouncer=settings.pgbouncer)
        try:
            return await work(database)
        except TurnoutError as error:
            user_errors.fail(error.detail)
        finally:
            await database.aclose()

    return user_errors.run(whole)
