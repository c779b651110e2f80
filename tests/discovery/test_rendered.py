"""What is kept of rendered events is never older than the events, and nobody else's."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests.db import rows
from tests.discovery import asking
from tests.events.pictures import a_picture
from tests.factories import in_days, make_event
from tests.support import cast
from tests.support.app import RunningApp, running
from tests.support.cast import Person

from turnout import clock
from turnout.discovery import search
from turnout.discovery.rendered import MOST_BYTES, Rendered
from turnout.discovery.wanted import Wanted
from turnout.events import placing
from turnout.places.candidates import Candidate
from turnout.settings import Settings


@dataclass(frozen=True, slots=True)
class Scene:
    """Two processes on one database, and an event of Olive's."""

    apps: tuple[RunningApp, RunningApp]
    olive: Person
    api: httpx2.AsyncClient
    other: httpx2.AsyncClient
    event_id: str

    @property
    def path(self) -> str:
        """Where the event is."""
        return f"/events/{self.event_id}"

    async def listed(self) -> list[Any]:
        """The event in the lists of both processes, by each way to find it."""
        found = []
        for api in (self.api, self.other):
            for query in ("", "min_seats=1", "q=talk", "mine=true", "tz=UTC"):
                items = await asking.items(api, f"{query}&limit=100")
                found.append(next((e for e in items if e["id"] == self.event_id), None))
        return found

    async def read(self) -> list[Any]:
        """The event as both processes answer it by its id: not from what is kept of lists."""
        paths = [self.path] * 4 + [f"{self.path}?tz=UTC"]
        return [
            None if answer.status_code == 404 else answer.json()
            for api in (self.api, self.other)
            for answer in [await api.get(path) for path in paths]
        ]


@pytest.fixture
async def scene(closed_settings: Settings) -> AsyncIterator[Scene]:
    async with running(closed_settings) as one, running(closed_settings) as two:
        olive = await cast.olive(one)
        async with olive.api(one) as api, olive.api(two) as other:
            made = await make_event(
                api,
                name="Talk",
                location="Nowhere in particular",
                start_time=in_days(10),
                end_time=in_days(12),
                max_capacity=5,
                slots=[{"title": "A", "start_time": in_days(11), "end_time": in_days(11, hour=11)}],
            )
            yield Scene((one, two), olive, api, other, made["id"])


Change = Callable[[Scene], Awaitable[object]]


def patched(**fields: Any) -> Change:
    return lambda scene: scene.api.patch(scene.path, json=fields)


async def slot_path(scene: Scene) -> str:
    event = (await scene.api.get(scene.path)).json()
    return f"{scene.path}/slots/{event['slots'][0]['id']}"


async def add_slot(scene: Scene) -> object:
    times = {"start_time": in_days(21, hour=12), "end_time": in_days(21, hour=13)}
    return await scene.api.post(f"{scene.path}/slots", json={"title": "B", **times})


async def change_slot(scene: Scene) -> object:
    return await scene.api.patch(await slot_path(scene), json={"speaker": "Ada"})


async def delete_slot(scene: Scene) -> object:
    return await scene.api.delete(await slot_path(scene))


async def set_cover(scene: Scene) -> object:
    return await scene.api.put(f"{scene.path}/cover", content=a_picture())


async def change_cover(scene: Scene) -> object:
    picture = a_picture(size=(60, 20))
    return await scene.api.put(f"{scene.path}/cover", content=picture)


async def delete_cover(scene: Scene) -> object:
    return await scene.api.delete(f"{scene.path}/cover")


async def register_someone(scene: Scene) -> object:
    body = {"name": "Ada", "email": f"ada+{clock.now().timestamp()}@example.com"}
    return await scene.api.post(f"{scene.path}/register", json=body)


async def cancel_someone(scene: Scene) -> object:
    people = (await scene.api.get(f"{scene.path}/attendees")).json()["items"]
    return await scene.api.post(f"/registrations/{people[0]['id']}/cancel")


async def rename_olive(scene: Scene) -> object:
    return await scene.api.patch("/users/me", json={"name": "Olive Oyl"})


async def place_it(scene: Scene) -> object:
    """As the worker does, which has found where it is."""
    due = clock.now()
    database = scene.apps[0].runtime.database
    await rows.change_event(database, scene.event_id, place_lookup_at=due)
    found = Candidate(None, None, "Berlin", "Germany", "DE", 52.5, 13.4, "Europe/Berlin", "x")
    async with database.write() as db:
        claimed = await placing.claim(db, due)
    assert claimed is not None
    async with database.write() as db:
        return await placing.place(db, claimed, found, clock.now())


async def move_zone(scene: Scene) -> object:
    body = {"timezone": "Europe/Paris", "keep": "wall_clock"}
    return await scene.api.post(f"{scene.path}/timezone", json=body)


async def repeat(scene: Scene) -> object:
    return await scene.api.post(f"{scene.path}/series", json={"rule": "FREQ=WEEKLY;COUNT=3"})


async def cancel(scene: Scene) -> object:
    return await scene.api.post(f"{scene.path}/cancel", json={"reason": "Rain"})


