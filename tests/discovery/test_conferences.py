"""The real conferences that come with the product: what is found is what a scan of the file finds.

Instants and positions are not in the file; they are taken from the answers, after the answers were
held against the days and the cities that are.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select
from tests.db import plans, rows
from tests.discovery import asking, standing
from tests.discovery.standing import Standing
from tests.discovery.test_against_a_scan import has_words, words_of
from tests.discovery.test_near import haversine_km
from tests.support.app import RunningApp

from turnout.accounts import service as accounts
from turnout.cli.data import importing
from turnout.cli.demo import filling
from turnout.discovery import search_sql
from turnout.discovery.search import Hit
from turnout.discovery.wanted import Share, Sort, Wanted
from turnout.events import lexemes
from turnout.events.models import Event

NOW = datetime(2022, 6, 15, 12, tzinfo=UTC)
MUMBAI = (19.07, 72.88)
BERLIN = (52.52, 13.405)


@dataclass(frozen=True)
class Conference:
    """A row of the file, and the event that was made of it as it is answered."""

    row: dict[str, Any]
    event: dict[str, Any]

    @property
    def start(self) -> datetime:
        return datetime.fromisoformat(self.event["start_time"])

    @property
    def end(self) -> datetime:
        return datetime.fromisoformat(self.event["end_time"])

    @property
    def city(self) -> str:
        return (self.row.get("city") or "").strip()

    @property
    def country(self) -> str:
        return self.row.get("country") or ""

    def has(self, words: str) -> bool:
        """Whether the row has the words, where the product says that it looks."""
        texts = (self.event["description"], self.city, self.country, self.event["location"])
        return has_words(words, self.row["name"], *self.row["topics"], *texts)

    def km_from(self, place: tuple[float, float]) -> float:
        where = self.event["place"]
        if where is None or where["latitude"] is None:
            return float("inf")
        return haversine_km(place, (where["latitude"], where["longitude"]))


class Imported:
    """The product with the conferences, and them."""

    def __init__(self, product: Standing, conferences: list[Conference]) -> None:
        self.product = product
        self.conferences = conferences

    def scan(self, wanted: Callable[[Conference], bool]) -> list[str]:
        """The ids of those that are wanted, soonest first."""
        found = sorted((each.start, each.event["id"]) for each in self.conferences if wanted(each))
        return [event_id for _, event_id in found]

    def ids(self, query: str) -> list[str]:
        """The ids of what the product finds on NOW, in its order."""
        with time_machine.travel(NOW, tick=False):
            return self.product.ids(query)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def imported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Imported]:
    folder = tmp_path_factory.mktemp("conferences")
    with standing.on(request, request.param, folder) as product:
        yield Imported(product, product.run(fill))


async def fill(app: RunningApp) -> list[Conference]:
    """Each row with what the API answers of its event."""
    taken, database = filling.shipped(), app.runtime.database
    await importing.write(database, accounts.built_in_organizer, taken)
    await plans.gather_statistics(database)  # by which PostgreSQL tells common words from rare ones
    ids = dict(await rows.read(database, select(Event.import_key, Event.id)))
    in_file = the_file()
    async with app.client() as api:
        events = await everything(api)
    assert len(in_file) == len(taken) == len(ids) == len(events)
    by_row = {each.row: str(ids[each.key]) for each in taken}
    return [Conference(row, events[by_row[n]]) for n, row in enumerate(in_file, 1)]


def the_file() -> list[dict[str, Any]]:
    packed = resources.files("turnout.cli").joinpath("demo", "conferences.json.gz").read_bytes()
    found: list[dict[str, Any]] = json.loads(gzip.decompress(packed))
    return found


async def everything(api: Any) -> dict[str, dict[str, Any]]:
    """Every event by its id, in its own zone."""
    found: dict[str, dict[str, Any]] = {}
    following: str | None = "/events?include_past=true&limit=100"
    while following is not None:
        answer = await api.get(following)
        found |= {event["id"]: event for event in answer.json()["items"]}
        link = answer.links.get("next")
        following = None if link is None else link["url"]
    return found


def test_answers_say_what_the_file_says(imported: Imported) -> None:
    assert len(imported.conferences) == 6007
    for each in imported.conferences:
        row, event = each.row, each.event
        place = event["place"] or {"city": None, "country": None}
        assert event["name"] == " ".join(row["name"].split())
        assert event["tags"] == list(dict.fromkeys(row["topics"]))
        assert event["start_time"].startswith(f"{row['startDate']}T09:00:00")
        assert event["end_time"].startswith(f"{row['endDate']}T18:00:00")
        assert (place["city"] or "", place["country"] or "") == (each.city, each.country)
        assert row["url"].strip().replace(" ", "%20") in event["description"]


def is_over(each: Conference) -> bool:
    return each.end <= NOW


def always(each: Conference) -> bool:
    del each
    return True


def in_berlin(each: Conference) -> bool:
    return words_of(each.city) == ["berlin"]


def within(start: str, end: str) -> Callable[[Conference], bool]:
    """Whether it has a part in the days of UTC from `start` to `end`."""
    since = datetime.fromisoformat(f"{start}T00:00:00Z")
    until = datetime.fromisoformat(f"{end}T00:00:00Z") + timedelta(days=1)
    return lambda each: each.end > since and each.start < until


def near_mumbai(each: Conference) -> bool:
    return each.km_from(MUMBAI) <= 50


PAST = "include_past=true"
ALL_TIMES: dict[str, Callable[[Conference], bool]] = {
    "": always,
    "city=Berlin": in_berlin,
    "city=new+york": lambda each: words_of(each.city) == ["new", "york"],
    "near=19.07,72.88&radius_km=50": near_mumbai,
    "near=52.52,13.405&radius_km=300": lambda each: each.km_from(BERLIN) <= 300,
    "q=python": lambda each: each.has("python"),
    "q=py": lambda each: each.has("py"),
    "q=js+conf": lambda each: each.has("js conf"),
    "q=c": lambda each: each.has("c"),
    "q=berlin": lambda each: each.has("berlin"),
    "country=DE": lambda each: each.country == "Germany",
    "country=india": lambda each: each.country == "India",
    "country=GB": lambda each: each.country in {"U.K.", "Scotland"},
    "tag=python": lambda each: "python" in each.row["topics"],
    "tag=ios": lambda each: "ios" in each.row["topics"],
    # One that is in a city as well has its link in the description, and none to come by.
    "online=true": lambda each: bool(each.row.get("online")) and not each.city,
    "city=Berlin&q=javascript": lambda each: in_berlin(each) and each.has("javascript"),
    "city=Berlin&country=US": lambda each: in_berlin(each) and each.country == "U.S.A.",
    "country=DE&tag=data": lambda each: each.country == "Germany" and "data" in each.row["topics"],
    "near=19.07,72.88&radius_km=50&q=pycon": lambda each: near_mumbai(each) and each.has("pycon"),
    "near=52.52,13.405&radius_km=300&tag=java": lambda each: (
        each.km_from(BERLIN) <= 300 and "java" in each.row["topics"]
    ),
    "q=python&country=IN&near=12.97,77.59&radius_km=900": lambda each: (
        each.has("python") and each.country == "India" and each.km_from((12.97, 77.59)) <= 900
    ),
}
"""What to ask for, and what of the file that is."""


@pytest.mark.parametrize("query", ALL_TIMES)
def test_conferences_found_are_those_that_a_scan_finds(imported: Imported, query: str) -> None:
    is_wanted = ALL_TIMES[query]
    range_ = within("2019-03-01", "2019-09-30")
    in_range = "from=2019-03-01&to=2019-09-30&tz=UTC"

    found = [imported.ids(f"{query}&{each}") for each in ("", PAST, in_range)]

    assert found == [
        imported.scan(lambda each: is_wanted(each) and not is_over(each)),
        imported.scan(is_wanted),
        imported.scan(lambda each: is_wanted(each) and range_(each)),
    ]


def test_scan_finds_what_the_file_is_known_to_have(imported: Imported) -> None:
    """The control: counts that were taken from the file by other means."""
    counts = {
        query: len(imported.scan(ALL_TIMES[query]))
        for query in ("city=Berlin", "near=19.07,72.88&radius_km=50", "tag=python", "country=DE")
    }

    assert counts == {
        "city=Berlin": 293,
        "near=19.07,72.88&radius_km=50": 6,
        "tag=python": 151,
        "country=DE": 693,
    }


def test_conferences_by_distance_are_sorted_as_a_scan_sorts(imported: Imported) -> None:
    def by_distance(each: Conference) -> tuple[float, datetime, str]:
        return round(each.km_from(MUMBAI), 6), each.start, each.event["id"]

    near = [each for each in imported.conferences if each.km_from(MUMBAI) <= 1_000]
    query = f"near=19.07,72.88&radius_km=1000&sort=distance&{PAST}"

    found = imported.ids(query)
    first = imported.product.items(query)

    assert found == [each.event["id"] for each in sorted(near, key=by_distance)]
    distances = {each.event["id"]: each.km_from(MUMBAI) for each in near}
    assert [each["distance_km"] for each in first] == pytest.approx(
        [distances[each["id"]] for each in first], abs=0.02
    )


def test_conferences_the_other_way_round_or_by_name_are_sorted_as_a_scan_sorts(
    imported: Imported,
) -> None:
    python = imported.scan(lambda each: each.has("python"))
    named = imported.scan(lambda each: has_words("python", each.row["name"]))

    latest = imported.ids(f"q=python&{PAST}&sort=-start_time")
    relevant = imported.ids(f"q=python&{PAST}&sort=relevance")

    assert 0 < len(named) < len(python)
    assert latest == python[::-1]
    assert relevant == named + [each for each in python if each not in named]


WORDS = [("python",), ("js",), ("conf",), ("py", "berlin"), ("germany",), ("c",), ("nothing",)]


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("sort", [Sort.START_TIME, Sort.LATEST, Sort.RELEVANCE])
def test_words_are_found_the_same_whatever_is_known_of_how_common_they_are(
    imported: Imported, words: tuple[str, ...], sort: Sort
) -> None:
    wanted = Wanted(since=NOW - timedelta(days=900), words=words, sort=sort)
    shares = (Share(), Share(1.0), Share(0.0, 0.001))
    known = [(), *((each,) * len(words) for each in shares)]
    wanteds = [
        replace(each, shares=shares, shares_of_names=shares_of_names)
        for each in (wanted, replace(wanted, facets=(lexemes.country("DE"),)))
        for shares in known
        for shares_of_names in known
    ]

    async def ask(app: RunningApp) -> list[list[UUID]]:
        database, found = app.runtime.database, []
        for each in wanteds:
            asked = search_sql.build(each, None, 100, is_sqlite=database.is_sqlite)
            hits = [Hit._make(row) for row in await database.searches.fetch(*asked)]
            found.append([hit.event_id for hit in hits])
        return found

    found = imported.product.run(ask)

    assert found == [found[0]] * len(known) ** 2 + [found[-1]] * len(known) ** 2
    assert bool(found[0]) == (words != ("nothing",))


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("sort", [Sort.START_TIME, Sort.LATEST, Sort.RELEVANCE])
def test_words_are_found_the_same_in_the_index_of_sqlite_and_in_the_rows_it_leads_to(
    imported: Imported, words: tuple[str, ...], sort: Sort
) -> None:
    wanted = Wanted(since=NOW - timedelta(days=900), words=words, sort=sort)
    hints = [(rare, are_few) for rare in (None, *words) for are_few in (False, True)]
    wanteds = [
        replace(each, rare_word=rare, are_few_long=are_few)
        for each in (wanted, replace(wanted, facets=(lexemes.country("DE"),)))
        for rare, are_few in hints
    ]

    async def ask(app: RunningApp) -> list[list[UUID]]:
        database, found = app.runtime.database, []
        for each in wanteds:
            asked = search_sql.build(each, None, 100, is_sqlite=database.is_sqlite)
            hits = [Hit._make(row) for row in await database.searches.fetch(*asked)]
            found.append([hit.event_id for hit in hits])
        return found

    found = imported.product.run(ask)

    assert found == [found[0]] * len(hints) + [found[-1]] * len(hints)
    assert bool(found[0]) == (words != ("nothing",))


def test_conferences_in_pages_of_seven_are_the_same(imported: Imported) -> None:
    query = f"country=DE&q=java&{PAST}"

    pages = imported.product.runner.run(asking.pages(imported.product.api, f"{query}&limit=7"))

    assert [each for page in pages for each in page] == imported.scan(
        lambda each: each.country == "Germany" and each.has("java")
    )
