"""The page of an event: who gets it, what it says, and in whose time."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest
from tests.events.hostile import HOSTILE
from tests.events.pictures import a_picture
from tests.factories import make_event, register
from tests.support import cast
from tests.support.app import BASE_URL, RunningApp
from tests.support.cast import Person
from tests.web.pages import browser, cookies_of

CONFERENCE: dict[str, Any] = {
    "name": "Clocks & Calendars",
    "location": "Kongresshalle",
    "timezone": "Europe/Berlin",
    "start_time": "2030-06-14T09:00:00",
    "end_time": "2030-06-15T17:30:00",
    "max_capacity": 2,
    "description": "# About *time*\n\nSee [more](https://example.com/more).",
    "place": {"city": "Berlin", "country": "Germany", "latitude": 52.5, "longitude": 13.4},
    "online_url": "https://example.com/live",
    "slots": [
        {
            "title": "Opening",
            "start_time": "2030-06-14T23:00:00",
            "end_time": "2030-06-14T23:30:00",
            "room": "Hall",
            "speaker": "Ada",
            "description": "First\nsecond",
        }
    ],
}


class Read(HTMLParser):
    """What a page says: headings, facts, notices, links, times and structured data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.facts: dict[str, list[str]] = {}
        self.notices: list[str] = []
        self.times: list[str] = []
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.selected: list[str] = []
        self.data: list[Any] = []
        self._in = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"h1", "h2", "h3", "h4", "dt", "dd", "script"} or given.get("role") == "status":
            self._in = given.get("role") or tag
            self._open(tag)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag == "img":
            self.pictures.append(given.get("src") or "")
        if tag == "time":
            self.times.append(given.get("datetime") or "")
        if tag == "option" and "selected" in given:
            self.selected.append(given.get("value") or "")

    def _open(self, tag: str) -> None:
        if tag.startswith("h"):
            self.headings.append("")
        elif tag == "dt":
            self.facts[""] = []
        elif tag == "dd":
            self.facts[next(reversed(self.facts))].append("")
        elif self._in == "status":
            self.notices.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"h1", "h2", "h3", "h4", "dt", "dd", "p", "script"}:
            self._in = ""

    def handle_data(self, text: str) -> None:
        if self._in.startswith("h"):
            self.headings[-1] += text
        elif self._in == "dt":
            self.facts[text] = self.facts.pop("")
        elif self._in == "dd":
            self.facts[next(reversed(self.facts))][-1] += text
        elif self._in == "status":
            self.notices[-1] += text
        elif self._in == "script":
            self.data.append(json.loads(text))


async def shown(client: httpx2.AsyncClient, event: dict[str, Any], query: str = "") -> Read:
    answer = await client.get(f"/e/{event['slug']}{query}")
    assert answer.status_code == 200, answer.text
    return Read(answer.text)


