"""What README and tutorial tell people to type works, and is answered as they show it."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.docs import samples
from tests.house import tree
from tests.support import product

PAGES = ["README.md", "docs/tutorial.md"]
ACCOUNTS = "docs/how-to/accounts.md"
LIFE = "docs/how-to/run-an-event.md"
ZONES = "docs/how-to/time-zones.md"
SERIES = "docs/how-to/series.md"
FINDING = "docs/how-to/find-events.md"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with product.served(tmp_path) as server:
        yield server.url


@pytest.mark.parametrize("name", PAGES)
def test_samples_of_a_page_get_what_it_says(name: str, url: str, tmp_path: Path) -> None:
    page = (tree.ROOT / name).read_text("utf-8")
    found = samples.samples_of(page)

    calls = samples.run(found, url, tmp_path)

    assert [call.status for call in calls] == [each for one in found for each in one.statuses]
    for sample in found:
        answered = [calls.pop(0) for _ in sample.statuses][-1]
        if sample.shown is not None:
            assert samples.steady(json.loads(answered.body)) == samples.steady(sample.shown)


def test_samples_about_accounts_get_what_the_page_says(tmp_path: Path) -> None:
    page = (tree.ROOT / ACCOUNTS).read_text("utf-8")
    admin = dict(re.findall(r"^export (TURNOUT_ADMIN_\w+)='?(.*?)'?$", page, re.MULTILINE))
    found = samples.samples_of(page)

    with product.served(tmp_path, "--workers", "1", settings=admin) as server:
        calls = samples.run(found, server.url, tmp_path)

    assert [call.status for call in calls] == [each for one in found for each in one.statuses]
    assert samples.unmarked(page) == []
    organizer = json.loads(calls[5].body)
    assert samples.steady(organizer) == samples.steady(found[1].shown)


def test_samples_about_running_an_event_get_what_the_page_says(url: str, tmp_path: Path) -> None:
    page = (tree.ROOT / LIFE).read_text("utf-8")
    found = samples.samples_of(page)

    calls = samples.run(found, url, tmp_path)

    assert [call.status for call in calls] == [each for one in found for each in one.statuses]
    assert samples.unmarked(page) == []
    [excerpt] = [one.shown for one in found if one.shown is not None]
    rehearsed = json.loads(calls[5].body)
    assert {name: rehearsed[name] for name in excerpt} == excerpt
    assert rehearsed["event"]["start_time"] == "2030-03-31T18:00:00+02:00"


def test_samples_about_time_zones_get_what_the_page_says(url: str, tmp_path: Path) -> None:
    page = (tree.ROOT / ZONES).read_text("utf-8")
    found = samples.samples_of(page)

    calls = samples.run(found, url, tmp_path)

    assert [call.status for call in calls] == [each for one in found for each in one.statuses]
    assert samples.unmarked(page) == []
    [excerpt] = [one.shown for one in found if one.shown is not None]
    assert json.loads(calls[3].body)["warnings"] == excerpt["warnings"]


def test_samples_about_series_get_what_the_page_says(url: str, tmp_path: Path) -> None:
    page = (tree.ROOT / SERIES).read_text("utf-8")
    found = samples.samples_of(page)

    calls = samples.run(found, url, tmp_path)

    assert [call.status for call in calls] == [each for one in found for each in one.statuses]
    assert samples.unmarked(page) == []
    [rehearsed] = [one.shown for one in found if one.shown is not None]
    assert samples.steady(json.loads(calls[1].body)) == samples.steady(rehearsed)
    assert [each["id"] is None for each in rehearsed["events"]] == [False, True, True, True]
    moved = json.loads(calls[-3].body)
    assert [each["start_time"] for each in moved["events"]] == [
        *("2030-03-18T19:00:00+01:00", "2030-03-25T19:00:00+01:00"),
        *("2030-04-01T19:00:00+02:00", "2030-04-08T19:00:00+02:00"),
    ]


def test_samples_about_finding_get_what_the_page_says(url: str, tmp_path: Path) -> None:
    page = (tree.ROOT / FINDING).read_text("utf-8")
    found = samples.samples_of(page)

    calls = samples.run(found, url, tmp_path)

    assert [call.status for call in calls] == [each for one in found for each in one.statuses]
    assert samples.unmarked(page) == []
    lists = [json.loads(call.body)["items"] for call in calls[3:]]
    jazz, python, jam = "Jazz im Café", "Python day", "Async jam"
    assert [[event["name"] for event in each] for each in lists] == [
        *([jazz], [python]),
        *([python], [python], [python, jazz]),
        *([jazz], [jazz, python], [jazz, python]),
        *([jazz], [python], [python]),
        *([jam], [jam]),
        [jazz],
    ]
    distances = [f"{event['distance_km']:.2f}" for event in lists[6]]
    assert f"here {' and '.join(distances)} kilometres" in page.replace("\n", " ")


@pytest.mark.parametrize("name", PAGES)
def test_samples_of_a_page_are_all_run_and_some_show_their_answer(name: str) -> None:
    page = (tree.ROOT / name).read_text("utf-8")

    shown = [sample for sample in samples.samples_of(page) if sample.shown is not None]

    assert samples.unmarked(page) == []
    assert len(shown) >= 3


def test_samples_with_a_wrong_one_planted_show_it(url: str, tmp_path: Path) -> None:
    """The control: a status that is not the one in the page does not pass unseen."""
    wrong = f"```sh 201\ncurl -s {samples.SHOWN_ADDRESS}/events\n```\n"

    calls = samples.run(samples.samples_of(wrong), url, tmp_path)

    assert [call.status for call in calls] == [200]


def test_steady_keeps_all_but_what_differs_on_each_run() -> None:
    one = {"id": "a", "items": [{"name": "Ada", "slug": "s"}], "next_cursor": None}

    assert samples.steady(one) == {
        "id": "str",
        "items": [{"name": "Ada", "slug": "str"}],
        "next_cursor": None,
    }


def test_samples_of_the_start_page_work(url: str, tmp_path: Path) -> None:
    page = html.unescape(httpx2.get(url).text)
    commands = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL)

    calls = samples.run([samples.Sample("\n".join(commands), [])], url, tmp_path)

    attendees = json.loads(calls[-1].body)["items"]
    assert [call.status for call in calls] == [201, 200, 201, 200]
    assert [person["email"] for person in attendees] == ["ada@example.com"]
