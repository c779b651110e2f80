"""Drafts and cancelled events are found by those who work on them, and by nobody else."""

from dataclasses import dataclass

import httpx2
import pytest
import time_machine
from tests.discovery import asking
from tests.discovery.asking import make
from tests.factories import in_days
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import Person

NAMES = ["draft", "published", "unlisted", "private", "cancelled", "cancelled private"]
"""What each organizer has, soonest first, after what is `over` and its name with it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Olive and Mallory with events of every kind; Ada who attends; Root."""

    app: RunningApp
    olive: Person
    mallory: Person
    ada: Person
    root: Person

    async def names(self, who: Person, query: str) -> list[str]:
        """What that person finds."""
        async with who.api(self.app) as api:
            return await asking.names(api, query)

    async def of_each(self, who: Person, queries: list[str]) -> dict[str, list[str]]:
        """What that person finds by each query."""
        return {query: await self.names(who, query) for query in queries}


@pytest.fixture
async def scene(closed_app: RunningApp) -> Scene:
    people = [await each(closed_app) for each in (cast.olive, cast.mallory, cast.ada, cast.root)]
    made = Scene(closed_app, *people)
    for who in (made.olive, made.mallory):
        async with who.api(closed_app) as api:
            await all_kinds(api, f"{who.name}'s")
    return made


async def all_kinds(api: httpx2.AsyncClient, whose: str) -> None:
    place = {**asking.BERLIN, "name": whose}
    with time_machine.travel("2026-11-01T00:00:00Z", tick=False):
        start, end = in_days(1), in_days(2)
    changes = {"start_time": start, "end_time": end}
    await make(api, f"{whose} over", 0, **changes, draft=True, place=place)
    await make(api, f"{whose} draft", 1, draft=True, place=place, tags=["a"])
    await make(api, f"{whose} published", 2, place=place, max_capacity=1)
    await make(api, f"{whose} unlisted", 3, visibility="unlisted", place=place)
    await make(api, f"{whose} private", 4, visibility="private", place=place, tags=["a", "b"])
    for day, name, visibility in ((5, "cancelled", "public"), (6, "cancelled private", "private")):
        event = await make(api, f"{whose} {name}", day, visibility=visibility, place=place)
        answer = await api.post(f"/events/{event}/cancel", json={"reason": "Rain"})
        assert answer.status_code == 200, answer.text


OLIVES = ["Olive's over", *(f"Olive's {name}" for name in NAMES)]
OF_OLIVE = {
    "": ["Olive's published", "Mallory's published"],
    "mine=false": ["Olive's published", "Mallory's published"],
    "status=published": ["Olive's published", "Mallory's published"],
    "mine=true": OLIVES,
    "status=draft": OLIVES[:2],
    "status=draft&mine=true": OLIVES[:2],
    "status=draft&mine=false": OLIVES[:2],
    "status=cancelled": OLIVES[5:],
    "status=published&mine=true": OLIVES[2:5],
    "mine=true&sort=-start_time": OLIVES[::-1],
    "mine=true&include_past=true": OLIVES,
    "mine=true&from=2026-11-20": OLIVES[1:],
    "mine=true&to=2026-11-20": OLIVES[:1],
    "mine=true&q=olives": OLIVES,
    "mine=true&q=olive+priv": ["Olive's private", "Olive's cancelled private"],
    "mine=true&q=priv&sort=relevance": ["Olive's private", "Olive's cancelled private"],
    "mine=true&q=mallorys": [],
    "mine=true&q=o": [],
    "mine=true&tag=a": ["Olive's draft", "Olive's private"],
    "mine=true&tag=a&status=draft": ["Olive's draft"],
    "mine=true&city=Berlin&tag=b": ["Olive's private"],
    "mine=true&city=Ber": [],
    "mine=true&country=DE&q=published": ["Olive's published"],
    "mine=true&min_seats=2": [name for name in OLIVES if name != "Olive's published"],
    "mine=true&online=true": [],
    "mine=true&online=false": OLIVES,
    "mine=true&near=52.5,13.4&sort=distance": OLIVES,
    "mine=true&near=0,0": [],
    "status=draft&q=published": [],
}


