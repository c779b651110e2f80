"""Events as iCalendar: what two other readers see, through the API."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import time_machine
from tests.discovery import calendar_readers
from tests.factories import in_days, make_event
from tests.support import cast
from tests.support.app import BASE_URL, RunningApp

NOBODYS_ID = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"
NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
HOSTILE = "Ends\\N here; BEGIN:VEVENT, “ü” 🎶"
HOSTILE_TEXT = "One\nBEGIN:VEVENT\r\nSUMMARY:No\u2028END:VCALENDAR\n\tC:\\New, \\n; \\\\"
CASES = [
    ("Europe/Berlin", "2026-10-24T18:00:00", "2026-10-25T11:00:00"),
    ("Europe/Berlin", "2026-03-28T22:00:00", "2026-03-29T06:00:00"),
    ("America/New_York", "2026-10-31T20:00:00", "2026-11-01T09:00:00"),
    ("Australia/Lord_Howe", "2026-10-03T20:00:00", "2026-10-04T08:00:00"),
    ("Asia/Kathmandu", "2026-12-05T10:00:00", "2026-12-09T18:00:00"),
    ("Pacific/Kiritimati", "2026-12-31T23:00:00", "2027-01-01T03:00:00"),
    ("Europe/Dublin", "2026-10-24T18:00:00", "2027-04-25T11:00:00"),
    # Summer time pauses for a month.
    ("Africa/Casablanca", "2026-02-01T10:00:00", "2026-04-01T10:00:00"),
    ("UTC", "2026-12-05T10:00:00", "2026-12-05T11:00:00"),
]


async def calendar_of(api: httpx2.AsyncClient, event_id: object) -> httpx2.Response:
    answer = await api.get(f"/events/{event_id}.ics")
    assert answer.status_code == 200, answer.text
    return answer


def lines_of(body: bytes) -> list[str]:
    """Unfolded, as RFC 5545 has it: nothing but CR LF ends a line."""
    text = body.decode()
    assert text.endswith("\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    return text.replace("\r\n ", "").split("\r\n")[:-1]


@pytest.mark.parametrize(("zone", "start", "end"), CASES)
async def test_calendar_of_an_event_says_its_instants_by_its_own_zone_definition(
    api: httpx2.AsyncClient, zone: str, start: str, end: str
) -> None:
    event = await make_event(api, timezone=zone, start_time=start, end_time=end)

    body = (await calendar_of(api, event["id"])).content

    [seen] = calendar_readers.read(body)
    assert (seen.start, seen.end) == (
        datetime.fromisoformat(event["start_time"]).astimezone(UTC),
        datetime.fromisoformat(event["end_time"]).astimezone(UTC),
    )
    wall_clock = re.sub("[-:]", "", start)
    written = f"DTSTART:{wall_clock}Z" if zone == "UTC" else f"DTSTART;TZID={zone}:{wall_clock}"
    assert written in lines_of(body)


LETTERS = r"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Turnout//Turnout//EN
CALSCALE:GREGORIAN
METHOD:PUBLISH
BEGIN:VTIMEZONE
TZID:Asia/Kolkata
BEGIN:STANDARD
DTSTART:20250101T053000
TZNAME:IST
TZOFFSETFROM:+0530
TZOFFSETTO:+0530
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:PyCon\, India
DTSTART;TZID=Asia/Kolkata:20261205T100000
DTEND;TZID=Asia/Kolkata:20261206T180000
DTSTAMP:20260301T083000Z
UID:{id}@turnout
SEQUENCE:0
CATEGORIES:a\,b,c
CREATED:20260301T083000Z
DESCRIPTION:Two *days*
GEO:12.500000;77.250000
LAST-MODIFIED:20260301T083000Z
LOCATION:Bengaluru
ORGANIZER;CN=Turnout:urn:uuid:{organizer[id]}
STATUS:CONFIRMED
URL:{base_url}/e/{slug}
END:VEVENT
END:VCALENDAR
"""


async def test_calendar_of_an_event_is_this_to_the_letter(api: httpx2.AsyncClient) -> None:
    with time_machine.travel(NOW, tick=False):
        event = await make_event(
            api,
            name="PyCon, India",
            description="Two *days*",
            timezone="Asia/Kolkata",
            start_time="2026-12-05T10:00:00",
            end_time="2026-12-06T18:00:00",
            tags=["a,b", "c"],
            place={"latitude": 12.5, "longitude": 77.25},
        )

    answer = await calendar_of(api, event["id"])

    expected = LETTERS.format(base_url=BASE_URL, **event).splitlines()
    assert lines_of(answer.content) == expected
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{event["slug"]}.ics"'


async def test_calendar_with_hostile_texts_has_one_entry_and_the_texts(
    api: httpx2.AsyncClient,
) -> None:
    event = await make_event(
        api, name=HOSTILE, location=HOSTILE, description=HOSTILE_TEXT, tags=[HOSTILE]
    )

    body = (await calendar_of(api, event["id"])).content

    [seen] = calendar_readers.read(body)
    plain = HOSTILE_TEXT.replace("\r\n", "\n").replace("\u2028", "\n")
    # What `vobject` and `ical` take `\N` for differs, so it is written as neither reads it.
    assert (seen.summary, seen.location, seen.description) == (HOSTILE, HOSTILE, plain)
    assert sum(line.startswith("BEGIN:VEVENT") for line in lines_of(body)) == 1


