"""`python -m benchmarks.search`: how long a search takes among a million events, one client.

Every filter alone, the usual mixes, and how deep a page may lie: each request asks for something
else, so that no kept answer fits. Then the list and an event from many connections.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from urllib.parse import quote, urlencode

import asyncpg
import typer
from benchmarks import million
from rich.console import Console
from rich.table import Table
from tests.support.postgres import PostgresServer

from turnout import clock
from turnout.cli.bench import command, servers
from turnout.cli.bench.bench import Bench
from turnout.cli.bench.calls import Caller
from turnout.cli.bench.report import Report
from turnout.db import engines
from turnout.migrations import schema
from turnout.places.gazetteer import City

DATABASE = "million"
REQUESTS, WARM_UP = 200, 10
GOAL_MS, GOAL_DEPTH = 20.0, 1.5
DEEP_PAGE, PAGE = 10_000, 20
LARGEST_PAGE = 100
LOADS, LOAD_SECONDS = ("list", "event"), 3.0
Query = dict[str, str]


@dataclass(frozen=True, slots=True)
class Timed:
    """How long the requests of one kind took, in milliseconds, and how much they found."""

    name: str
    p50: float
    p95: float
    p99: float
    found: float


class Asker:
    """Makes queries as people would, the same ones in every run."""

    def __init__(self, now: datetime) -> None:
        self._chance = random.Random(million.SEED)
        self._now = now

    def kinds(self) -> dict[str, Callable[[], Query]]:
        """By name, what makes another query of that kind each time."""
        return {
            "none": dict,
            "from, to": self.dates,
            "city": self.city,
            "country": lambda: {"country": self._city().country_code},
            "near, 50 km": self.near,
            "near, 500 km": lambda: {**self.near(), "radius_km": "500"},
            "q, a word": self.word,
            "q, a beginning": lambda: {"q": self.word()["q"][: self._chance.randint(2, 5)]},
            "q, two words": lambda: {"q": f"{self.word()['q']} {self.word()['q']}"},
            "tag": lambda: {"tag": self._chance.choice(million.TAGS)},
            "available": lambda: {"available": "true"},
            "min_seats": lambda: {"min_seats": str(self._chance.randint(1, 300))},
            "online": lambda: {"online": "true"},
            "include_past": lambda: {"include_past": "true"},
            "sort=-start_time": lambda: {"sort": "-start_time"},
            "near, sort=distance": lambda: {**self.near(), "sort": "distance"},
            "q, sort=relevance": lambda: {**self.word(), "sort": "relevance"},
            "city, dates, available": lambda: {
                **self.city(), **self.dates(), "available": "true"
            },
            "words, dates": lambda: {**self.word(), **self.dates()},
            "near, dates": lambda: {**self.near(), **self.dates()},
        }  # fmt: skip

    def dates(self) -> Query:
        """Some days, in the next three years."""
        day = self._now.date() + timedelta(days=self._chance.randrange(1_000))
        last = day + timedelta(days=self._chance.choice((0, 2, 6, 29)))
        return {"from": day.isoformat(), "to": last.isoformat()}

    def city(self) -> Query:
        """A city, the more often the more people it has."""
        return {"city": self._city().name}

    def near(self) -> Query:
        """Within 50 km of a city."""
        city = self._city()
        return {"near": f"{city.latitude:.4f},{city.longitude:.4f}"}

    def word(self) -> Query:
        """A word, common ones as well as rare ones."""
        words = million.vocabulary()
        return {"q": words[min(int(self._chance.paretovariate(0.4)), len(words) - 1)]}

    def _city(self) -> City:
        cities = million.cities()
        return cities[min(int(self._chance.paretovariate(0.5)), len(cities) - 1)]


def main(
    *,
    database: Annotated[str, typer.Option(help="sqlite, postgresql, or an address.")] = "sqlite",
    events: Annotated[int, typer.Option(help="How many; an address may have them.")] = 1_000_000,
    keep: Annotated[
        Path | None, typer.Option(help="Where SQLite's file stays, and is found by the next run.")
    ] = None,
) -> None:
    """Measure every kind of search through the product as it is served."""
    console = Console()
    with servers.stopped_by_sigterm(), filled(database, events, keep) as url:
        environment = {"TURNOUT_DATABASE_URL": url, "TURNOUT_RATE_LIMITS": "off"}
        with TemporaryDirectory() as folder:
            environment["TURNOUT_DATA_DIR"] = folder
            with servers.product(environment) as server, Caller(server.address) as caller:
                console.print(table(database, [*timed(caller)]))
                first, deep = depth(caller)
                bench = Bench(server.address, server=server, seconds=LOAD_SECONDS)
                figures = command.measure(bench, LOADS, console)
    console.print(
        f"page 1: {first:.2f} ms, page {DEEP_PAGE:,}: {deep:.2f} ms, "
        f"{deep / first:.2f} times (at most {GOAL_DEPTH})"
    )
    command.show(
        Report(database, 1, bench.connections, LOAD_SECONDS, bench.rounds, figures), console
    )


@contextmanager
def filled(database: str, events: int, keep: Path | None) -> Iterator[str]:
    """The address of a database with the events in it."""
    if database == "postgresql":
        # What a server of so many events is given; the 64 MB of tests hold a hundredth of them.
        with PostgresServer.start(settings={"shared_buffers": "1GB"}) as server:
            server.create_database_sync(DATABASE)
            yield made(server.url(DATABASE), events)
    elif database == "sqlite":
        with TemporaryDirectory() as folder:
            path = (keep or Path(folder)).absolute() / "million.db"
            url = f"sqlite:///{path}"
            yield url if path.exists() else made(url, events)
    else:
        yield database


def made(url: str, events: int) -> str:
    """The address of a new database, once it is full."""

    async def make() -> None:
        await schema.upgrade(url)
        await million.fill(url, events, clock.now())
        if not engines.is_sqlite(url):
            await _vacuum(url)

    asyncio.run(make())
    return url


async def _vacuum(url: str) -> None:
    """What the server does by itself, sooner or later: a database that stands has had it."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM (ANALYZE)", timeout=600)
    finally:
        await connection.close()


