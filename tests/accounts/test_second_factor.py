"""The second factor through the API: set up, asked for, each code once, required of roles."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, text
from tests.accounts.calls import after, code_at, me, sign_in, signed_in, told, topics
from tests.db import rows
from tests.factories import an_event
from tests.support import cast
from tests.support.app import RunningApp, running
from tests.support.cast import Person

from turnout import clock
from turnout.accounts import second_factor
from turnout.accounts.errors import SecondFactorRequired
from turnout.accounts.models import RecoveryCode, User
from turnout.db.session import Database
from turnout.outbox.topics import Topic
from turnout.settings import Settings

FACTOR = "/users/me/second-factor"
REQUIRED = (401, "second-factor-required")
INVALID_CODE = (422, "invalid-code")
STATE = (409, "second-factor-state")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Someone with a second factor, which `used` was the first code of."""

    person: Person
    secret: str
    used: str
    codes: list[str]

    def code(self) -> str:
        """The next code, of the step to come: the clocks of devices may be ahead so much."""
        return code_at(self.secret, 1)


async def post(
    api: httpx2.AsyncClient, person: Person, path: str = "", code: str | None = None
) -> httpx2.Response:
    body = None if code is None else {"code": code}
    return await api.post(FACTOR + path, json=body, headers=person.bearer)


async def enrol(api: httpx2.AsyncClient, person: Person) -> Enrolled:
    secret = (await post(api, person)).json()["secret"]
    used = code_at(secret)
    answer = await post(api, person, "/confirm", used)
    assert answer.status_code == 200, answer.text
    return Enrolled(person, secret, used, answer.json()["recovery_codes"])


async def state(api: httpx2.AsyncClient, person: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(FACTOR, headers=person.bearer)).json()
    return found


@pytest.fixture
async def enrolled(closed_app: RunningApp, closed_api: httpx2.AsyncClient) -> Enrolled:
    return await enrol(closed_api, await cast.ada(closed_app))


@pytest.fixture
async def strict_app(closed_settings: Settings) -> AsyncIterator[RunningApp]:
    """A server on which organizers and administrators need a second factor."""
    roles = closed_settings.model_copy(update={"second_factor_roles": ("admin", "organizer")})
    async with running(roles) as started:
        yield started


