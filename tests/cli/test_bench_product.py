"""The benchmark on the product itself: small, and for what it finds, not for how fast it is."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from turnout.cli.bench import own
from turnout.cli.bench.bench import Bench
from turnout.cli.bench.calls import CannotMeasureError
from turnout.cli.bench.scenarios import FEW_SEATS, LIST, SCENARIOS


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


def test_bench_weighs_its_server(bench: Bench) -> None:
    found = SCENARIOS["memory"].run(bench)

    assert found.spread.low == found.spread.high > 0


def test_bench_leaves_out_what_it_cannot_measure(bench: Bench) -> None:
    with pytest.raises(CannotMeasureError, match="takes 300 pages of events"):
        SCENARIOS["list-uncached"].run(bench)
