"""Two slots at once in one room, or with one speaker: a warning that names both, no refusal."""

import httpx2
import pytest
from tests.events.agendas import DAY, a_day, a_slot, added, agenda, at

from turnout.events.agenda import MOST_WARNINGS

CLASHES = [
    ({"room": "Hall"}, {"room": " hALL "}, ["room-clash"]),
    ({"speaker": "Ada Lovelace"}, {"speaker": "ada lovelace"}, ["speaker-clash"]),
    ({"room": "Straße 1", "speaker": "Ada"}, {"room": "STRASSE 1", "speaker": "ADA"},
     ["room-clash", "speaker-clash"]),
    ({"room": "Hall"}, {"room": "Hall 2"}, []),
    ({"room": "Hall"}, {"speaker": "Hall"}, []),
    ({}, {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "codes"), CLASHES)
async def test_two_slots_at_once_are_a_warning_and_no_refusal(
    api: httpx2.AsyncClient, first: dict[str, str], second: dict[str, str], codes: list[str]
) -> None:
    event = await a_day(api)
    await added(api, event, a_slot("10:00", "11:00", **first))

    made = await added(api, event, a_slot("10:59", "12:00", **second))

    assert [each["code"] for each in made["warnings"]] == codes
    assert len(await agenda(api, event)) == 2


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("09:00", "10:00", 0),
        ("11:00", "12:00", 0),
        ("09:00", "10:01", 1),
        ("10:15", "10:45", 1),
        ("09:00", "12:00", 1),
        ("10:00", "11:00", 1),
    ],
)
async def test_slot_that_follows_at_once_is_no_clash(
    api: httpx2.AsyncClient, start: str, end: str, count: int
) -> None:
    event = await a_day(api, slots=[a_slot("10:00", "11:00", room="Hall")])

    made = await added(api, event, a_slot(start, end, room="Hall"))

    assert [each["code"] for each in made["warnings"]] == ["room-clash"] * count


async def test_warning_names_both_slots_with_their_times_in_the_zone_they_are_shown_in(
    api: httpx2.AsyncClient,
) -> None:
    event = await a_day(
        api,
        slots=[
            a_slot("12:00", "14:00", title="Late", room="Hall", speaker="Ada"),
            a_slot("10:00", "11:00", title="Early"),
        ],
    )
    early, _ = await agenda(api, event)
    path = f"/events/{event}/slots/{early['id']}"
    body = {"end_time": at("13:00"), "room": "hall", "speaker": "ada"}

    here = (await api.patch(path, json=body)).json()["warnings"]
    there = (await api.patch(path, json={}, params={"tz": "America/New_York"})).json()["warnings"]

    both = f'"Early" ({at("10:00")} to {at("13:00")}) and "Late" ({at("12:00")} to {at("14:00")})'
    assert here == [
        {"code": "room-clash", "field": "room", "message": f"{both} are in one room, Hall."},
        {"code": "speaker-clash", "field": "speaker", "message": f"{both} have one speaker, Ada."},
    ]
    assert there[0]["message"] == (
        f'"Early" ({DAY}T00:30:00-04:00 to {DAY}T03:30:00-04:00) and '
        f'"Late" ({DAY}T02:30:00-04:00 to {DAY}T04:30:00-04:00) are in one room, Hall.'
    )


async def test_rehearsal_of_a_change_names_every_clash_of_the_agenda(
    api: httpx2.AsyncClient,
) -> None:
    slots = [
        a_slot("10:00", "12:00", title="A", room="Hall"),
        a_slot("11:00", "13:00", title="B", room="Hall"),
        a_slot("11:30", "14:00", title="C", room="Hall"),
        a_slot("13:00", "14:00", title="D", room="Other"),
    ]
    event = await a_day(api, slots=slots)

    rehearsed = await api.patch(
        f"/events/{event}", json={"name": "Other"}, params={"dry_run": "true"}
    )
    body = {"timezone": "Europe/Berlin", "keep": "instant"}
    moved = await api.post(f"/events/{event}/timezone", json=body)
    body = {"reason": "Rain"}
    off = await api.post(f"/events/{event}/cancel", json=body, params={"dry_run": "true"})

    found = [(each["code"], each["field"]) for each in rehearsed.json()["warnings"]]
    assert found == [
        ("room-clash", "slots.1.room"),
        ("room-clash", "slots.2.room"),
        ("room-clash", "slots.2.room"),
    ]
    assert [each["field"] for each in moved.json()["warnings"]] == [field for _, field in found]
    assert f"{DAY}T06:30:00+02:00" in moved.json()["warnings"][0]["message"]
    assert off.json()["warnings"] == []


async def test_agenda_with_all_in_one_room_tells_500_of_its_clashes(
    api: httpx2.AsyncClient,
) -> None:
    slots = [a_slot("10:00", "11:00", title=f"Talk {n}", room="Hall") for n in range(40)]
    event = await a_day(api, slots=slots)

    rehearsed = await api.patch(
        f"/events/{event}", json={"name": "Other"}, params={"dry_run": "true"}
    )
    made = await added(api, event, a_slot("10:00", "11:00", room="Hall"))

    assert len(rehearsed.json()["warnings"]) == MOST_WARNINGS
    assert len(made["warnings"]) == 40
