"""Workers are killed in the midst of sending: no mail is lost, and few are sent a second time.

Whatever is sent twice was in the hands of the one who was killed, and has the same Message-ID.
"""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from tests.db import rows
from tests.factories import a_person, make_event, register
from tests.support.app import RunningApp, running
from tests.support.processes import environment
from tests.support.smtp import SmtpServer

from turnout import clock
from turnout.outbox import outbox
from turnout.outbox.models import Delivery, OutboxMessage
from turnout.outbox.topics import Topic
from turnout.settings import Settings
from turnout.worker.mailing import WINDOW

PEOPLE, FEW = 300, 20
KILLS = 3
TURNOUT = Path(sys.executable).with_name("turnout")


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer.start() as server:
        yield server


class Worker:
    """A `turnout work` of its own."""

    def __init__(self, settings: Settings, smtp: SmtpServer) -> None:
        known = {
            "TURNOUT_DATABASE_URL": settings.database_url,
            "TURNOUT_DATA_DIR": str(settings.data_dir),
            "TURNOUT_BASE_URL": settings.base_url,
            "TURNOUT_SECRET_KEY": settings.secret_key.get_secret_value(),
            "TURNOUT_SMTP_URL": smtp.url,
            "TURNOUT_LOG_FORMAT": "json",
        }
        self.process = subprocess.Popen(
            [TURNOUT, "work"],
            env=environment(known),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextlib.contextmanager
def worker(settings: Settings, smtp: SmtpServer) -> Iterator[Worker]:
    started = Worker(settings, smtp)
    try:
        yield started
    finally:
        started.kill()


async def crowd(app: RunningApp, size: int = PEOPLE) -> list[str]:
    """The addresses of many who have registered, and of whom nobody was told yet."""
    people = [a_person(n) for n in range(size)]
    async with app.client() as api:
        event = await make_event(api, max_capacity=size)
        for n in range(0, size, 50):
            done = (register(api, event["id"], **person) for person in people[n : n + 50])
            answers = await asyncio.gather(*done)
            assert {each.status_code for each in answers} == {201}
    return [person["email"] for person in people]


async def let_leases_end(app: RunningApp) -> None:
    """What a killed worker had in hand is due, as it would be a minute and a half later."""
    mine = update(Delivery).where(Delivery.claim.is_not(None))
    await rows.change(app.runtime.database, mine.values(due_at=clock.now()))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - a process has no event
            await asyncio.sleep(0.01)


def repeated(smtp: SmtpServer) -> int:
    """How many mails were sent more than once; fails where the same mail had another id."""
    taken = smtp.accepted()
    ids = {(each.recipient, each.message_id) for each in taken}
    assert len(ids) == len({each.recipient for each in taken})
    return sum(count - 1 for count in Counter(each.recipient for each in taken).values())


async def test_no_mail_is_lost_by_workers_that_are_killed(
    settings: Settings, smtp: SmtpServer
) -> None:
    async with running(settings) as app:
        addresses = await crowd(app)
        for n in range(1, KILLS + 1):
            with worker(settings, smtp) as one:
                enough = n * PEOPLE // (KILLS + 2)
                await until(lambda enough=enough: len(smtp.accepted()) >= enough)  # type: ignore[misc]  # a default binds it
                one.kill()
            await let_leases_end(app)
        with worker(settings, smtp) as last:
            await until(lambda: {each.recipient for each in smtp.accepted()} == set(addresses))
            await rows_end(app)
            code = last.stop()

    assert repeated(smtp) <= KILLS * WINDOW
    assert code == 0


async def test_mail_that_was_taken_and_not_marked_goes_once_more_under_the_same_id(
    settings: Settings, smtp: SmtpServer
) -> None:
    """The worker is killed between the 250 of the mail server and its own mark."""
    smtp.behave(slow_seconds=0.5)
    async with running(settings) as app:
        database = app.runtime.database
        addresses = await crowd(app, FEW)
        with worker(settings, smtp) as one:
            await until_claimed(app)
            # Nobody can mark anything while this lasts.
            async with database.write() as db:
                if not database.is_sqlite:
                    await db.execute(text("LOCK TABLE deliveries IN EXCLUSIVE MODE"))
                is_open = select(Delivery.address).where(Delivery.finished_at.is_(None))
                unmarked = [str(each) for each in await db.scalars(is_open)]
                await until(lambda: {each.recipient for each in smtp.accepted()} == set(addresses))
                await asyncio.sleep(1.0)  # until the last answer has come
                one.kill()
        first = {each.recipient: each.message_id for each in smtp.accepted()}
        await let_leases_end(app)
        smtp.behave()
        with worker(settings, smtp):
            await rows_end(app)
        again = smtp.accepted()[len(addresses) :]

    assert unmarked
    assert sorted(each.recipient for each in again) == sorted(unmarked)
    assert [each.message_id for each in again] == [first[each.recipient] for each in again]


async def test_two_workers_share_the_mails_and_a_stopped_one_repeats_none(
    settings: Settings, smtp: SmtpServer
) -> None:
    async with running(settings) as app:
        addresses = await crowd(app)
        with worker(settings, smtp) as one, worker(settings, smtp):
            await until(lambda: len(smtp.accepted()) >= PEOPLE // 3)
            code = one.stop()
            await until(lambda: {each.recipient for each in smtp.accepted()} == set(addresses))
            await rows_end(app)

    assert (repeated(smtp), code) == (0, 0)
    assert len({each.connection for each in smtp.accepted()}) > 1


async def test_mail_server_that_dies_and_refuses_loses_nothing_either(
    settings: Settings, smtp: SmtpServer
) -> None:
    smtp.behave(recipients={"person7@example.com": "550 5.1.1 No such user"})
    async with running(settings) as app:
        addresses = await crowd(app)
        with worker(settings, smtp):
            await until(lambda: len(smtp.accepted()) >= PEOPLE // 4)
            smtp.restart()
            await until(lambda: len(smtp.accepted()) >= PEOPLE // 2)
            smtp.behave(
                breaks_after_content="first", recipients={"person7@example.com": "550 5.1.1 No"}
            )
            left = set(addresses) - {"person7@example.com"}
            await until(lambda: len(smtp.accepted()) >= PEOPLE - 60)
            smtp.behave(recipients={"person7@example.com": "550 5.1.1 No"})
            await hurry(app)
        dead = await rows.count(app.runtime.database, Delivery, Delivery.outcome == "dead")

    assert {each.recipient for each in smtp.accepted()} == left
    assert (dead, repeated(smtp) > 0) == (1, True)


async def test_message_of_a_transaction_that_was_rolled_back_reaches_nobody(
    settings: Settings, smtp: SmtpServer
) -> None:
    async with running(settings) as app:
        database = app.runtime.database
        with contextlib.suppress(ZeroDivisionError):
            async with database.write() as db:
                told = outbox.Message(clock.now(), Topic.EVENT_CREATED, None, None, {})
                outbox.add(db, [told])
                raise ZeroDivisionError
        addresses = await crowd(app)
        with worker(settings, smtp):
            await until(lambda: len(smtp.accepted()) >= PEOPLE)
            await rows_end(app)
        messages = await rows.count(database, OutboxMessage)

    assert sorted(each.recipient for each in smtp.accepted()) == sorted(addresses)
    assert messages == PEOPLE + 1


async def until_claimed(app: RunningApp) -> None:
    """Until the worker has mails in hand."""
    async with asyncio.timeout(30):
        while not await rows.count(app.runtime.database, Delivery, Delivery.claim.is_not(None)):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)


async def rows_end(app: RunningApp) -> None:
    """Until every delivery has ended in the database as well."""
    async with asyncio.timeout(30):
        is_open = Delivery.finished_at.is_(None)
        while await rows.count(app.runtime.database, Delivery, is_open):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


async def hurry(app: RunningApp) -> None:
    """Until every delivery has ended, with the waits of those to be tried again cut short."""
    async with asyncio.timeout(60):
        while await rows.count(app.runtime.database, Delivery, Delivery.finished_at.is_(None)):
            waiting = update(Delivery).where(
                Delivery.claim.is_(None), Delivery.due_at > clock.now() + timedelta(seconds=5)
            )
            await rows.change(app.runtime.database, waiting.values(due_at=clock.now()))
            await asyncio.sleep(0.2)
