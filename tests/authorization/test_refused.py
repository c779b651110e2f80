"""What is refused changes nothing; what is foreign is refused as what is not there."""

from collections.abc import AsyncIterator

import pytest
from tests.authorization.conftest import Prepared
from tests.authorization.matrix import CALLERS, Call, Cell
from tests.authorization.walk import BY_COOKIE, Answer, Step, Way, by_token, walk
from tests.authorization.world import World
from tests.db import rows
from tests.support.app import RunningApp

REFUSED = frozenset((401, 403, 404))


@pytest.fixture
async def app(prepared: Prepared) -> AsyncIterator[RunningApp]:
    """The product on a copy of the world."""
    async with prepared.app() as started:
        yield started


@pytest.fixture
def world(prepared: Prepared) -> World:
    """Who is in it."""
    return prepared.world


def is_refused_change(way: Way, call: Call, cell: Cell) -> bool:
    return call.is_change and way.expected(call, cell) in REFUSED and call.looks_at_callers


async def test_refused_change_changes_nothing(app: RunningApp, world: World) -> None:
    before = await rows.dump(app.runtime.database)

    steps = [
        step
        for caller in CALLERS
        for step in await walk(app, world, by_token(world, caller), is_refused_change)
    ]

    assert [str(step) for step in steps if step.answer.status != step.expected] == []
    assert {step.way.caller for step in steps} == set(CALLERS)
    assert await rows.dump(app.runtime.database) == before


def from_elsewhere(world: World, caller: str | None) -> Way:
    """A browser on another site's page; without a caller nobody is signed in in it."""
    cookie = world.people[caller].page if caller else {}
    headers = cookie | {"Sec-Fetch-Site": "cross-site"}
    return Way(BY_COOKIE, caller or "AN", lambda _: headers, lambda *_: 403)


@pytest.mark.parametrize("caller", ["AD", "OO", None])
async def test_change_that_another_sites_page_asks_for_changes_nothing(
    app: RunningApp, world: World, caller: str | None
) -> None:
    before = await rows.dump(app.runtime.database)
    way = from_elsewhere(world, caller)

    steps = await walk(app, world, way, lambda _way, call, _cell: _asks_for_a_page(call))

    told = {
        (step.answer.status, _is_page(step) or b"csrf-failed" in step.answer.body) for step in steps
    }
    assert told == {(403, True)}
    assert await rows.dump(app.runtime.database) == before


def _asks_for_a_page(call: Call) -> bool:
    """Mail programs of any origin press the one button that only a token in the address opens."""
    return call.is_change and call.path != "/unsubscribe/{token}"


def _is_page(step: Step) -> bool:
    return step.answer.headers["content-type"].startswith("text/html")


async def test_foreign_token_that_is_revoked_still_counts(app: RunningApp, world: World) -> None:
    bob, theirs = world.people["AO"], world.facts["AT"]["own_refresh_token"]
    before = await rows.dump(app.runtime.database)

    async with bob.api(app) as api:
        foreign = await api.post("/auth/revoke", json={"token": theirs})
        random = await api.post("/auth/revoke", json={"token": "a token that nobody has"})

    assert Answer.of(foreign) == Answer.of(random)
    assert foreign.status_code == 200
    assert await rows.dump(app.runtime.database) == before


# A list of Root's, and who else may ask for one at that address.
LISTS = {
    "/users/me/registrations": "AT",
    "/users/me/sign-ins": "AT",
    "/users/me/tokens": "AT",
    "/events/{published}/attendees": "OO",
    "/events/{published}/team": "OO",
}


@pytest.mark.parametrize(("path", "other"), LISTS.items())
async def test_cursor_of_somebody_else_is_refused_like_any_other_text(
    app: RunningApp, world: World, path: str, other: str
) -> None:
    """A cursor holds an id: it counts for the caller and the list that it was made for."""
    facts = world.facts["AD"]
    path = path.format_map(facts)
    async with app.client(headers=world.bearer("AD")) as root:
        for event in ("open", "unlisted"):
            await root.post(f"/events/{facts[event]}/register", json={})
        cursor = (await root.get(path, params={"limit": 1})).json()["next_cursor"]
        own = await root.get(path, params={"cursor": cursor})
        of_another_list = await root.get("/admin/audit", params={"cursor": cursor})

    async with app.client(headers=world.bearer(other)) as api:
        foreign = await api.get(path, params={"cursor": cursor})
        random = await api.get(path, params={"cursor": "x"})

    assert (own.status_code, of_another_list.status_code) == (200, 422)
    assert Answer.of(foreign) == Answer.of(random)
    assert foreign.status_code == 422


async def test_account_that_is_disabled_joins_no_team_like_one_that_is_not_there(
    app: RunningApp, world: World
) -> None:
    """The id in a body: an organizer does not learn whose account was disabled."""
    facts = world.facts["OO"]
    managed, path = facts["managed"], f"/events/{facts['published']}/team"
    async with app.client(headers=world.bearer("AD")) as root:
        disabled = await root.patch(f"/users/{managed}", json={"is_active": False})
        assert disabled.status_code == 200
    before = await rows.dump(app.runtime.database)

    async with app.client(headers=world.bearer("OO")) as olive:
        answers = [
            Answer.of(await olive.post(path, json={"user_id": user_id, "role": "door"}))
            for user_id in (managed, facts["missing"])
        ]

    assert answers[0] == answers[1]
    assert answers[0].status == 422
    assert await rows.dump(app.runtime.database) == before
