"""All filters together, in every order, find what a plain look at each event finds.

The scan below is written anew from what the API promises, and asks no code of the product.
"""

import math
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from tests.db import plans, rows
from tests.discovery import standing
from tests.discovery.standing import Standing
from tests.discovery.test_near import haversine_km
from tests.support import cast
from tests.support.app import RunningApp

from turnout.accounts import service as accounts
from turnout.accounts.actor import Actor, Role
from turnout.accounts.actor import Standing as Kind
from turnout.audit.audit import Cause
from turnout.events import times
from turnout.events.drafts import EventDraft, PlaceDraft
from turnout.events.models import Event, Status, Visibility
from turnout.registrations import service
from turnout.registrations.models import Admission
from turnout.registrations.service import AdmissionDraft

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
EVENTS = 160
WORDS = ["jazz", "Jazzy", "Café", "night", "Nacht", "Rock-and-roll", "R", "2027", "naïve", "Berlin"]
TAGS = ["jazz", "Late Night", "C", "rock"]
PLACES: list[tuple[str, str, str, float, float]] = [
    ("Berlin", "Germany", "DE", 52.52, 13.405),
    ("Potsdam", "Germany", "DE", 52.39, 13.06),
    ("São Paulo", "Brazil", "BR", -23.55, -46.63),
    ("Berlingen", "Switzerland", "CH", 47.67, 9.02),
    ("Suva", "Fiji", "FJ", -18.14, 178.44),
    ("Apia", "Samoa", "WS", -13.83, -171.76),
]
ZONES = ["UTC", "Asia/Kolkata", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]


@dataclass(frozen=True)
class Made:
    """An event, as it was made."""

    id: UUID
    owner: UUID
    name: str
    texts: tuple[str, ...]
    tags: tuple[str, ...]
    place: tuple[str, str, str, float, float] | None
    is_online: bool
    start: datetime
    end: datetime
    seats_left: float
    status: str
    is_public: bool


def words_of(*texts: str) -> list[str]:
    """The words, without case and accents."""
    plain = unicodedata.normalize("NFKD", " ".join(texts).casefold().replace("'", ""))
    kept = (c if c.isalnum() else "" if unicodedata.combining(c) else " " for c in plain)
    return "".join(kept).split()


def has_words(wanted: str, *texts: str) -> bool:
    found = words_of(*texts)
    return all(
        word in found if len(word) == 1 else any(each.startswith(word) for each in found)
        for word in words_of(wanted)
    )


def instant(text: str, zone: str, *, is_end: bool) -> datetime:
    if len(text) == len("2027-03-10"):
        day = date.fromisoformat(text) + timedelta(days=int(is_end))
        return datetime.combine(day, time(), ZoneInfo(zone))
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))


def km(event: Made, asked: dict[str, Any]) -> float:
    if event.place is None:
        return math.inf
    latitude, longitude = map(float, asked["near"].split(","))
    return haversine_km((latitude, longitude), event.place[3:])


def is_wanted(event: Made, asked: dict[str, Any], me: UUID) -> bool:
    """Whether each filter lets the event pass."""
    is_own = asked.get("mine") or asked.get("status") in {"draft", "cancelled"}
    zone = asked.get("tz", "Asia/Kolkata")
    since = instant(asked["from"], zone, is_end=False) if "from" in asked else None
    until = instant(asked["to"], zone, is_end=True) if "to" in asked else None
    if since and until and since > until:
        return False
    if since is None and not is_own and not asked.get("include_past"):
        since = NOW
    place = event.place or ("", "", "", 0.0, 0.0)
    texts = (event.name, *event.texts, *event.tags, *place[:2])
    return all((
        event.owner == me if is_own else event.status == "published" and event.is_public,
        not is_own or asked.get("status") in {None, event.status},
        since is None or event.end > since,
        until is None or event.start < until,
        "q" not in asked or has_words(asked["q"], *texts),
        "city" not in asked or words_of(asked["city"]) == words_of(place[0]),
        "country" not in asked or asked["country"].casefold() in map(str.casefold, place[1:3]),
        "tag" not in asked or words_of(asked["tag"]) in [words_of(tag) for tag in event.tags],
        "online" not in asked or event.is_online == asked["online"],
        "organizer" not in asked or event.owner == asked["organizer"],
        not asked.get("available") or event.seats_left >= 1,
        event.seats_left >= asked.get("min_seats", 0),
        "near" not in asked or km(event, asked) <= asked.get("radius_km", 50),
    ))  # fmt: skip


