"""The four calls of the product's first promise, on both databases."""

import httpx2
from tests.factories import a_person, an_event, in_days, make_event, register


async def test_create_event_with_five_fields(api: httpx2.AsyncClient) -> None:
    answer = await api.post("/events", json=an_event(max_capacity=2))

    event = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/events/{event['id']}"
    assert event["max_capacity"] == 2
    assert event["seats_left"] == 2
    assert event["timezone"] == "Asia/Kolkata"
    assert event["start_time"] == an_event()["start_time"]


async def test_list_events_upcoming_soonest_first(api: httpx2.AsyncClient) -> None:
    later = await make_event(api, name="Later")
    sooner = await make_event(api, name="Sooner", start_time=in_days(5), end_time=later["end_time"])
    await make_event(
        api,
        name="Over",
        start_time="2020-01-01T10:00:00+05:30",
        end_time="2020-01-01T12:00:00+05:30",
    )

    listed = (await api.get("/events")).json()

    assert [event["id"] for event in listed["items"]] == [sooner["id"], later["id"]]
    assert listed["next_cursor"] is None


async def test_register_never_beyond_capacity_nor_twice(api: httpx2.AsyncClient) -> None:
    event = await make_event(api, max_capacity=1)

    first = await register(api, event["id"])
    again = await register(api, event["id"], email="ADA@Example.com")
    other = await register(api, event["id"], **a_person(1))

    assert [first.status_code, again.status_code, other.status_code] == [201, 409, 409]
    assert again.json()["code"] == "already-registered"
    assert other.json()["code"] == "event-full"


async def test_attendees_pages_hold_each_once(api: httpx2.AsyncClient) -> None:
    event = await make_event(api)
    for n in range(5):
        await register(api, event["id"], **a_person(n))

    seen: list[str] = []
    path = f"/events/{event['id']}/attendees?limit=2"
    answer = await api.get(path)
    while True:
        seen += [attendee["email"] for attendee in answer.json()["items"]]
        if "next" not in answer.links:
            break
        answer = await api.get(answer.links["next"]["url"])

    assert seen == [a_person(n)["email"] for n in range(5)]
