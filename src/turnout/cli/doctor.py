"""`turnout doctor`: looks whether everything is as it should be, and says what to do where not."""

import sys
from typing import Annotated

import orjson
import typer

from turnout import clock
from turnout.accounts import bootstrap
from turnout.cli import user_errors
from turnout.db import driver
from turnout.db import health as health_
from turnout.db.session import Database, NotDurableError
from turnout.events import times
from turnout.migrations import schema
from turnout.notifications import mailer, smtp
from turnout.notifications.letterhead import sender_of
from turnout.notifications.mailer import ServerAway
from turnout.notifications.smtp_server import MailServer
from turnout.registrations import integrity
from turnout.settings import Settings


class Finding(dict[str, object]):
    """One thing that was looked at: `what`, `ok`, `detail`."""


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check the platform, the database, its schema, and every promise about seats."""
    settings = user_errors.settings_or_fail()
    findings = user_errors.run(lambda: _examine(settings))
    if as_json:
        sys.stdout.write(orjson.dumps(findings, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        for finding in findings:
            mark = "ok  " if finding["ok"] else "FAIL"
            print(f"{mark}  {finding['what']}: {finding['detail']}")
    if not all(finding["ok"] for finding in findings):
        raise SystemExit(1)


async def _examine(settings: Settings) -> list[Finding]:
    findings = [_platform(settings)]
    if not schema.exists(settings.database_url):
        where = settings.database_url.removeprefix("sqlite:///")
        detail = f"there is none at {where}: turnout serve or turnout schema upgrade makes it"
        return [*findings, Finding(what="database", ok=False, detail=detail)]
    revision = await schema.current(settings.database_url)
    findings.append(_schema(revision))
    if revision != schema.head():
        return findings
    database = Database(settings.database_url, pgbouncer=settings.pgbouncer)
    try:
        facts = await health_.check(database)
        findings.append(Finding(what="database", ok=True, detail=facts["database"]))
        findings.append(await _durability(database))
        findings.append(_rate_limits(settings))
        findings.append(_geocoder(settings))
        findings.append(await _mail(settings))
        findings.append(await _administrators(database))
        async with database.read() as db:
            drifts = await integrity.drifts(db, clock.now())
    finally:
        await database.aclose()
    findings += [
        Finding(what="seats", ok=False, detail=f"event {drift.event_id}: {drift.what}")
        for drift in drifts
    ] or [Finding(what="seats", ok=True, detail="every event was counted anew; all adds up")]
    return findings


def _platform(settings: Settings) -> Finding:
    version = ".".join(str(part) for part in driver.sqlite_version())
    detail = f"tz database {times.tzdata_version()}, SQLite library {version}"
    sound = driver.sqlite_version() >= driver.FIRST_SOUND_SQLITE
    if sound or not settings.database_url.startswith("sqlite:"):
        return Finding(what="platform", ok=True, detail=detail)
    advice = "; builds before 3.51.3 can damage a database that several processes write: run one"
    return Finding(what="platform", ok=True, detail=detail + advice)


def _schema(revision: str | None) -> Finding:
    newest = schema.head()
    if revision == newest:
        return Finding(what="schema", ok=True, detail=f"revision {revision}, the newest")
    detail = f"revision {revision or 'empty'}, newest is {newest}: run turnout schema upgrade"
    return Finding(what="schema", ok=False, detail=detail)


def _rate_limits(settings: Settings) -> Finding:
    if settings.rate_limits == "off":
        return Finding(what="rate limits", ok=True, detail="off: good for measuring alone")
    shared = bool(settings.redis_url.get_secret_value())
    where = "in Redis, for all servers together" if shared else "in each process for itself"
    return Finding(what="rate limits", ok=True, detail=f"on, counted {where}")


def _geocoder(settings: Settings) -> Finding:
    if settings.geocoder == "offline":
        detail = "the built-in gazetteer; no other server is asked"
        return Finding(what="geocoder", ok=True, detail=detail)
    where = settings.geocoder_url or "its public server"
    pace = f"at most {settings.geocoder_per_minute} questions a minute from each process"
    return Finding(what="geocoder", ok=True, detail=f"{settings.geocoder} at {where}, {pace}")


async def _mail(settings: Settings) -> Finding:
    url = settings.smtp_url.get_secret_value()
    if not url:
        folder = (settings.data_dir / mailer.FOLDER).absolute()
        advice = "set TURNOUT_SMTP_URL, or read them there"
        detail = f"no mail leaves: each is kept as a file in {folder}; {advice}"
        return Finding(what="mail", ok=True, detail=detail)
    try:
        sender = sender_of(settings.mail_from, settings.base_url)
        said = await smtp.probe(MailServer.parse(url, sender.addr_spec))
    except (ServerAway, ValueError) as error:
        return Finding(what="mail", ok=False, detail=str(error))
    return Finding(what="mail", ok=True, detail=f"leaves {said}")


async def _administrators(database: Database) -> Finding:
    async with database.read() as db:
        has_admin = await bootstrap.has_admin(db)
    detail = "there is one" if has_admin else "there is none yet: turnout serve prints how to be it"
    return Finding(what="administrator", ok=True, detail=detail)


async def _durability(database: Database) -> Finding:
    try:
        await database.check_durability()
    except NotDurableError as error:
        return Finding(what="durability", ok=False, detail=str(error))
    return Finding(what="durability", ok=True, detail="what is acknowledged survives a crash")