def scan(events: list[Made], asked: dict[str, Any], me: UUID) -> list[Made]:
    """The events that are wanted, in order."""
    found = sorted(
        (each for each in events if is_wanted(each, asked, me)),
        key=lambda each: (each.start, each.id),
    )
    match asked.get("sort"):
        case "-start_time":
            found.reverse()
        case "distance":
            found.sort(key=lambda each: round(km(each, asked), 6))
        case "relevance":
            found.sort(key=lambda each: not has_words(asked["q"], each.name))
    return found


# ---- the events


def some_words(chosen: random.Random, most: int) -> str:
    return " ".join(chosen.choices(WORDS, k=chosen.randint(1, most)))


def a_draft(chosen: random.Random) -> tuple[EventDraft, AdmissionDraft]:
    start = NOW + timedelta(hours=chosen.randint(-24 * 20, 24 * 20))
    days = timedelta(days=chosen.randint(1, 30))
    lasts = chosen.choice([timedelta(hours=2), timedelta(hours=2), days])
    place = chosen.choice([*PLACES, None])
    draft = EventDraft(
        name=some_words(chosen, 3),
        location=some_words(chosen, 1),
        timezone="UTC",
        start=times.moment_at(start, "UTC"),
        end=times.moment_at(start + lasts, "UTC"),
        description=some_words(chosen, 3),
        place=PlaceDraft(None, None, *place) if place else PlaceDraft(),
        online_url=chosen.choice([None, "https://example.com/"]),
        tags=tuple(chosen.sample(TAGS, chosen.randint(0, 2))),
        status=chosen.choice([Status.PUBLISHED, Status.PUBLISHED, Status.PUBLISHED, Status.DRAFT]),
        visibility=chosen.choice([Visibility.PUBLIC] * 4 + [Visibility.PRIVATE]),
    )
    return draft, AdmissionDraft(chosen.choice([None, 1, 2, 10]))


