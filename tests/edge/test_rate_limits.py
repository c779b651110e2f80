"""Rate limits through the whole product: who is counted by what, and what they are told."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from tests.accounts.calls import NEW_PASSWORD, shape, sign_in, told
from tests.edge.small_limits import HALL, HOME, LIMITED, WRONG, client, limit_told, limited
from tests.factories import make_event, register
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import PASSWORD

from turnout.settings import Settings

# What is counted is in memory; the database cannot matter to it.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NOBODY = (401, "unauthenticated")


@pytest.fixture
async def app(closed_settings: Settings) -> AsyncIterator[RunningApp]:
    async with limited(closed_settings) as started:
        yield started


async def asked(
    api: httpx2.AsyncClient, times: int = 1, *, forwarded: str | None = None
) -> list[tuple[int, str | None]]:
    """How a call that is counted is answered, again and again."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return [told(await api.get("/users/me", headers=headers)) for _ in range(times)]


async def test_counted_answers_tell_what_is_left(app: RunningApp) -> None:
    ada = await cast.ada(app)

    async with client(app) as api:
        answers = [await api.get("/users/me", headers=ada.bearer) for _ in range(3)]
        anonymous = await api.get("/users/me")
        uncounted = await api.get("/health/live")

    policy = '"requests";q=3;w=60'
    assert [limit_told(each) for each in answers] == [
        (policy, "requests", left) for left in (2, 1, 0)
    ]
    assert limit_told(anonymous) == ('"anonymous";q=9;w=60', "anonymous", 8)
    assert "ratelimit" not in uncounted.headers


async def test_account_that_asks_too_often_is_refused_wherever_it_is(app: RunningApp) -> None:
    ada, olive = await cast.ada(app), await cast.olive(app)
    async with client(app, HALL) as hall, client(app, HOME) as home:
        used = [await hall.get("/users/me", headers=ada.bearer) for _ in range(3)]

        refused = await hall.get("/users/me", headers=ada.bearer)
        elsewhere = await home.get("/events", headers={"Cookie": ada.page["Cookie"]})
        others = [await hall.get("/users/me", headers=olive.bearer), await hall.get("/users/me")]

    wait = refused.headers["retry-after"]
    assert [each.status_code for each in used] == [200] * 3
    assert (refused.headers["ratelimit-policy"], refused.headers["ratelimit"]) == (
        '"requests";q=3;w=60', f'"requests";r=0;t={wait}',
    )  # fmt: skip
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json() == {
        "type": "/problems/rate-limited",
        "title": "You ask too often",
        "status": 429,
        "detail": f"At most 3 are taken in 60 seconds. Try again in {wait} seconds.",
        "instance": refused.headers["x-request-id"],
        "code": "rate-limited",
        "retry_after_seconds": int(wait),
    }
    assert told(elsewhere) == LIMITED
    assert [each.status_code for each in others] == [200, 401]


async def test_who_has_no_account_is_counted_by_address(app: RunningApp) -> None:
    ada = await cast.ada(app)
    async with client(app, HALL) as hall, client(app, HOME) as home:
        answers = await asked(hall, times=10)
        elsewhere, signed_in = await asked(home), await hall.get("/users/me", headers=ada.bearer)

    assert answers == [*[NOBODY] * 9, LIMITED]
    assert (elsewhere, signed_in.status_code) == ([NOBODY], 200)


async def test_network_of_ipv6_is_one_client(app: RunningApp) -> None:
    async with (
        client(app, "2001:db8:0:1::5") as one,
        client(app, "2001:db8:0:1:ffff::6") as same,
        client(app, "2001:db8:0:2::5") as other,
    ):
        await asked(one, times=9)

        answers = [*await asked(same), *await asked(other)]

    assert answers == [LIMITED, NOBODY]


async def test_forwarded_address_of_a_stranger_changes_nothing(app: RunningApp) -> None:
    async with client(app) as api:
        await asked(api, times=9)

        answers = [await asked(api, forwarded=f"192.0.2.{n}") for n in range(3)]

    assert answers == [[LIMITED]] * 3


