"""The benchmark on the product itself: small, and for what it finds, not for how fast it is."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from turnout.cli.bench import own
from turnout.cli.bench.bench import Bench
from turnout.cli.bench.calls import CannotMeasureError
from turnout.cli.bench.reads import LIST
from turnout.cli.bench.scenarios import FEW_SEATS, SCENARIOS


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with own.served(None, events=300) as started:
        ready = replace(started, connections=16, seconds=0.5, rounds=1)
        yield ready
    assert ready.broken == []  # by the loads, or found by `turnout doctor` after them


def test_bench_fills_its_database(bench: Bench) -> None:
    with bench.calls() as caller:
        first = caller.expect(200, "GET", LIST).json()["items"]
        talks = [event for event in caller.pages("/events") if event["name"].startswith("Talk")]

    assert [event["name"] for event in first[1:]] == [f"Talk {n}" for n in range(1, 20)]
    assert len({event["id"] for event in talks}) == len(talks) == 300


def test_bench_refuses_a_database_with_events(bench: Bench) -> None:
    assert bench.environment is not None

    with pytest.raises(own.NotEmptyError), own.served(bench.environment["TURNOUT_DATABASE_URL"]):
        pass


@pytest.mark.parametrize(
    ("name", "status"), [("list-304", "304"), ("list-busy", "200"), ("event", "200")]
)
def test_bench_reads_what_the_product_answers(bench: Bench, name: str, status: str) -> None:
    found = SCENARIOS[name].run(bench)

    assert (found.name, found.errors) == (name, 0)
    assert set(found.real[0].statuses) == {status}


def test_bench_registers_until_the_event_is_full(bench: Bench) -> None:
    found = SCENARIOS["register-below"].run(bench)

    assert found.errors == 0
    assert 0 < found.real[0].answered(201) <= FEW_SEATS
    assert bench.broken == []


@pytest.mark.parametrize("name", ["list-bearer", "list-bearer-many", "event-bearer"])
def test_bench_reads_by_accounts_and_by_nobody(bench: Bench, name: str) -> None:
    found = SCENARIOS[name].run(bench)

    assert (found.name, found.unit, found.errors) == (name, "of anonymous", 0)
    assert [set(each.statuses) for each in (*found.floor, *found.real)] == [{"200"}] * 2


def test_bench_registers_by_an_account_and_by_guests(bench: Bench) -> None:
    found = SCENARIOS["register-bearer"].run(bench)

    assert (found.unit, found.errors) == ("of anonymous", 0)
    assert [set(each.statuses) for each in (*found.floor, *found.real)] == [{"201"}] * 2
    assert bench.broken == []


def test_bench_reads_while_people_sign_in(bench: Bench) -> None:
    found = SCENARIOS["sign-ins"].run(bench)

    assert (found.unit, found.errors) == ("times quiet", 0)
    assert [set(each.statuses) for each in (*found.floor, *found.real)] == [{"200"}] * 2


def test_bench_needs_a_server_of_its_own_for_an_organizer(bench: Bench) -> None:
    with pytest.raises(CannotMeasureError, match="leave out --url"):
        SCENARIOS["register-bearer"].run(replace(bench, environment=None))


def test_bench_weighs_its_server(bench: Bench) -> None:
    found = SCENARIOS["memory"].run(bench)

    assert found.spread.low == found.spread.high > 0


def test_bench_leaves_out_what_it_cannot_measure(bench: Bench) -> None:
    with pytest.raises(CannotMeasureError, match="takes 300 pages of events"):
        SCENARIOS["list-pages"].run(bench)