async def fill(app: RunningApp) -> tuple[list[Made], UUID]:
    """Random events of two organizers, and who a caller without a credential is."""
    chosen = random.Random(7)
    database = app.runtime.database
    olive = await cast.olive(app)
    async with database.write() as db:
        me = await accounts.built_in_organizer(db, NOW)
    actors = [me, Actor(Kind.ACCOUNT, olive.id, "Olive", Role.ORGANIZER)]
    made: list[Made] = []
    for actor in actors:
        drafts = [a_draft(chosen) for _ in range(EVENTS // 2)]
        async with database.write() as db:
            found = await service.host(db, actor, Cause("open"), drafts, NOW)
        assert actor.user_id is not None
        for event_id, (draft, admission) in zip(found, drafts, strict=True):
            made.append(as_made(event_id, actor.user_id, draft, admission))
    assert me.user_id is not None
    made = [await live_on(app, each, chosen) for each in made]
    await plans.gather_statistics(database)  # by which PostgreSQL tells common words from rare ones
    return made, me.user_id


def as_made(event_id: UUID, owner: UUID, draft: EventDraft, admission: AdmissionDraft) -> Made:
    where = draft.place
    place = next((each for each in PLACES if each[0] == where.city), None)
    return Made(
        event_id, owner, draft.name, (draft.location, draft.description), draft.tags, place,
        draft.online_url is not None, draft.start.instant, draft.end.instant,
        math.inf if admission.capacity is None else admission.capacity, draft.status.value,
        draft.visibility is Visibility.PUBLIC,
    )  # fmt: skip


async def live_on(app: RunningApp, event: Made, chosen: random.Random) -> Made:
    """The event after some are cancelled, and some seats taken."""
    database = app.runtime.database
    if event.status == "published" and chosen.random() < 0.1:
        cancelled = {"status": "cancelled", "cancelled_at": NOW}
        await rows.change(database, update(Event).where(Event.id == event.id).values(**cancelled))
        event = replace(event, status="cancelled")
    if math.isfinite(event.seats_left):
        taken = chosen.randint(0, int(event.seats_left))
        of_event = update(Admission).where(Admission.event_id == event.id)
        await rows.change(database, of_event.values(taken=taken))
        event = replace(event, seats_left=event.seats_left - taken)
    return event


# ---- what is asked


def maybe(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Mostly nothing: of many filters together, few events are left."""
    return st.one_of(st.just({}), st.just({}), st.just({}), values.map(lambda each: {name: each}))


DAYS = st.integers(-25, 25).map(lambda n: (NOW + timedelta(days=n)).date().isoformat())
MINUTES = st.integers(-36_000, 36_000)
AT = MINUTES.map(lambda n: (NOW + timedelta(minutes=n)).isoformat())
WALL_CLOCKS = MINUTES.map(lambda n: (NOW + timedelta(minutes=n)).isoformat()[:-6])
ALL_WORDS = words_of(*WORDS, *TAGS, *(each[0] for each in PLACES))
BEGINNINGS = st.sampled_from(ALL_WORDS).flatmap(
    lambda word: st.integers(1, len(word)).map(lambda n: word[:n])
)
FILTERS = [
    maybe("q", st.lists(BEGINNINGS, min_size=1, max_size=2).map(" ".join)),
    maybe("from", DAYS | AT | WALL_CLOCKS),
    maybe("to", DAYS | AT | WALL_CLOCKS),
    maybe("tz", st.sampled_from(ZONES)),
    maybe("city", st.sampled_from(["berlin", "SAO PAULO", "Ber", "Berlingen", "Suva"])),
    maybe("country", st.sampled_from(["DE", "germany", "BR", "Samoa", "ch"])),
    maybe("tag", st.sampled_from(["Jazz", "late night", "late", "c"])),
    maybe("online", st.booleans()),
    maybe("available", st.booleans()),
    maybe("min_seats", st.integers(1, 11)),
    maybe("include_past", st.booleans()),
    maybe("mine", st.booleans()),
    maybe("status", st.sampled_from(["draft", "published", "cancelled"])),
    maybe("near", st.sampled_from(["52.5,13.4", "-18,180", "0,0", "-13.83,-171.76"])),
    maybe("radius_km", st.sampled_from([5, 60, 900, 4_000, 20_038])),
    maybe("sort", st.sampled_from(["start_time", "-start_time", "distance", "relevance"])),
]


def together(parts: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """The filters as one query, with what some of them need."""
    asked = {name: value for part in parts for name, value in part.items()}
    if "radius_km" in asked or asked.get("sort") == "distance":
        asked.setdefault("near", "50,10")
        asked.setdefault("radius_km", 2_000)
    if asked.get("sort") == "relevance":
        asked.setdefault("q", "ja")
    return asked


class Filled:
    """The product with its events, and whose account asks.

    No dataclass: hypothesis would write all of it beside an example.
    """

    def __init__(self, product: Standing, events: list[Made], me: UUID) -> None:
        self.product = product
        self.events = events
        self.me = me


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    with standing.on(request, request.param, tmp_path_factory.mktemp("scan")) as started:
        yield Filled(started, *started.run(fill))


@given(st.tuples(*FILTERS).map(together))
@settings(max_examples=120, deadline=None)
def test_all_filters_together_find_what_a_scan_finds(filled: Filled, asked: dict[str, Any]) -> None:
    expected = [str(each.id) for each in scan(filled.events, asked, filled.me)]

    with time_machine.travel(NOW, tick=False):
        found = filled.product.ids(urlencode(asked))

    assert found == expected


def test_scan_tells_events_apart(filled: Filled) -> None:
    """The control: that both agree says something only where they find some and leave some."""
    asked: list[dict[str, Any]] = [
        {}, {"include_past": True}, {"q": "jazz"}, {"q": "r"}, {"city": "berlin"},
        {"country": "de"}, {"tag": "jazz"}, {"online": True}, {"available": True},
        {"min_seats": 2}, {"mine": True},
        {"status": "draft"}, {"status": "cancelled"}, {"near": "52.5,13.4"},
        {"from": "2027-03-01", "to": "2027-03-05"}, {"q": "jazz", "city": "berlin"},
    ]  # fmt: skip

    counts = [len(scan(filled.events, each, filled.me)) for each in asked]

    assert len(filled.events) == EVENTS
    assert [0 < each < EVENTS for each in counts] == [True] * len(asked), counts
