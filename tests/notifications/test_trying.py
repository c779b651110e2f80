"""What an answer means, and when a call is made again."""

from datetime import UTC, datetime, timedelta

import pytest

from turnout.notifications import trying
from turnout.notifications.trying import LONGEST_WAIT, RETRIES, SPREAD, Meaning

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
NOTHING = timedelta(0)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (200, Meaning.DONE),
        (204, Meaning.DONE),
        (299, Meaning.DONE),
        (199, Meaning.FAILED),
        (300, Meaning.FAILED),
        (302, Meaning.FAILED),
        (308, Meaning.FAILED),
        (400, Meaning.FAILED),
        (404, Meaning.FAILED),
        (410, Meaning.GONE),
        (429, Meaning.AWAY),
        (500, Meaning.AWAY),
        (503, Meaning.AWAY),
    ],
)
def test_status_has_its_meaning(status: int, meaning: Meaning) -> None:
    assert trying.of_answer(status, {}, NOW).meaning is meaning


@pytest.mark.parametrize("status", [429, 503])
def test_busy_receiver_says_how_long_to_wait(status: int) -> None:
    assert trying.of_answer(status, {"retry-after": "120"}, NOW).wait == timedelta(minutes=2)


@pytest.mark.parametrize("status", [200, 302, 400, 500])
def test_others_are_not_asked_how_long_to_wait(status: int) -> None:
    assert trying.of_answer(status, {"retry-after": "120"}, NOW).wait == NOTHING


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("0", NOTHING),
        (" 30 ", timedelta(seconds=30)),
        ("86400", LONGEST_WAIT),
        ("86401", LONGEST_WAIT),
        ("9" * 5_000, LONGEST_WAIT),
        ("Sat, 01 Mar 2031 12:05:00 GMT", timedelta(minutes=5)),
        ("Sat, 01 Mar 2031 11:05:00 GMT", NOTHING),
        ("Sat, 01 Mar 2039 11:05:00 GMT", LONGEST_WAIT),
        ("Sat, 01 Mar 2031 12:05:00", timedelta(minutes=5)),
        ("", NOTHING),
        ("-5", NOTHING),
        ("1.5", NOTHING),
        ("soon", NOTHING),
        ("²", NOTHING),
        ("Sat, 99 Mar 2031 12:05:00 GMT", NOTHING),
        ("Sat, 01 Mar 2031 12:05:00 +99999999999", NOTHING),
        ("Sat, 01 Mar 99999999999 12:05:00 GMT", NOTHING),
    ],
)
def test_retry_after_is_read_and_bounded(text: str, wait: timedelta) -> None:
    assert trying.retry_after(text, NOW) == wait


def test_tries_are_ten_within_some_days() -> None:
    waits = [trying.next_try(n, NOTHING, NOW, 0.0) for n in range(1, 12)]

    assert waits == [*(NOW + wait for wait in RETRIES), None, None]
    assert timedelta(days=3) < sum(RETRIES, NOTHING) < timedelta(days=4)


def test_chance_makes_a_wait_longer_and_never_shorter() -> None:
    assert trying.next_try(1, NOTHING, NOW, 1.0) == NOW + RETRIES[0] * (1 + SPREAD)


def test_receiver_that_asks_to_wait_is_not_called_before_and_the_schedule_holds() -> None:
    assert trying.next_try(1, timedelta(hours=1), NOW, 0.0) == NOW + timedelta(hours=1)
    assert trying.next_try(5, timedelta(hours=1), NOW, 0.0) == NOW + RETRIES[4]
