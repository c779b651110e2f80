"""`turnout data`: events from files and into files. Says what became of each row."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from turnout.accounts import queries as account_queries
from turnout.accounts import service as accounts
from turnout.accounts.actor import Actor
from turnout.cli import user_errors
from turnout.cli.data import (
    exporting,
    files,
    importing,
    progress,
    reindexing,
    report,
    retiming,
    sources,
)
from turnout.cli.data.files import Form
from turnout.cli.data.importing import Outcome, Owner
from turnout.cli.data.records import Refused, Row, Skipped, Taken
from turnout.cli.data.reindexing import Reindexed
from turnout.cli.data.retiming import Summary
from turnout.cli.data.sources import Source
from turnout.db.session import Database, Db
from turnout.errors import Invalid
from turnout.fields import canonical_email
from turnout.migrations import schema
from turnout.settings import Settings

app = typer.Typer(
    help="Events from files and into files.", no_args_is_help=True, add_completion=False
)

STREAM = "-"
INTERRUPTED = 130
"""The exit status that a shell gives to what Ctrl-C ended."""


class NoOwner(Exception):
    """There is no account that could own what is imported; the message is one clear line."""


@app.command("import")
def import_(
    file: Annotated[
        str,
        typer.Argument(help="A JSON or CSV file or a calendar (.ics), or - for standard input."),
    ],
    form: Annotated[
        Form | None, typer.Option("--format", help="What is in it, where its name does not say.")
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="Address of the account to own the events (else the built-in one)."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try it, and write nothing.")] = False,
    details: Annotated[
        bool, typer.Option("--details", help="Show each remark on each row.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Make events of the rows of a file, or of a calendar; those made before are known again.

    Ends with 1 where rows were refused, and with 2 where the file cannot be used.
    """
    settings = user_errors.settings_or_fail()
    try:
        source = _source_or_fail(file, form)
        with _database_for_import(settings, dry_run=dry_run) as url:
            read = _understood(source, settings.default_timezone, file)
            outcome = user_errors.run(lambda: _import(settings, url, owner, read, dry_run=dry_run))
    except NoOwner as error:
        user_errors.fail(str(error))
    except KeyboardInterrupt:
        print("turnout: interrupted; the same command goes on where it was", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    if as_json:
        sys.stdout.write(report.as_json(outcome, dry_run=dry_run, details=details).decode())
    else:
        lines = report.as_text(outcome, dry_run=dry_run, details=details, unit=source.unit)
        print("\n".join(lines))
    if outcome.refused:
        raise SystemExit(1)


@app.command("export")
def export(
    file: Annotated[str, typer.Argument(help="Where to; - is standard output.")] = STREAM,
    form: Annotated[
        Form | None, typer.Option("--format", help="json, csv or ics, where the name does not say.")
    ] = None,
) -> None:
    """Write all events, in a form that `turnout data import` reads.

    A calendar (ics) is for other programs: it has neither seats nor agenda.
    """
    settings = user_errors.settings_or_fail()
    path = None if file == STREAM else Path(file)
    if path is not None and path.exists() and not path.is_file():
        user_errors.fail(f"{file} is not a file; without a name it goes to standard output")
    _require_schema(settings)
    target = nullcontext(sys.stdout.buffer) if path is None else exporting.replacing(path)
    try:
        count = user_errors.run(lambda: _export(settings, target, form or files.form_of(file)))
    except OSError as error:
        user_errors.fail(f"cannot write {file}: {error.strerror}")
    if count is None:
        # Whoever read has enough (`| head`); at its end Python would flush, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1)
    print(f"Events: {count:,}", file=sys.stderr)


@app.command("retime")
def retime(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would move, and write nothing.")
    ] = False,
) -> None:
    """Find the instants of events that are to come anew, from their wall clocks.

    The server does it at its start when it has a newer tz database. What has happened stays. Ends
    with 1 where an event would contradict itself and was left alone.
    """
    settings = user_errors.settings_or_fail()
    _require_schema(settings)
    found = user_errors.run(lambda: _retime(settings, dry_run=dry_run))
    print(retiming.said(found))
    if found.left:
        raise SystemExit(1)


