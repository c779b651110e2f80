"""Who gets a seat: the pure decision, in cases and over arbitrary crowds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.registrations import seats
from turnout.registrations.seats import Closed, Decision, Seats, Verdict, Window

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONFIRMED, FULL, DUPLICATE = (
    Decision(verdict) for verdict in (Verdict.CONFIRMED, Verdict.FULL, Verdict.DUPLICATE)
)


def waits(position: int) -> Decision:
    return Decision(Verdict.WAITLISTED, position)


def of(capacity: int | None, *, taken: int = 0, waiting: int = 0, waitlist: bool = False) -> Seats:
    return Seats(capacity, taken, waiting, waiting, waitlist)


@pytest.mark.parametrize(
    ("state", "people", "present", "decided"),
    [
        (of(2), ["ada"], [], [CONFIRMED]),
        (of(2), ["ada", "bob", "cy"], [], [CONFIRMED, CONFIRMED, FULL]),
        (of(2, taken=1), ["ada", "bob"], [], [CONFIRMED, FULL]),
        (of(1, taken=1), ["ada"], ["ada"], [DUPLICATE]),
        (of(5), ["ada", "ada", "bob"], [], [CONFIRMED, DUPLICATE, CONFIRMED]),
        (of(1, waitlist=True), ["ada", "bob", "cy"], [], [CONFIRMED, waits(1), waits(2)]),
        (of(1, waitlist=True), ["ada", "bob", "bob"], [], [CONFIRMED, waits(1), DUPLICATE]),
        (of(1, taken=1, waiting=3, waitlist=True), ["ada"], ["bob"], [waits(4)]),
        # A seat has come free, but someone waits: it is theirs.
        (of(2, taken=1, waiting=1, waitlist=True), ["ada"], [], [waits(2)]),
        # The waitlist was switched off while someone waits: still nobody passes them.
        (of(2, taken=1, waiting=1), ["ada"], [], [FULL]),
        (of(None, taken=10**6), ["ada", "bob", "ada"], [], [CONFIRMED, CONFIRMED, DUPLICATE]),
        (of(1), [], [], []),
        # Whoever is refused holds nothing, and may be refused again for the same reason.
        (of(1, taken=1), ["ada", "ada"], [], [FULL, FULL]),
    ],
)
def test_decide_for_a_set_in_order(
    state: Seats, people: list[str], present: list[str], decided: list[Decision]
) -> None:
    assert seats.decide(state, people, present) == decided


@st.composite
def states(draw: st.DrawFn) -> Seats:
    capacity = draw(st.none() | st.integers(1, 8))
    taken = draw(st.integers(0, 8 if capacity is None else capacity))
    waiting = draw(st.integers(0, 4))
    return Seats(capacity, taken, waiting, waiting, draw(st.booleans()))


CROWDS = st.lists(st.sampled_from("abcdefghijkl"), max_size=20)
PRESENT = st.sets(st.sampled_from("abcdefghijkl"), max_size=4)


@given(states(), CROWDS, PRESENT)
def test_decide_for_any_crowd_keeps_every_promise(
    state: Seats, people: list[str], present: set[str]
) -> None:
    decided = seats.decide(state, people, present)

    of_person = list(zip(people, decided, strict=True))
    confirmed = [person for person, each in of_person if each == CONFIRMED]
    positions = [each.position for each in decided if each.verdict is Verdict.WAITLISTED]
    live = [p for p, each in of_person if each.verdict in {Verdict.CONFIRMED, Verdict.WAITLISTED}]
    assert state.capacity is None or state.taken + len(confirmed) <= state.capacity
    assert positions == list(
        range(state.last_position + 1, state.last_position + 1 + len(live) - len(confirmed))
    )
    assert len(live) == len(set(live))
    assert present.isdisjoint(live)
    assert confirmed == [] or state.waiting == 0


@given(states(), CROWDS, PRESENT)
def test_decide_for_any_crowd_confirms_nobody_after_one_who_has_to_wait(
    state: Seats, people: list[str], present: set[str]
) -> None:
    decided = seats.decide(state, people, present)

    verdicts = [each.verdict for each in decided if each != DUPLICATE]
    first = next((n for n, v in enumerate(verdicts) if v is not Verdict.CONFIRMED), len(verdicts))
    assert Verdict.CONFIRMED not in verdicts[first:]
    assert len(set(verdicts[first:])) <= 1


@given(states(), CROWDS, PRESENT, st.integers(0, 20))
def test_decide_in_two_sets_is_as_in_one(
    state: Seats, people: list[str], present: set[str], cut: int
) -> None:
    whole = seats.decide(state, people, present)

    first = seats.decide(state, people[:cut], present)
    taken = state.taken + first.count(CONFIRMED)
    waiting = state.waiting + sum(each.verdict is Verdict.WAITLISTED for each in first)
    live = {p for p, each in zip(people, first, strict=False) if each not in {FULL, DUPLICATE}}
    after = Seats(state.capacity, taken, waiting, waiting, state.waitlist_enabled)
    assert first + seats.decide(after, people[cut:], present | live) == whole


@pytest.mark.parametrize(
    ("state", "promoted"),
    [
        (of(2, taken=1, waiting=1, waitlist=True), 1),
        (of(2, taken=1, waiting=3, waitlist=True), 1),
        (of(5, taken=1, waiting=3, waitlist=True), 3),
        (of(2, taken=2, waiting=3, waitlist=True), 0),
        (of(2, taken=1, waitlist=True), 0),
        # The waitlist was switched off while someone waits: the seat is still theirs.
        (of(2, taken=1, waiting=1), 1),
        # More seats are taken than there are by now: nobody moves up, and nobody back.
        (of(2, taken=4, waiting=3, waitlist=True), 0),
        (of(None, taken=10**6, waiting=3, waitlist=True), 3),
    ],
)
def test_promotions_are_for_the_head_of_the_waitlist_as_far_as_seats_go(
    state: Seats, promoted: int
) -> None:
    assert seats.promotions(state) == promoted


@given(states())
def test_promotions_leave_nobody_waiting_beside_a_free_seat(state: Seats) -> None:
    promoted = seats.promotions(state)

    taken, waiting = state.taken + promoted, state.waiting - promoted
    assert promoted >= 0
    assert waiting >= 0
    assert state.capacity is None or taken <= state.capacity
    assert waiting == 0 or taken == state.capacity


@given(states(), st.lists(st.sampled_from("abcdefghijkl"), max_size=20, unique=True))
def test_promotions_after_all_have_come_are_none(state: Seats, people: list[str]) -> None:
    """Whoever arrives takes what is free: only what comes free later is for those who wait."""
    free = seats.promotions(state)
    taken, waiting = state.taken + free, state.waiting - free
    now = of(state.capacity, taken=taken, waiting=waiting, waitlist=True)

    confirmed = seats.decide(now, people, ()).count(CONFIRMED)

    waiting += len(people) - confirmed
    after = of(state.capacity, taken=taken + confirmed, waiting=waiting, waitlist=True)
    assert seats.promotions(after) == 0


def window(
    opens: timedelta | None = None,
    closes: timedelta | None = None,
    *,
    ends: timedelta = HOUR,
    cancelled: bool = False,
) -> Window:
    bounds = [None if each is None else NOON + each for each in (opens, closes)]
    return Window(bounds[0], bounds[1], NOON + ends, cancelled)


INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("of_event", "reason"),
    [
        (window(), None),
        (window(timedelta(0)), None),
        (window(INSTANT), Closed.NOT_OPEN_YET),
        (window(-HOUR, INSTANT), None),
        (window(-HOUR, timedelta(0)), Closed.WINDOW_OVER),
        (window(ends=INSTANT), None),
        (window(ends=timedelta(0)), Closed.OVER),
        # What is final is said before what is not.
        (window(INSTANT, ends=-HOUR), Closed.OVER),
        (window(-HOUR, -INSTANT, ends=-INSTANT), Closed.OVER),
        (window(INSTANT, cancelled=True), Closed.CANCELLED),
        (window(ends=-HOUR, cancelled=True), Closed.CANCELLED),
    ],
)
def test_closed_at_noon_says_why(of_event: Window, reason: Closed | None) -> None:
    assert seats.closed(of_event, NOON) is reason