async def test_own_events_are_found_in_every_state_and_by_every_filter(scene: Scene) -> None:
    assert await scene.of_each(scene.olive, list(OF_OLIVE)) == OF_OLIVE


async def test_own_events_by_organizer_are_found_with_mine_alone(scene: Scene) -> None:
    organizers = [f"organizer={each.id}" for each in (scene.olive, scene.mallory)]

    found = [await scene.names(scene.olive, each) for each in organizers]
    own = [await scene.names(scene.olive, f"{each}&mine=true") for each in organizers]

    assert found == [["Olive's published"], ["Mallory's published"]]
    assert own == [OLIVES, []]


OWN = [
    "mine=true",
    "status=draft",
    "status=cancelled",
    "mine=true&q=draft",
    "mine=true&city=Berlin",
]


async def test_own_events_of_others_are_found_by_no_one(scene: Scene) -> None:
    """Not even by an administrator, whose own events are none."""
    for who in (scene.ada, scene.root):
        assert await scene.of_each(who, OWN) == {key: [] for key in OWN}


async def test_own_events_of_nobody_are_refused(scene: Scene) -> None:
    async with scene.app.client() as api:
        answers = [await api.get(f"/events?{each}") for each in OWN]

    told = [(answer.status_code, answer.headers["www-authenticate"]) for answer in answers]
    assert told == [(401, "Bearer")] * len(OWN)


async def test_own_events_are_what_their_team_works_on(scene: Scene) -> None:
    async with scene.mallory.api(scene.app) as api:
        own = await asking.items(api, "mine=true")
        mallorys = {event["name"].removeprefix("Mallory's "): event["id"] for event in own}
        for name, who, role in (
            ("draft", scene.olive, "editor"),
            ("cancelled", scene.olive, "door"),
            ("private", scene.ada, "door"),
        ):
            team = f"/events/{mallorys[name]}/team"
            answer = await api.post(team, json={"email": who.email, "role": role})
            assert answer.status_code == 201, answer.text
    asked = ["mine=true", "status=draft", "status=cancelled", "mine=true&q=mallorys"]

    helped = ["Mallory's draft", "Mallory's cancelled"]
    of_olive = await scene.of_each(scene.olive, asked)
    of_ada = await scene.of_each(scene.ada, asked)

    assert of_olive == {
        "mine=true": [
            *OLIVES[:2], helped[0], *OLIVES[2:6], helped[1], OLIVES[6],
        ],
        "status=draft": [*OLIVES[:2], helped[0]],
        "status=cancelled": [OLIVES[5], helped[1], OLIVES[6]],
        "mine=true&q=mallorys": helped,
    }  # fmt: skip
    assert list(of_ada.values()) == [["Mallory's private"], [], [], ["Mallory's private"]]


async def test_own_events_are_what_may_be_read(scene: Scene) -> None:
    """Of someone who is no organizer any more, only what they help with."""
    async with scene.mallory.api(scene.app) as api:
        [_, draft, *_] = await asking.items(api, "mine=true")
        team = f"/events/{draft['id']}/team"
        await api.post(team, json={"email": scene.olive.email, "role": "door"})
    async with scene.root.api(scene.app) as api:
        await api.patch(f"/users/{scene.olive.id}", json={"role": "attendee"})

    async with scene.olive.api(scene.app) as api:
        found = await asking.items(api, "mine=true")
        statuses = [(await api.get(f"/events/{event['id']}")).status_code for event in found]

    assert [event["name"] for event in found] == ["Mallory's draft"]
    assert statuses == [200]


async def test_own_events_leave_no_trace_in_what_others_are_answered(scene: Scene) -> None:
    """The same address asked by one after the other, and by nobody."""
    asked = ["limit=100", "q=olives&limit=100", "include_past=true"]
    async with scene.app.client() as nobody:
        before = [(await nobody.get(f"/events?{each}")).content for each in asked]

        await scene.of_each(scene.olive, [*asked, *(f"{each}&mine=true" for each in asked)])
        after = [(await nobody.get(f"/events?{each}")).content for each in asked]

    assert before == after
    assert [b"draft" in each or b"private" in each for each in after] == [False] * 3
