"""What is kept for someone who signed in counts no longer than they do, on any process."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import time_machine
from sqlalchemy import update
from tests.db import rows
from tests.factories import make_event
from tests.support import cast
from tests.support.app import RunningApp, running
from tests.support.cast import CAUSE, Person

from turnout import clock
from turnout.accounts import api_tokens, sign_ins, users
from turnout.accounts.access_tokens import LIFETIME
from turnout.accounts.actor import Role, Scope
from turnout.accounts.api_tokens import TokenDraft
from turnout.accounts.models import SignIn
from turnout.db.session import Db
from turnout.settings import Settings

START = datetime(2027, 3, 1, 12, tzinfo=UTC)
IN_TEN_MINUTES = timedelta(minutes=10)
MOMENT = timedelta(microseconds=1)

Headers = dict[str, str]
Credential = Callable[[RunningApp, Person], Awaitable[Headers]]
Change = Callable[[Db, Person], Awaitable[None]]


def was_kept(answer: httpx2.Response) -> bool:
    """Whether it was given without asking anything but the version: who builds one counts it."""
    return "ratelimit" not in answer.headers


async def hidden_event(app: RunningApp, owner: Person) -> str:
    """The path of an event that its owner alone may know of."""
    async with owner.api(app) as api:
        return f"/events/{(await make_event(api, name='Hidden', draft=True))['id']}"


async def by_access_token(_: RunningApp, person: Person) -> Headers:
    return person.bearer


async def by_cookie(_: RunningApp, person: Person) -> Headers:
    return person.page


async def by_api_token(app: RunningApp, person: Person) -> Headers:
    wanted = TokenDraft("reader", (Scope.EVENTS_READ,), clock.now() + IN_TEN_MINUTES)
    async with app.runtime.database.write() as db:
        _, token = await api_tokens.create(db, person.id, CAUSE, wanted, clock.now())
    return {"Authorization": f"Bearer {token}"}


async def sign_out(db: Db, person: Person) -> None:
    await sign_ins.end_all(db, person.id, clock.now())
    await api_tokens.revoke_all(db, person.id, clock.now())


async def disable(db: Db, person: Person) -> None:
    user = await users.by_id(db, person.id)
    await users.change(db, user, {"is_active": False}, CAUSE, clock.now())


async def make_attendee(db: Db, person: Person) -> None:
    user = await users.by_id(db, person.id)
    await users.change(db, user, {"role": Role.ATTENDEE}, CAUSE, clock.now())


CREDENTIALS: list[Credential] = [by_access_token, by_cookie, by_api_token]
CHANGES: list[tuple[Change, int]] = [(sign_out, 401), (disable, 401), (make_attendee, 404)]


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize(("change", "status"), CHANGES)
async def test_answer_kept_for_a_caller_ends_with_what_another_process_takes_from_them(
    closed_app: RunningApp,
    closed_settings: Settings,
    credential: Credential,
    change: Change,
    status: int,
) -> None:
    olive = await cast.olive(closed_app)
    path, headers = await hidden_event(closed_app, olive), await credential(closed_app, olive)

    async with closed_app.client(headers=headers) as api:
        before = [await api.get(path) for _ in range(2)]
        async with running(closed_settings) as other, other.runtime.database.write() as db:
            await change(db, olive)
        after = await api.get(path)

    assert [(each.status_code, was_kept(each)) for each in before] == [(200, False), (200, True)]
    assert before[1].content == before[0].content
    assert (after.status_code, after.headers["cache-control"]) == (status, "no-store")
    assert "Hidden" not in after.text


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_answer_kept_for_a_caller_is_given_to_nobody_else(
    closed_app: RunningApp, credential: Credential
) -> None:
    olive, mallory = await cast.olive(closed_app), await cast.mallory(closed_app)
    path, headers = await hidden_event(closed_app, olive), await credential(closed_app, olive)
    others = [{}, mallory.bearer, mallory.page, await by_api_token(closed_app, mallory)]

    async with closed_app.client() as api:
        mine = [await api.get(path, headers=headers) for _ in range(2)]
        theirs = [await api.get(path, headers=each) for each in others for _ in range(2)]
        mine_again = await api.get(path, headers=headers)

    assert [was_kept(each) for each in (*mine, mine_again)] == [False, True, True]
    assert [each.json()["code"] for each in theirs] == ["not-found"] * 8
    assert [each.status_code for each in theirs] == [404] * 8


@pytest.mark.parametrize(
    ("credential", "sign_in_lasts", "ends_after"),
    [
        (by_access_token, LIFETIME * 2, LIFETIME),
        (by_access_token, IN_TEN_MINUTES, IN_TEN_MINUTES),
        (by_cookie, IN_TEN_MINUTES, IN_TEN_MINUTES),
        (by_api_token, LIFETIME * 2, IN_TEN_MINUTES),
    ],
)
async def test_answer_kept_for_a_caller_ends_with_their_credential(
    closed_app: RunningApp,
    credential: Credential,
    sign_in_lasts: timedelta,
    ends_after: timedelta,
) -> None:
    with time_machine.travel(START, tick=False):
        olive = await cast.olive(closed_app)
        path, headers = await hidden_event(closed_app, olive), await credential(closed_app, olive)
    ends = update(SignIn).values(expires_at=START + sign_in_lasts)
    await rows.change(closed_app.runtime.database, ends)

    answers = []
    async with closed_app.client(headers=headers) as api:
        for passed in (timedelta(0), ends_after - MOMENT, ends_after):
            with time_machine.travel(START + passed, tick=False):
                answers.append(await api.get(path))

    assert [answer.status_code for answer in answers] == [200, 200, 401]
    assert [was_kept(answer) for answer in answers[:2]] == [False, True]
    assert "Hidden" not in answers[2].text