def words(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


async def test_page_says_what_when_where_and_by_whom(api: httpx2.AsyncClient) -> None:
    event = await make_event(api, **CONFERENCE)
    await register(api, event["id"])

    page = await shown(api, event)

    assert page.headings == [
        "Clocks & Calendars", "About", "About time", "Agenda", "Friday, 14 June 2030",
    ]  # fmt: skip
    assert {name: words(lines) for name, lines in page.facts.items()} == {
        "When": ["Friday, 14 June 2030, 09:00 – Saturday, 15 June 2030, 17:30 "
                 "Europe/Berlin, UTC+02:00"],
        "Where": ["Kongresshalle", "Berlin, Germany"],
        "Online": ["https://example.com/live"],
        "Organizer": ["Turnout"],
        "Seats": ["1 of 2 seats left"],
    }  # fmt: skip
    assert page.times == [
        "2030-06-14T09:00:00+02:00", "2030-06-15T17:30:00+02:00",
        "2030-06-14T23:00:00+02:00", "2030-06-14T23:30:00+02:00",
    ]  # fmt: skip
    assert page.links[-3:] == [
        "https://example.com/live", f"/events/{event['id']}.ics", "https://example.com/more",
    ]  # fmt: skip
    assert (page.notices, page.pictures, page.selected) == ([], [], [])


async def test_page_shows_the_cover(api: httpx2.AsyncClient) -> None:
    event = await make_event(api)
    cover = (await api.put(f"/events/{event['id']}/cover", content=a_picture())).json()

    page = await shown(api, event)

    assert page.pictures == [cover["url"]]
    assert page.data[0]["image"] == [BASE_URL + cover["url"]]
    assert (await api.get(page.pictures[0])).headers["content-type"] == "image/webp"


async def test_structured_data_say_the_same(api: httpx2.AsyncClient) -> None:
    event = await make_event(api, **CONFERENCE)

    [data] = (await shown(api, event)).data

    url = f"{BASE_URL}/e/{event['slug']}"
    assert data == {
        "@context": "https://schema.org",
        "@type": "Event",
        "@id": url,
        "url": url,
        "name": "Clocks & Calendars",
        "startDate": "2030-06-14T09:00:00+02:00",
        "endDate": "2030-06-15T17:30:00+02:00",
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": "https://schema.org/MixedEventAttendanceMode",
        "location": [
            {
                "@type": "Place",
                "name": "Kongresshalle",
                "address": {
                    "@type": "PostalAddress",
                    "addressLocality": "Berlin",
                    "addressCountry": "Germany",
                },
                "geo": {"@type": "GeoCoordinates", "latitude": 52.5, "longitude": 13.4},
            },
            {"@type": "VirtualLocation", "url": "https://example.com/live"},
        ],
        "organizer": {"@type": "Organization", "name": "Turnout"},
        "description": "About time See more.",
        "maximumAttendeeCapacity": 2,
        "remainingAttendeeCapacity": 2,
    }


async def test_times_are_shown_in_the_chosen_zone_as_well(api: httpx2.AsyncClient) -> None:
    event = await make_event(api, **CONFERENCE)

    page = await shown(api, event, "?tz=Asia/Kolkata")

    assert words(page.facts["When"])[1:] == [
        "Friday, 14 June 2030, 12:30 – Saturday, 15 June 2030, 21:00 Asia/Kolkata, UTC+05:30"
    ]
    assert page.headings[-1] == "Saturday, 15 June 2030", "the slot is on the next day there"
    assert page.times[-2:] == ["2030-06-15T02:30:00+05:30", "2030-06-15T03:00:00+05:30"]
    assert page.selected == ["Asia/Kolkata"]


async def test_chosen_zone_is_remembered_and_forgotten(api: httpx2.AsyncClient) -> None:
    event = await make_event(api, **CONFERENCE)
    path = f"/e/{event['slug']}"

    chosen = await api.get(f"{path}?tz=America/New_York")
    later = await shown(api, event)
    forgotten = await api.get(f"{path}?tz=")
    after = await shown(api, event)

    [(name, cookie)] = cookies_of(chosen).items()
    assert (name, cookie.value) == ("turnout_zone", "America/New_York")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")
    assert int(cookie["max-age"]) == 365 * 86_400
    assert later.selected == ["America/New_York"]
    assert cookies_of(forgotten)["turnout_zone"]["max-age"] == "0"
    assert after.selected == []


async def test_alias_of_a_zone_is_remembered_by_its_name(api: httpx2.AsyncClient) -> None:
    event = await make_event(api, **CONFERENCE)

    page = await shown(api, event, "?tz=Asia/Calcutta")

    assert (page.selected, dict(api.cookies)) == (
        ["Asia/Kolkata"],
        {"turnout_zone": '"Asia/Kolkata"'},
    )


async def test_unknown_zone_is_refused_and_a_spoilt_cookie_left_alone(
    api: httpx2.AsyncClient,
) -> None:
    event = await make_event(api, **CONFERENCE)

    refused = await api.get(f"/e/{event['slug']}?tz=Mars/Olympus")
    page = await api.get(f"/e/{event['slug']}", headers={"Cookie": "turnout_zone=Mars/Olympus"})

    assert (refused.status_code, "set-cookie" in refused.headers) == (422, False)
    assert "This is not a time zone" in refused.text
    assert (page.status_code, Read(page.text).selected) == (200, [])


async def test_zone_of_the_account_is_shown_until_another_is_chosen(closed_app: RunningApp) -> None:
    olive, ada = await cast.olive(closed_app), await cast.ada(closed_app)
    async with olive.api(closed_app) as api, ada.api(closed_app) as hers:
        event = await make_event(api, **CONFERENCE)
        await hers.patch("/users/me", json={"timezone": "Asia/Tokyo"})

    async with browser(closed_app, ada) as client:
        first = await shown(client, event)
        chosen = await shown(client, event, "?tz=Asia/Kolkata")

    assert (first.selected, chosen.selected) == (["Asia/Tokyo"], ["Asia/Kolkata"])


async def statuses(app: RunningApp, slug: str, people: list[Person | None]) -> list[int]:
    found = []
    for person in people:
        async with browser(app, person) as client:
            found.append((await client.get(f"/e/{slug}")).status_code)
    return found


@pytest.mark.parametrize(
    ("changes", "seen", "says"),
    [
        ({}, [200, 200, 200, 200], []),
        ({"visibility": "unlisted"}, [200, 200, 200, 200], []),
        (
            {"visibility": "private"},
            [404, 404, 200, 200],
            ["This event is private: only those who work on it see it."],
        ),
        (
            {"draft": True},
            [404, 404, 200, 200],
            ["This is a draft: only those who work on it see it."],
        ),
    ],
    ids=["public", "unlisted", "private", "draft"],
)
async def test_page_is_for_whoever_may_see_the_event(
    closed_app: RunningApp, changes: dict[str, Any], seen: list[int], says: list[str]
) -> None:
    olive, mallory = await cast.olive(closed_app), await cast.mallory(closed_app)
    root = await cast.root(closed_app)
    async with olive.api(closed_app) as api:
        event = await make_event(api, **changes)

    found = await statuses(closed_app, event["slug"], [None, mallory, olive, root])

    async with browser(closed_app, olive) as client:
        answer = await client.get(f"/e/{event['slug']}")
    page, is_listed = Read(answer.text), not changes
    assert found == seen
    assert page.notices == says
    assert (answer.headers.get("x-robots-tag") is None) == is_listed
    assert ('<meta name="robots" content="noindex">' in answer.text) == (not is_listed)
    assert len(page.data) == is_listed


async def test_page_of_a_hidden_event_is_that_of_none(closed_app: RunningApp) -> None:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api:
        event = await make_event(api, draft=True)

    async with closed_app.client() as client:
        hidden = await client.get(f"/e/{event['slug']}")
        none = await client.get("/e/nothing-000000000000")
        unknown_zone = await client.get(f"/e/{event['slug']}?tz=Mars")

    texts = [
        re.sub("Request [0-9a-f-]+", "", answer.text) for answer in (hidden, none, unknown_zone)
    ]
    assert [each.status_code for each in (hidden, none, unknown_zone)] == [404] * 3
    assert texts[0] == texts[1] == texts[2]
    assert event["name"] not in hidden.text


@pytest.mark.parametrize(
    ("changes", "taken", "seats"),
    [
        ({"max_capacity": None}, 1, "There is room for everyone"),
        ({"max_capacity": 1_500}, 0, "1,500 of 1,500 seats left"),
        ({"max_capacity": 1}, 1, "Full"),
        ({"max_capacity": 1, "waitlist_enabled": True}, 1, "Full; there is a waitlist"),
        (
            {"registration_opens_at": "2030-06-01T10:00:00"},
            0,
            "Registration opens on Saturday, 1 June 2030 at 10:00",
        ),
        ({"registration_closes_at": "2020-06-01T10:00:00"}, 0, "Registration is closed"),
    ],
)
async def test_page_says_whether_there_is_a_seat(
    api: httpx2.AsyncClient, changes: dict[str, Any], taken: int, seats: str
) -> None:
    event = await make_event(api, **{**CONFERENCE, **changes})
    for _ in range(taken):
        assert (await register(api, event["id"])).status_code == 201

    assert (await shown(api, event)).facts["Seats"] == [seats]


async def test_page_of_a_cancelled_event_says_so(api: httpx2.AsyncClient) -> None:
    event = await make_event(api, **CONFERENCE)
    cancelled = await api.post(f"/events/{event['id']}/cancel", json={"reason": "No <hall>."})

    page = await shown(api, event)

    assert cancelled.status_code == 200, cancelled.text
    assert page.notices == ["This event is cancelled: No <hall>."]
    assert page.facts["Seats"] == ["Registration is closed"]
    assert page.data[0]["eventStatus"] == "https://schema.org/EventCancelled"


async def test_page_of_what_has_been_says_so(api: httpx2.AsyncClient) -> None:
    times = {"start_time": "2020-06-14T09:00:00", "end_time": "2020-06-14T10:00:00"}
    event = await make_event(api, **times)

    page = await shown(api, event)

    assert page.notices == ["This event is over."]
    assert page.facts["Seats"] == ["Registration is closed"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_hostile_text_stays_text_wherever_it_stands(api: httpx2.AsyncClient) -> None:
    """In the name and the places, which are plain text, and in the structured data as well."""
    for text in HOSTILE:
        line = " ".join(re.sub(r"[\x00-\x1f\u200b]", "", text).split())
        event = await make_event(api, **everywhere(line))

        page = await shown(api, event)

        assert page.headings[0] == line
        assert page.facts["Where"][0] == line
        assert [data["name"] for data in page.data] == [line]


def everywhere(line: str) -> dict[str, Any]:
    """An event that says it in all its texts."""
    texts = dict.fromkeys(("title", "room", "speaker", "description"), line)
    slot = {**CONFERENCE["slots"][0], **texts}
    texts = dict.fromkeys(("name", "location", "description"), line)
    return {**CONFERENCE, **texts, "slots": [slot], "tags": []}