CHANGES: dict[str, Change] = {
    "name": patched(name="Talks"),
    "description": patched(description="New"),
    "tags": patched(tags=["a", "b"]),
    "capacity": patched(max_capacity=9),
    "no limit": patched(max_capacity=None),
    "waitlist": patched(waitlist_enabled=True),
    "opens": patched(registration_opens_at=in_days(-3)),
    "closes": patched(registration_closes_at=in_days(9)),
    "closes never": patched(registration_closes_at=None),
    "times": patched(start_time=in_days(20)),
    "place": patched(place={"city": "Pune"}),
    "no place": patched(place=None),
    "placed": place_it,
    "online": patched(online_url="https://example.com/"),
    "location": patched(location="Hall"),
    "slot": add_slot,
    "slot changed": change_slot,
    "slot gone": delete_slot,
    "cover": set_cover,
    "other cover": change_cover,
    "cover gone": delete_cover,
    "seat": register_someone,
    "second seat": register_someone,
    "seat given back": cancel_someone,
    "organizer": rename_olive,
    "zone": move_zone,
    "series": repeat,
    "unlisted": patched(visibility="unlisted"),
    "public": patched(visibility="public"),
}


async def test_kept_events_show_each_change_on_every_process(scene: Scene) -> None:
    shown = await scene.listed()
    assert shown == await scene.read()

    for name, change in CHANGES.items():
        before = shown[0]
        answer = await change(scene)
        assert not isinstance(answer, httpx2.Response) or answer.is_success, (name, answer.text)
        now = await scene.read()
        assert now[0] != before, f"{name}: nothing changed"

        shown = await scene.listed()

        if name == "unlisted":
            # Olive alone finds it, by `mine`, fourth of each five.
            assert [each is None for each in shown] == [n % 5 != 3 for n in range(10)]
            assert [shown[3], shown[8]] == now[:1] * 2
            shown = now
        else:
            assert shown == now, name
    await cancel(scene)
    gone = await scene.listed()
    assert [each and each["status"] for each in gone] == ([None] * 3 + ["cancelled", None]) * 2
    assert gone[3]["cancel_reason"] == "Rain"


async def test_kept_events_show_who_deleted_nothing(scene: Scene) -> None:
    before = await scene.listed()

    await scene.api.delete(scene.path)

    assert None not in before
    assert await scene.listed() == [None] * 10


async def test_kept_events_are_in_the_zone_of_each_caller(closed_app: RunningApp) -> None:
    """Two accounts with zones of their own, somebody without, and each zone that is asked for."""
    olive, mallory = await cast.olive(closed_app), await cast.mallory(closed_app)
    zones = {"Europe/Berlin": olive, "America/New_York": mallory}
    async with olive.api(closed_app) as api:
        times = {"start_time": "2031-01-10T10:00:00", "end_time": "2031-01-10T11:00:00"}
        await make_event(api, timezone="Asia/Kolkata", **times)
    for zone, who in zones.items():
        async with who.api(closed_app) as api:
            await api.patch("/users/me", json={"timezone": zone})
    callers = [olive.bearer, {}, mallory.bearer, {}, olive.bearer]

    told = []
    for headers in callers * 2:
        async with closed_app.client(headers=headers) as api:
            found = [
                await asking.items(api, query) for query in ("", "tz=Asia/Kathmandu", "q=pycon")
            ]
        told.append([(event["display_timezone"], event["start_time"][-6:]) for [event] in found])

    nepal, india = ("Asia/Kathmandu", "+05:45"), ("Asia/Kolkata", "+05:30")
    berlin, new_york = (("Europe/Berlin", "+01:00"), ("America/New_York", "-05:00"))
    assert told == [[own, nepal, own] for own in (berlin, india, new_york, india, berlin)] * 2


async def test_kept_drafts_are_shown_to_nobody_else(closed_app: RunningApp) -> None:
    """The organizer's lists fill what is kept; others ask for the same addresses."""
    olive, mallory = await cast.olive(closed_app), await cast.mallory(closed_app)
    async with olive.api(closed_app) as api:
        await make_event(api, name="Secret", draft=True)
        await make_event(api, name="Hidden", visibility="private")
        await make_event(api, name="Shown")
        own = await asking.names(api, "mine=true")

    found = []
    for headers in ({}, mallory.bearer):
        async with closed_app.client(headers=headers) as api:
            answers = [await api.get(f"/events?{each}") for each in ("mine=true", "", "q=secret")]
            found.append(
                [[event["name"] for event in each.json().get("items", [])] for each in answers]
            )

    assert own == ["Secret", "Hidden", "Shown"]
    assert found == [[[], ["Shown"], []]] * 2


async def test_kept_distance_is_of_its_own_query(api: httpx2.AsyncClient) -> None:
    await make_event(api, place=asking.BERLIN, description='Ends like a distance: "x": null}')
    asked = ["near=52.5,13.4", "", "near=52.6,13.4", "near=52.5,13.4", "q=pycon"]

    distances = [(await asking.items(api, each))[0]["distance_km"] for each in asked]

    assert distances[0] == distances[3] == pytest.approx(2.56, abs=0.02)
    assert distances[2] == pytest.approx(8.88, abs=0.02)
    assert [distances[1], distances[4]] == [None, None]


async def test_kept_bytes_stay_within_their_bound(api: httpx2.AsyncClient, app: RunningApp) -> None:
    """And what was dropped, or gone meanwhile, is answered as well."""
    for n in range(12):
        await make_event(api, name=f"Event {n}", description="x" * 1_000)
    database, small = app.runtime.database, Rendered(most_bytes=5_000)
    hits = await search.search(database, Wanted(), after=None, limit=20)
    expected = await Rendered(MOST_BYTES).of(database, hits, "UTC")

    answers = [await small.of(database, hits, "UTC") for _ in range(2)]
    assert answers == [expected] * 2
    assert 0 < small.kept_bytes <= 5_000

    await api.delete(f"/events/{UUID(str(hits[3].event_id))}")
    for each in (small, Rendered(MOST_BYTES)):
        after = await each.of(database, hits, "UTC")
        assert after[3] is None
        assert after[:3] + after[4:] == expected[:3] + expected[4:]