async def test_second_factor_counts_once_it_is_confirmed(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    begun = await post(closed_api, ada)
    unconfirmed = [
        await sign_in(closed_api, ada.email),
        await closed_api.get("/users/me", headers=ada.bearer),
    ]
    before = await state(closed_api, ada)
    wrong = told(await post(closed_api, ada, "/confirm", "000000"))
    confirmed = await post(closed_api, ada, "/confirm", code_at(begun.json()["secret"]))

    told_once, codes = begun.json(), confirmed.json()["recovery_codes"]
    assert told_once.keys() == {"secret", "uri", "qr_svg"}
    assert told_once["uri"] == (
        f"otpauth://totp/Turnout:ada%40example.com?secret={told_once['secret']}&issuer=Turnout"
    )
    assert told_once["qr_svg"].startswith("<svg")
    assert begun.headers["cache-control"] == confirmed.headers["cache-control"] == "no-store"
    assert [answer.status_code for answer in unconfirmed] == [200, 200]
    assert before == {"enabled": False, "recovery_codes_left": 0}
    assert wrong == INVALID_CODE
    assert len(set(codes)) == 10
    assert await state(closed_api, ada) == {"enabled": True, "recovery_codes_left": 10}
    assert await topics(closed_app) == [Topic.SECOND_FACTOR_CHANGED]


async def test_sign_in_with_a_second_factor_takes_both(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, enrolled: Enrolled
) -> None:
    email, mallory = enrolled.person.email, await enrol(closed_api, await cast.mallory(closed_app))
    code = enrolled.code()

    missing = [await sign_in(closed_api, email, otp=otp) for otp in ("",)]
    missing.append(await sign_in(closed_api, email))
    wrong = [
        await sign_in(closed_api, email, otp=otp)
        for otp in ("000000", "x", "\x00", code[:-1], f"{code}0", mallory.code(), mallory.codes[0])
    ]
    wrong_password = await sign_in(closed_api, email, "another password", otp=code)
    right = await sign_in(closed_api, email, otp=f"{code[:3]} {code[3:]}")

    assert [told(answer) for answer in (*missing, *wrong)] == [REQUIRED] * 9
    assert told(wrong_password) == (401, "invalid-credentials")
    assert right.status_code == 200
    assert await me(closed_api, right.json()["access_token"]) == (200, None)


async def test_code_counts_once_however_fast_it_is_sent(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, enrolled: Enrolled
) -> None:
    email, code = enrolled.person.email, enrolled.code()

    async with closed_app.client() as here:
        answers = await asyncio.gather(
            *(sign_in((here, closed_api)[n % 2], email, otp=code) for n in range(6))
        )
    later = [await sign_in(closed_api, email, otp=each) for each in (code, enrolled.used)]
    with after(seconds=60):
        next_one = await sign_in(closed_api, email, otp=enrolled.code())

    assert sorted(map(told, answers)) == [(200, None)] + [REQUIRED] * 5
    assert [told(answer) for answer in later] == [REQUIRED] * 2
    assert next_one.status_code == 200


WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def waiting(app: RunningApp) -> int:
    """How many wait for a lock in the database."""
    ((count,),) = await rows.read(app.runtime.database, WAITING)
    return int(count)


@asynccontextmanager
async def account_held(app: RunningApp, url: str, who: Person, count: int) -> AsyncIterator[None]:
    """Hold an account's row, as another process would, until so many wait for it."""
    other, row = Database(url), select(User.id).where(User.id == who.id)
    try:
        async with other.write() as db:
            await db.execute(row.with_for_update())
            yield
            async with asyncio.timeout(rows.LONGEST_WAIT_SECONDS):
                while await waiting(app) != count:  # noqa: ASYNC110 - no event tells who waits
                    await asyncio.sleep(0.01)
    finally:
        await other.aclose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_code_counts_once_by_the_database_alone(
    closed_app: RunningApp, enrolled: Enrolled, database_url: str
) -> None:
    """As with several processes, which do not share the lock in memory before it.

    On SQLite they are one behind the other anyway.
    """
    runtime, person, now = closed_app.runtime, enrolled.person, clock.now()

    async def take(code: str) -> None:
        async with runtime.database.write() as db:
            await second_factor.require(db, runtime.seals, person.id, code, now)

    async with account_held(closed_app, database_url, person, 4):
        tasks = [asyncio.create_task(take(enrolled.code())) for _ in range(4)]
    found = await asyncio.gather(*tasks, return_exceptions=True)

    refused = [each for each in found if isinstance(each, SecondFactorRequired)]
    assert (len(refused), found.count(None)) == (3, 1)


async def test_recovery_code_counts_once_however_fast_it_is_sent(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, enrolled: Enrolled
) -> None:
    email, code = enrolled.person.email, enrolled.codes[3]
    typed = code.upper().replace("-", " ")

    async with closed_app.client() as here:
        answers = await asyncio.gather(
            *(
                sign_in((here, closed_api)[n % 2], email, otp=(code, typed)[n % 3 % 2])
                for n in range(6)
            )
        )
    another = await sign_in(closed_api, email, otp=enrolled.codes[4])

    assert sorted(map(told, answers)) == [(200, None)] + [REQUIRED] * 5
    assert another.status_code == 200
    left = await state(closed_api, enrolled.person)
    assert left == {"enabled": True, "recovery_codes_left": 8}


async def test_recovery_codes_are_renewed_by_a_code(
    closed_api: httpx2.AsyncClient, enrolled: Enrolled
) -> None:
    ada = enrolled.person
    refused = told(await post(closed_api, ada, "/recovery-codes", "000000"))
    renewed = await post(closed_api, ada, "/recovery-codes", enrolled.code())

    codes = renewed.json()["recovery_codes"]
    old, new = [
        await sign_in(closed_api, ada.email, otp=each[0]) for each in (enrolled.codes, codes)
    ]
    assert (refused, renewed.status_code) == (INVALID_CODE, 200)
    assert set(codes) & set(enrolled.codes) == set()
    assert (told(old), new.status_code) == (REQUIRED, 200)


@pytest.mark.parametrize("by", ["code", "recovery code"])
async def test_second_factor_is_taken_away_by_a_last_code(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, enrolled: Enrolled, by: str
) -> None:
    ada, code = enrolled.person, enrolled.code() if by == "code" else enrolled.codes[0]
    used = told(await post(closed_api, ada, "/disable", enrolled.used))

    answers = [told(await post(closed_api, ada, "/disable", code)) for _ in range(2)]

    left = await rows.count(closed_app.runtime.database, RecoveryCode)
    sealed = await rows.read(closed_app.runtime.database, select(User.totp_sealed_secret))
    assert used == INVALID_CODE
    assert answers == [(204, None), STATE]
    assert (left, sealed) == (0, [(None,)])
    assert (await sign_in(closed_api, ada.email)).status_code == 200
    assert await topics(closed_app) == [Topic.SECOND_FACTOR_CHANGED] * 2


async def test_second_factor_in_another_state_is_refused(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, enrolled: Enrolled
) -> None:
    ada, mallory = enrolled.person, await cast.mallory(closed_app)

    of_ada = [
        told(await post(closed_api, ada)),
        told(await post(closed_api, ada, "/confirm", enrolled.code())),
    ]
    of_mallory = [
        told(await post(closed_api, mallory, path, "000000"))
        for path in ("/confirm", "/disable", "/recovery-codes")
    ]

    assert of_ada == [STATE] * 2
    assert of_mallory == [STATE] * 3
    assert (await sign_in(closed_api, ada.email, otp=enrolled.code())).status_code == 200


async def test_second_factor_that_is_begun_again_forgets_the_first_secret(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    first, second = [(await post(closed_api, ada)).json()["secret"] for _ in range(2)]

    answers = [
        told(await post(closed_api, ada, "/confirm", code_at(each))) for each in (first, second)
    ]

    assert answers == [INVALID_CODE, (200, None)]


async def test_codes_that_are_wrong_count_as_failures_to_sign_in(
    closed_app: RunningApp, enrolled: Enrolled
) -> None:
    """Of one million codes three count at a time: nobody may try them all."""
    ada = enrolled.person
    async with closed_app.client() as api:
        tried = [told(await post(api, ada, "/disable", "000000")) for _ in range(20)]
        at_last = [
            told(await post(api, ada, "/disable", enrolled.code())),
            told(await sign_in(api, ada.email, otp=enrolled.code())),
        ]

    assert tried == [INVALID_CODE] * 20
    assert at_last == [(429, "rate-limited")] * 2


async def test_admin_takes_a_lost_second_factor_away(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, enrolled: Enrolled
) -> None:
    root, mallory, ada = (
        await cast.root(closed_app),
        await cast.mallory(closed_app),
        enrolled.person,
    )
    path = f"/users/{ada.id}/second-factor"

    refused = [told(await closed_api.delete(path, headers=who.bearer)) for who in (mallory, ada)]
    still = told(await sign_in(closed_api, ada.email))
    answer = await closed_api.delete(path, headers=root.bearer)

    assert refused == [(403, "not-allowed")] * 2
    assert (still, told(answer)) == (REQUIRED, (204, None))
    assert (await sign_in(closed_api, ada.email)).status_code == 200
    assert await state(closed_api, ada) == {"enabled": False, "recovery_codes_left": 0}


async def test_role_that_needs_a_second_factor_counts_once_there_is_one(
    strict_app: RunningApp,
) -> None:
    olive, root, ada = (
        await cast.olive(strict_app),
        await cast.root(strict_app),
        await cast.ada(strict_app),
    )
    async with strict_app.client() as api:
        asked = [
            await api.post("/events", json=an_event(), headers=olive.bearer),
            await api.get("/users", headers=root.bearer),
            await api.post("/events", json=an_event(), headers=root.bearer),
        ]
        of_attendee = [
            await me(api, olive.token),
            told(await api.post("/events", json=an_event(), headers=ada.bearer)),
        ]
        enrolled = [await enrol(api, person) for person in (olive, root)]
        allowed = [
            await api.post("/events", json=an_event(), headers=olive.bearer),
            await api.get("/users", headers=root.bearer),
        ]
        await post(api, olive, "/disable", enrolled[0].codes[0])
        again = await api.post("/events", json=an_event(), headers=olive.bearer)
        tokens = await signed_in(api, root.email, otp=enrolled[1].code())
        found = await me(api, tokens["access_token"])

    missing = (403, "second-factor-missing")
    assert [told(answer) for answer in asked] == [missing] * 3
    assert of_attendee == [(200, None), (403, "not-allowed")]
    assert [told(answer) for answer in allowed] == [(201, None), (200, None)]
    assert (told(again), found) == (missing, (200, None))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("POST", "/confirm"),
        ("POST", "/recovery-codes"),
        ("POST", "/disable"),
    ],
)
async def test_second_factor_of_nobody_is_refused(
    closed_api: httpx2.AsyncClient, method: str, path: str
) -> None:
    answer = await closed_api.request(method, FACTOR + path, content=b"{")

    assert told(answer) == (401, "unauthenticated")