async def test_calendar_names_the_organizer_and_no_address(closed_app: RunningApp) -> None:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api:
        event = await make_event(api)

        body = (await calendar_of(api, event["id"])).content

    assert f"ORGANIZER;CN=Olive:urn:uuid:{olive.id}" in lines_of(body)
    assert b"@example" not in body


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"draft": True}, "STATUS:TENTATIVE"),
        ({"visibility": "private"}, "CLASS:PRIVATE"),
        ({"online_url": "https://a.example/b?c=d,e;f"}, "URL:https://a.example/b?c=d,e;f"),
    ],
)
async def test_calendar_of_an_event_of_a_kind_says_so(
    api: httpx2.AsyncClient, changes: dict[str, Any], said: str
) -> None:
    event = await make_event(api, **changes)

    body = (await calendar_of(api, event["id"])).content

    assert said in lines_of(body)


async def test_calendar_of_a_cancelled_event_says_so_in_a_later_sequence(
    api: httpx2.AsyncClient,
) -> None:
    event = await make_event(api)
    cancelled = await api.post(f"/events/{event['id']}/cancel", json={"reason": "Snow"})
    assert cancelled.status_code == 200, cancelled.text

    [seen] = calendar_readers.read((await calendar_of(api, event["id"])).content)

    assert (seen.uid, seen.status, seen.sequence) == (f"{event['id']}@turnout", "CANCELLED", 1)


async def test_reader_takes_the_zone_from_the_file_itself(api: httpx2.AsyncClient) -> None:
    """The control of the test above: with another definition, another instant is read."""
    event = await make_event(api, timezone="Asia/Kolkata")
    body = (await calendar_of(api, event["id"])).content

    [other] = calendar_readers.by_vobject(body.replace(b"TZOFFSETTO:+0530", b"TZOFFSETTO:+0500"))

    [seen] = calendar_readers.by_vobject(body)
    assert other.start - seen.start == timedelta(minutes=30)


async def test_calendar_of_the_second_of_two_hours_is_in_utc(api: httpx2.AsyncClient) -> None:
    event = await make_event(
        api,
        timezone="Europe/Berlin",
        start_time="2026-10-25T02:30:00+01:00",
        end_time="2026-10-25T02:45:00.5+01:00",
    )

    body = (await calendar_of(api, event["id"])).content

    [seen] = calendar_readers.read(body)
    first = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert (seen.start, seen.end) == (first, first + timedelta(minutes=15, seconds=1))


async def test_calendar_of_a_hidden_event_is_refused_like_one_of_nothing(
    closed_app: RunningApp,
) -> None:
    olive, mallory = await cast.olive(closed_app), await cast.mallory(closed_app)
    async with olive.api(closed_app) as api:
        hidden = [(await make_event(api, **each))["id"] for each in HIDDEN]

    async with mallory.api(closed_app) as api, closed_app.client() as anyone:
        answers = [
            await client.get(f"/events/{each}.ics")
            for client in (api, anyone)
            for each in (*hidden, NOBODYS_ID, "nothing")
        ]

    told = {(each.status_code, each.json()["code"], each.json()["detail"]) for each in answers}
    assert told == {(404, "not-found", "There is nothing here")}


HIDDEN: list[dict[str, Any]] = [{"draft": True}, {"visibility": "private"}]


@pytest.mark.parametrize("path", ["/events/{}.ics", "/calendar.ics"])
async def test_calendar_that_has_not_changed_is_not_sent_again(
    api: httpx2.AsyncClient, path: str
) -> None:
    event = await make_event(api)
    first = await api.get(path.format(event["id"]))

    again = await api.get(
        path.format(event["id"]), headers={"If-None-Match": first.headers["etag"]}
    )

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


async def test_calendar_to_subscribe_to_has_what_is_listed_soonest_first(
    api: httpx2.AsyncClient,
) -> None:
    later = await make_event(api, name="Later", start_time=in_days(20), end_time=in_days(21))
    await make_event(api, name="Draft", draft=True)
    await make_event(api, name="Unlisted", visibility="unlisted")
    sooner = await make_event(api, name="Sooner", timezone="America/New_York")

    body = (await api.get("/calendar.ics")).content

    seen = calendar_readers.read(body)
    assert [each.uid for each in seen] == [f"{each['id']}@turnout" for each in (sooner, later)]
    lines = lines_of(body)
    assert "X-WR-CALNAME:Turnout" in lines
    assert [line for line in lines if line.startswith("TZID:")] == [
        "TZID:America/New_York",
        "TZID:Asia/Kolkata",
    ]


async def test_calendar_to_subscribe_to_of_nothing_is_a_calendar(api: httpx2.AsyncClient) -> None:
    answer = await api.get("/calendar.ics")

    assert (answer.status_code, calendar_readers.read(answer.content)) == (200, [])


async def test_calendar_in_a_zone_that_is_none_is_refused(api: httpx2.AsyncClient) -> None:
    answer = await api.get("/calendar.ics?tz=Mars/Olympus")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-timezone")


def test_server_that_was_asked_for_no_calendar_has_not_loaded_the_library() -> None:
    code = "import sys, turnout.main; print({'icalendar', 'dateutil'} & sys.modules.keys())"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert loaded.stdout == b"set()\n"