def timed(caller: Caller) -> Iterator[Timed]:
    """The figures of each kind, as they are ready."""
    for name, query in Asker(clock.now()).kinds().items():
        found = [asked(caller, number, query()) for number in range(WARM_UP + REQUESTS)][WARM_UP:]
        times = sorted(milliseconds for milliseconds, _ in found)
        p50, p95, p99 = (times[int(len(times) * part)] for part in (0.5, 0.95, 0.99))
        yield Timed(name, p50, p95, p99, sum(count for _, count in found) / len(found))


def asked(caller: Caller, number: int, query: Query) -> tuple[float, int]:
    """How long one request took, and how many events were on the page."""
    # A parameter that nobody reads keeps two queries that happen to be alike apart.
    path = f"/events?{urlencode({**query, 'limit': PAGE, 'n': number}, quote_via=quote)}"
    before = time.perf_counter()
    answer = caller.expect(200, "GET", path)
    return (time.perf_counter() - before) * 1e3, len(answer.json()["items"])


def depth(caller: Caller) -> tuple[float, float]:
    """The median times of the first page and of one far behind it, in milliseconds."""
    cursor = ""
    for _ in range(DEEP_PAGE * PAGE // LARGEST_PAGE):
        query = {"limit": str(LARGEST_PAGE), **({"cursor": cursor} if cursor else {})}
        page = caller.expect(200, "GET", f"/events?{urlencode(query)}").json()
        cursor = page["next_cursor"]
    return median(caller, {}), median(caller, {"cursor": cursor})


def median(caller: Caller, query: Query) -> float:
    """The median time of a page, in milliseconds."""
    return sorted(asked(caller, number, query)[0] for number in range(REQUESTS))[REQUESTS // 2]


def table(database: str, found: list[Timed]) -> Table:
    """The figures as a table."""
    made = Table(title=f"searches among a million events, {database.partition(':')[0]}, ms")
    for column in ("filter", "p50", "p95", "p99", "found", f"p99 at most {GOAL_MS:.0f}"):
        made.add_column(column)
    for each in found:
        figures = (f"{value:.1f}" for value in (each.p50, each.p95, each.p99, each.found))
        made.add_row(each.name, *figures, "yes" if each.p99 <= GOAL_MS else "no")
    return made


if __name__ == "__main__":
    typer.run(main)
