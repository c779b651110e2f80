"""The first administrator of a database that has none: from the settings, or by a printed link."""

from turnout import clock
from turnout.accounts import bootstrap, passwords
from turnout.accounts.errors import WeakPassword
from turnout.accounts.opaque import Seals
from turnout.accounts.passwords import Hasher
from turnout.cli import user_errors
from turnout.db.session import Database
from turnout.fields import check_email
from turnout.settings import PREFIX, Settings, secret_key
from turnout.web.links import address_of


async def ensure(settings: Settings) -> str | None:
    """One line for the operator on how to become the administrator, or None where there is one."""
    database = Database(settings.database_url, pgbouncer=settings.pgbouncer)
    try:
        async with database.read() as db:
            if await bootstrap.has_admin(db):
                return None
        if settings.admin_email:
            return await _make(settings, database)
        async with database.write() as db:
            link_id = await bootstrap.link_for_admin(db, clock.now())
    finally:
        await database.aclose()
    token = Seals(secret_key(settings)).link_token(link_id)
    url = address_of(settings.base_url, token)
    return f"There is no administrator yet. Become it within a day, by this link: {url}"


async def _make(settings: Settings, database: Database) -> str:
    email, password = settings.admin_email, settings.admin_password.get_secret_value()
    try:
        check_email(email)
    except ValueError as error:
        user_errors.fail(f"{PREFIX}ADMIN_EMAIL cannot be used: {error}")
    what = f"{PREFIX}ADMIN_PASSWORD"
    hashed = await hash_or_fail(password, personal=(email, bootstrap.NAME), what=what)
    async with database.write() as db:
        await bootstrap.make_admin(db, email, hashed, clock.now())
    return f"The administrator is {email}, with the password of {PREFIX}ADMIN_PASSWORD."


async def hash_or_fail(password: str, *, personal: tuple[str, ...], what: str) -> str:
    """The hash of a new password; one that cannot be used is one clear line about `what`."""
    hasher = Hasher()
    try:
        passwords.check_password(password)
        passwords.check_strength(password, personal=personal)
        return await hasher.hash(password)
    except ValueError as error:
        user_errors.fail(f"{what} cannot be used: {error}")
    except WeakPassword as error:
        user_errors.fail(f"{what} cannot be used: {error.fields[0].message}")
    finally:
        await hasher.aclose()