@app.command("reindex")
def reindex() -> None:
    """Derive anew what events are found by, after an upgrade that changed how words are read.

    It may run while the server serves, and more than once. Nothing that anyone wrote changes.
    """
    settings = user_errors.settings_or_fail()
    _require_schema(settings)
    done = user_errors.run(lambda: _reindex(settings))
    print(f"Events: {done.events:,}\nChanged: {done.changed:,}")


def _source_or_fail(file: str, form: Form | None) -> Source:
    try:
        data = sys.stdin.buffer.read() if file == STREAM else Path(file).read_bytes()
        return sources.opened(data, form or files.form_of(file, data))
    except OSError as error:
        user_errors.fail(f"cannot read {file}: {error.strerror}")
    except Invalid as error:
        user_errors.fail(f"cannot use {file}: {error.detail}")


def _database_for_import(settings: Settings, *, dry_run: bool) -> AbstractContextManager[str]:
    """The migrated database; for a trial that would have to make one, an empty one instead."""
    url = settings.database_url
    if not dry_run:
        before, after = user_errors.run(lambda: schema.upgrade(url))
        if before != after:
            print(f"Schema: {before or 'empty'} -> {after}", file=sys.stderr)
        return nullcontext(url)
    if user_errors.run(lambda: schema.current(url)) is None:
        return _empty_database()
    _require_schema(settings)
    return nullcontext(url)


@contextmanager
def _empty_database() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="turnout-trial-") as folder:
        url = f"sqlite:///{folder}/turnout.db"
        user_errors.run(lambda: schema.upgrade(url))
        yield url


def _require_schema(settings: Settings) -> None:
    revision, newest = user_errors.run(lambda: schema.current(settings.database_url)), schema.head()
    if revision != newest:
        user_errors.fail(
            f"the database is {f'at revision {revision}' if revision else 'empty or not there'}, "
            f"and this needs {newest}: run turnout schema upgrade"
        )


def _understood(source: Source, default_zone: str, file: str) -> list[Row]:
    """What each row is; this takes longer than writing it."""
    read: list[Row] = []
    try:
        with progress.bar("Reading", source.size) as advance:
            for row in source.read(default_zone):
                read.append(row)
                advance(1)
    except Invalid as error:
        user_errors.fail(f"cannot use {file}: {error.detail}")
    return read


async def _import(
    settings: Settings,
    url: str,
    owner: str | None,
    read: Sequence[Row],
    *,
    dry_run: bool,
) -> Outcome:
    database = Database(url, pgbouncer=settings.pgbouncer)
    try:
        taken = [row for row in read if isinstance(row, Taken)]
        find = await _owner(database, owner)
        with progress.bar("Writing", len(taken)) as advance:
            outcome = await importing.write(database, find, taken, dry_run=dry_run, on_set=advance)
    finally:
        await database.aclose()
    outcome.refused += [row for row in read if isinstance(row, Refused)]
    outcome.skipped += [row for row in read if isinstance(row, Skipped)]
    return outcome


async def _owner(database: Database, email: str | None) -> Owner:
    """How to come by the owner. Raises NoOwner for an address that cannot be one."""
    if email is None:
        return accounts.built_in_organizer
    async with database.read() as db:
        actor = await account_queries.by_email(db, canonical_email(email))
    if actor is None or not actor.may_organize:
        why = "there is no account with" if actor is None else "no organizer has"
        raise NoOwner(f"{why} the address {email}")

    async def find(_: Db, __: datetime) -> Actor:
        return actor

    return find


async def _reindex(settings: Settings) -> Reindexed:
    database = Database(settings.database_url, pgbouncer=settings.pgbouncer)
    try:
        with progress.bar("Reading") as advance:
            return await reindexing.reindex(database, advance)
    finally:
        await database.aclose()


async def _export(
    settings: Settings, target: AbstractContextManager[BinaryIO], form: Form
) -> int | None:
    """How many events were written, or None when whoever reads them has left."""
    database = Database(settings.database_url, pgbouncer=settings.pgbouncer)
    try:
        with target as file, progress.bar("Writing") as advance:
            count = await exporting.write(database, file, form, advance, settings.base_url)
            file.flush()
            return count
    except BrokenPipeError:
        return None
    finally:
        await database.aclose()


async def _retime(settings: Settings, *, dry_run: bool) -> Summary:
    database = Database(settings.database_url, pgbouncer=settings.pgbouncer)
    try:
        return await retiming.on_purpose(database, print, dry_run=dry_run)
    finally:
        await database.aclose()