async def test_forwarded_address_behind_a_configured_proxy_is_the_client(
    closed_settings: Settings,
) -> None:
    proxied = closed_settings.model_copy(update={"trusted_proxies": ("10.0.0.0/8",)})
    async with (
        limited(proxied) as app,
        client(app, "10.0.0.1") as proxy,
        client(app, HOME) as direct,
    ):
        # What the client itself has sent stands first, and is nobody's word.
        for n in range(9):
            await asked(proxy, forwarded=f"192.0.2.{n}, {HALL}, 10.0.0.9")

        answers = [
            *await asked(proxy, forwarded=HALL),
            *await asked(proxy, forwarded=HOME),
            *await asked(direct, times=8, forwarded=HALL),
            *await asked(direct),
        ]

    assert answers == [LIMITED, *[NOBODY] * 9, LIMITED]


async def test_failures_to_sign_in_are_counted_by_account(app: RunningApp) -> None:
    ada, olive = await cast.ada(app), await cast.olive(app)
    async with client(app, HALL) as hall, client(app, HOME) as home:
        failed = [told(await sign_in(hall, ada.email, "wrong")) for _ in range(2)]

        right = await sign_in(hall, ada.email.upper())
        elsewhere = await sign_in(home, ada.email)
        other = await sign_in(hall, olive.email)
        still_in = await home.get("/users/me", headers=ada.bearer)

    assert failed == [WRONG] * 2
    assert (told(right), told(elsewhere)) == (LIMITED, LIMITED)
    assert limit_told(right) == ('"sign-in-account";q=2;w=900', "sign-in-account", 0)
    assert int(right.headers["retry-after"]) >= 1
    assert (other.status_code, still_in.status_code) == (200, 200)


async def test_failures_to_sign_in_at_once_are_all_counted(app: RunningApp) -> None:
    ada = await cast.ada(app)
    async with client(app) as api:
        attempts = [sign_in(api, ada.email, "wrong") for _ in range(6)]
        answers = [told(answer) for answer in await asyncio.gather(*attempts)]

    assert sorted(answers) == [*[WRONG] * 2, *[LIMITED] * 4]


