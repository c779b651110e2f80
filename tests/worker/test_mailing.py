"""What becomes of mails when the server takes them, refuses them, is slow, or is away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, select, update
from tests.db import rows
from tests.factories import a_person, make_event, register
from tests.notifications.dispatching import dispatched
from tests.support.app import RunningApp, running
from tests.support.smtp import SmtpServer

from turnout import clock
from turnout.outbox.models import Delivery
from turnout.settings import Settings
from turnout.worker import loop, mailing

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer.start() as server:
        yield server


@asynccontextmanager
async def working(settings: Settings, smtp: SmtpServer) -> AsyncIterator[RunningApp]:
    """The product and its worker, with that mail server."""
    known = {**settings.model_dump(), "smtp_url": smtp.url, "settle_seconds": 0}
    async with running(Settings.model_validate(known)) as app, loop.running(app.runtime):
        yield app


async def joined(app: RunningApp, *emails: str) -> str:
    """The id of a new event for which these have registered."""
    async with app.client() as api:
        event = await make_event(api)
        for email in emails:
            assert (await register(api, event["id"], email=email)).status_code == 201
    return str(event["id"])


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(rows.LONGEST_WAIT_SECONDS):
        while not holds():  # noqa: ASYNC110 - a process has no event
            await asyncio.sleep(0.01)


async def delivery(app: RunningApp, address: str) -> Any:
    """Outcome, tries, last error and due time of the one mail to an address."""
    columns = Delivery.outcome, Delivery.tries, Delivery.last_error, Delivery.due_at
    query = select(*columns).where(Delivery.address == address)
    [found] = await rows.read(app.runtime.database, query)
    return found


async def until_tried(app: RunningApp, address: str) -> Any:
    """The same, once it has been tried, and is in nobody's hands."""
    is_done = (
        (Delivery.address == address) & Delivery.claim.is_(None) & Delivery.last_error.is_not(None)
    )
    await until_any(app, is_done)
    return await delivery(app, address)


async def until_any(app: RunningApp, condition: ColumnElement[bool]) -> None:
    """Until there is a delivery that meets the condition."""
    async with asyncio.timeout(rows.LONGEST_WAIT_SECONDS):
        while not await rows.count(app.runtime.database, Delivery, condition):  # noqa: ASYNC110 - a row has no event
            await asyncio.sleep(0.02)


async def test_mail_that_is_taken_is_sent_once(settings: Settings, smtp: SmtpServer) -> None:
    async with working(settings, smtp) as app:
        await joined(app, ADA)
        await until(lambda: len(smtp.accepted()) == 1)
        await until_any(app, Delivery.finished_at.is_not(None))
        found = await delivery(app, ADA)

    assert found[:3] == ("sent", 1, None)
    assert [each.recipient for each in smtp.accepted()] == [ADA]


async def test_refusal_for_good_ends_it_and_holds_up_nobody(
    settings: Settings, smtp: SmtpServer
) -> None:
    smtp.behave(recipients={ADA: "550 5.1.1 No such user"})
    async with working(settings, smtp) as app:
        await joined(app, ADA, BOB)
        found = await until_tried(app, ADA)
        await until(lambda: [each.recipient for each in smtp.accepted()] == [BOB])

    assert found[:2] == ("dead", 1)
    assert "550" in found[2]


async def test_refusal_for_now_is_tried_again_later(settings: Settings, smtp: SmtpServer) -> None:
    smtp.behave(recipients={ADA: "450 4.2.1 Greylisted"})
    async with working(settings, smtp) as app:
        await joined(app, ADA)
        outcome, tries, error, due_at = await until_tried(app, ADA)
        wait = due_at - clock.now()
        smtp.behave()
        mine = update(Delivery).where(Delivery.address == ADA)
        await rows.change(app.runtime.database, mine.values(due_at=clock.now()))
        await until(lambda: len(smtp.accepted()) == 1)

    assert (outcome, tries) == (None, 1)
    assert "450" in error
    assert timedelta(seconds=40) < wait < timedelta(seconds=80)


async def test_server_that_is_away_costs_no_try_and_is_asked_again(
    settings: Settings, smtp: SmtpServer
) -> None:
    smtp.kill()
    async with working(settings, smtp) as app:
        await joined(app, ADA, BOB)
        outcome, tries, _, _ = await until_tried(app, ADA)
        smtp.restart()
        await until(lambda: {each.recipient for each in smtp.accepted()} == {ADA, BOB})

    assert (outcome, tries) == (None, 0)


async def test_mail_that_no_server_took_for_days_is_given_up(
    settings: Settings, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailing, "OLDEST", timedelta())
    smtp.kill()
    async with working(settings, smtp) as app:
        await joined(app, ADA)
        outcome, *_ = await until_tried(app, ADA)

    assert outcome == "dead"


async def test_mailing_to_many_on_a_slow_server_does_not_delay_a_confirmation(
    settings: Settings, smtp: SmtpServer
) -> None:
    crowd = [a_person(n)["email"] for n in range(45)]
    async with working(settings, smtp) as app:
        event_id = await joined(app, *crowd)
        await until(lambda: len(smtp.accepted()) == len(crowd))
        smtp.behave(slow_seconds=5.0, slow_recipients=crowd)
        async with app.client() as api:
            done = await api.post(f"/events/{event_id}/cancel", json={"reason": "Rain"})
        assert done.status_code == 200
        is_held = (Delivery.kind == "event-cancelled") & Delivery.claim.is_not(None)
        await until_any(app, is_held)
        await joined(app, BOB)
        await until(lambda: BOB in {each.recipient for each in smtp.accepted()})
        before_it = len(smtp.accepted()) - len(crowd) - 1

    assert before_it < len(crowd) // 2


@pytest.mark.parametrize(
    "spoilt",
    [{"kind": "no kind"}, {"kind": "event-cancelled", "data": {"event": {"id": "none"}}}],
    ids=["kind", "data"],
)
async def test_mail_that_cannot_be_written_is_parked_and_holds_up_no_other(
    settings: Settings, smtp: SmtpServer, spoilt: dict[str, Any]
) -> None:
    async with running(settings) as app:
        await joined(app, ADA, BOB)
        await dispatched(app)
        of_ada = Delivery.address == ADA
        [(ada,)] = await rows.read(app.runtime.database, select(Delivery.id).where(of_ada))
        await rows.change(app.runtime.database, update(Delivery).where(of_ada).values(**spoilt))
    async with working(settings, smtp) as app:
        await until_any(app, (Delivery.id == ada) & Delivery.finished_at.is_not(None))
        await until(lambda: [each.recipient for each in smtp.accepted()] == [BOB])
        columns = Delivery.outcome, Delivery.tries, Delivery.last_error
        query = select(*columns).where(Delivery.id == ada)
        [found] = await rows.read(app.runtime.database, query)

    assert found[:2] == ("dead", 1)
    assert found[2].startswith("it could not be written: ")