async def test_sign_ins_that_succeed_are_no_failures(app: RunningApp) -> None:
    ada = await cast.ada(app)
    async with client(app) as api:
        await sign_in(api, ada.email, "wrong")
        answers = [await sign_in(api, ada.email) for _ in range(4)]

        last = [told(await sign_in(api, ada.email, "wrong")) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert last == [WRONG, LIMITED]


async def test_failures_for_an_unknown_address_count_alike(app: RunningApp) -> None:
    ada = await cast.ada(app)

    answers = []
    for n, email in enumerate((ada.email, "nobody@example.com")):
        async with client(app, f"192.0.2.{n}") as api:
            answers.append([await sign_in(api, email, "wrong") for _ in range(3)])

    known, unknown = ([shape(each) for each in of_one] for of_one in answers)
    assert [each.status_code for each in answers[0]] == [401, 401, 429]
    assert known == unknown


async def test_failures_to_sign_in_are_counted_by_address(app: RunningApp) -> None:
    ada = await cast.ada(app)
    async with client(app, HALL) as hall, client(app, HOME) as home:
        failed = [told(await sign_in(hall, f"a{n}@example.com", "wrong")) for n in range(4)]

        there, elsewhere = await sign_in(hall, ada.email), await sign_in(home, ada.email)
        page = await hall.post("/login", data={"email": ada.email, "password": PASSWORD})

    assert failed == [WRONG] * 4
    assert (told(there), elsewhere.status_code) == (LIMITED, 200)
    assert (page.status_code, int(page.headers["retry-after"]) >= 1) == (429, True)
    assert limit_told(page)[1:] == limit_told(there)[1:] == ("sign-in-address", 0)


async def test_failures_on_the_page_and_in_a_profile_count_as_well(app: RunningApp) -> None:
    ada = await cast.ada(app)
    async with client(app) as api:
        form = {"email": ada.email, "password": "wrong"}
        on_page = await api.post("/login", data=form)
        body = {"password": NEW_PASSWORD, "current_password": "wrong"}
        in_profile = await api.patch("/users/me", json=body, headers=ada.bearer)

        answers = [
            await api.post("/login", data={**form, "password": PASSWORD}),
            await api.patch(
                "/users/me", json={**body, "current_password": PASSWORD}, headers=ada.bearer
            ),
            await sign_in(api, ada.email),
        ]

    assert (on_page.status_code, told(in_profile)) == (401, (422, "wrong-password"))
    assert [answer.status_code for answer in answers] == [429] * 3


async def test_accounts_made_are_counted_by_address(app: RunningApp) -> None:
    async def sign_up(api: httpx2.AsyncClient, n: int) -> httpx2.Response:
        body = {"email": f"a{n}@example.com", "name": "A", "password": PASSWORD}
        return await api.post("/auth/sign-up", json=body)

    async with client(app, HALL) as hall, client(app, HOME) as home:
        made = [await sign_up(hall, n) for n in range(2)]
        refused, elsewhere = await sign_up(hall, 2), await sign_up(home, 3)

    policy = '"sign-up";q=2;w=3600'
    assert [each.status_code for each in (*made, elsewhere)] == [202] * 3
    assert [limit_told(each) for each in (*made, refused)] == [
        (policy, "sign-up", left) for left in (1, 0, 0)
    ]
    assert told(refused) == LIMITED


async def test_links_to_reset_are_counted_by_account_and_by_address(app: RunningApp) -> None:
    ada = await cast.ada(app)

    async def forget(api: httpx2.AsyncClient, email: str) -> tuple[int, str | None]:
        return told(await api.post("/auth/forgot-password", json={"email": email}))

    async with client(app, HALL) as hall, client(app, HOME) as home:
        of_one = [await forget(hall, ada.email), await forget(home, ada.email.upper())]
        too_many = [await forget(hall, ada.email), await forget(home, ada.email)]
        unknown = [await forget(home, "nobody@example.com") for _ in range(3)]
        of_many = [await forget(hall, f"a{n}@example.com") for n in range(4)]

    assert (of_one, too_many) == ([(202, None)] * 2, [LIMITED] * 2)
    assert unknown == [(202, None), (202, None), LIMITED]
    assert of_many == [*[(202, None)] * 3, LIMITED]


async def test_links_that_are_tried_are_counted_by_address_on_all_doors(app: RunningApp) -> None:
    body = {"token": "guess", "password": PASSWORD}
    async with client(app, HALL) as hall, client(app, HOME) as home:
        tried = [
            await hall.post("/auth/reset-password", json=body),
            await hall.post("/auth/verify-email", json={"token": "guess"}),
            await hall.get("/set-password?token=guess"),
        ]
        refused = [
            await hall.post("/auth/reset-password", json=body),
            await hall.post("/auth/verify-email", json={"token": "guess"}),
            await hall.get("/set-password?token=guess"),
            await hall.post("/set-password", data=body),
            await hall.get("/verify-email?token=guess"),
            await hall.post("/verify-email", data=body),
        ]
        elsewhere = await home.post("/auth/reset-password", json=body)

    assert [each.status_code for each in (*tried, elsewhere)] == [404] * 4
    assert [each.status_code for each in refused] == [429] * 6
    assert {limit_told(each) for each in refused} == {('"link";q=3;w=900', "link", 0)}


async def test_guests_who_take_seats_are_counted_apart(app: RunningApp) -> None:
    ada, olive = await cast.ada(app), await cast.olive(app)
    async with client(app, HALL) as hall, client(app, HOME) as home, olive.api(app) as hers:
        event = (await make_event(hers))["id"]
        guests = [await register(hall, event, email=f"a{n}@example.com") for n in range(3)]
        elsewhere = await register(home, event, email="b@example.com")
        body, path = dict[str, str](), f"/events/{event}/register"
        by_account = await hall.post(path, json=body, headers=ada.bearer)
        looks = await hall.get("/users/me")

    policy = '"guest-registration";q=2;w=60'
    assert [each.status_code for each in guests] == [201, 201, 429]
    assert [limit_told(each) for each in guests] == [
        (policy, "guest-registration", left) for left in (1, 0, 0)
    ]
    assert (elsewhere.status_code, by_account.status_code) == (201, 201)
    assert limit_told(by_account)[1:] == ("requests", 2)
    assert limit_told(looks)[1:] == ("anonymous", 8)


async def test_limits_that_are_off_neither_count_nor_tell(closed_settings: Settings) -> None:
    off = closed_settings.model_copy(update={"rate_limits": "off"})
    async with limited(off) as app, client(app) as api:
        ada = await cast.ada(app)
        answers = [await api.get("/users/me", headers=ada.bearer) for _ in range(5)]
        failed = [told(await sign_in(api, ada.email, "wrong")) for _ in range(4)]

    assert [each.status_code for each in answers] == [200] * 5
    assert [name for each in answers for name in each.headers if "ratelimit" in name] == []
    assert failed == [WRONG] * 4
