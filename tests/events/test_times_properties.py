"""What holds for every zone and every time, near the changes of the clocks above all."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

import turnout.clock as _clock  # noqa: F401 - the product always runs with its search path
from turnout.errors import Invalid
from turnout.events import times
from turnout.events.errors import AmbiguousLocalTime, NonexistentLocalTime
from turnout.events.times import Moment, Note

FIRST, LAST = datetime.fromisoformat("1970-01-02"), datetime.fromisoformat("2199-12-30")
YEARS = range(1970, 2200)

zones = st.sampled_from(times.all_zones())
anywhen = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
quick = settings(max_examples=150, deadline=None)


@cache
def changes(zone: str, year: int) -> tuple[datetime, ...]:
    """About when the clocks of a zone change in a year: the noons after each change."""
    noons = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
    offsets = [times.shown(noon, zone).utcoffset() for noon in noons]
    return tuple(noons[n] for n in range(1, 365) if offsets[n] != offsets[n - 1])


@st.composite
def places_in_time(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and an instant, which is within a day of a change of its clocks where it has any."""
    zone = draw(zones)
    near = changes(zone, draw(st.integers(1971, 2050)))
    if not near:
        return zone, draw(anywhen)
    minutes = draw(st.integers(-24 * 60, 60))
    return zone, draw(st.sampled_from(near)) + timedelta(minutes=minutes)


def same(left: Moment, right: Moment) -> bool:
    """Equality that also sees the fold, which `==` of naive datetimes does not."""
    return left == right and left.local.fold == right.local.fold


def read_or_offered(local: datetime, zone: str) -> tuple[Moment | None, list[datetime]]:
    """The moment of a wall clock, or the two instants that its refusal offers."""
    try:
        return times.read_time(local.isoformat(), zone, field="start_time"), []
    except (AmbiguousLocalTime, NonexistentLocalTime) as error:
        offered = (error.members["earlier"], error.members["later"])
        return None, [each.astimezone(UTC) for each in offered if isinstance(each, datetime)]


@quick
@given(places_in_time())
def test_instant_read_as_it_was_shown_is_the_same_instant(place: tuple[str, datetime]) -> None:
    zone, instant = place

    text = times.shown(instant, zone).isoformat()

    assert re.fullmatch(times.TIME_PATTERN, text)
    assert times.read_time(text, zone, field="start_time").instant == instant


@quick
@given(places_in_time())
def test_wall_clock_of_an_instant_is_that_instant_or_one_of_two_offered(
    place: tuple[str, datetime],
) -> None:
    zone, instant = place
    moment = times.moment_at(instant, zone)

    read, offered = read_or_offered(moment.local, zone)

    if read is None:
        assert offered[moment.local.fold] == instant
    else:
        assert same(read, moment)


@quick
@given(places_in_time(), st.integers(0, 30 * 60))
def test_any_wall_clock_is_read_or_refused_with_two_times_that_can_be_sent(
    place: tuple[str, datetime], minutes: int
) -> None:
    zone, instant = place
    local = times.moment_at(instant, zone).local.replace(fold=0) + timedelta(minutes=minutes)

    read, offered = read_or_offered(local, zone)

    if read is None:
        sent = [times.shown(each, zone).isoformat() for each in offered]
        accepted = [times.read_time(text, zone, field="start_time") for text in sent]
        assert [each.instant for each in accepted] == offered
        assert offered[0] < offered[1]
    else:
        assert times.moment_at(read.instant, zone) == read


@quick
@given(places_in_time(), zones)
def test_instant_is_kept_in_another_zone_and_comes_back(
    place: tuple[str, datetime], other: str
) -> None:
    zone, instant = place
    moment = times.moment_at(instant, zone)

    (there,) = times.keep_instant([moment], other)
    (back,) = times.keep_instant([there.moment], zone)

    assert there.moment.instant == instant
    assert there.moment.local == times.moment_at(instant, other).local
    assert same(back.moment, moment)


@quick
@given(places_in_time(), zones)
def test_wall_clock_is_kept_in_another_zone_and_comes_back_unless_it_is_skipped_there(
    place: tuple[str, datetime], other: str
) -> None:
    zone, instant = place
    moment = times.moment_at(instant, zone)

    (there,) = times.keep_wall_clock([moment], zone, other)
    (back,) = times.keep_wall_clock([there.moment], other, zone)

    if there.note is Note.MOVED:
        assert there.moment.local > moment.local
    else:
        assert there.moment.local == moment.local
        assert same(back.moment, moment)


@quick
@given(places_in_time(), zones)
def test_wall_clock_that_comes_into_a_zone_where_clocks_change_is_one_its_clocks_show(
    place: tuple[str, datetime], old: str
) -> None:
    zone, instant = place
    local = times.moment_at(instant, zone).local.replace(fold=0)
    moment = times.derive(local, old, near=instant).moment

    (there,) = times.keep_wall_clock([moment], old, zone)

    assert times.moment_at(there.moment.instant, zone).local == there.moment.local
    assert there.moment.instant.tzinfo is UTC


@quick
@given(places_in_time(), st.integers(-24 * 60, 24 * 60))
def test_derived_moment_is_shown_by_the_clocks_and_nearest_where_there_are_two(
    place: tuple[str, datetime], minutes: int
) -> None:
    zone, instant = place
    local = times.moment_at(instant, zone).local.replace(fold=0) + timedelta(minutes=minutes)

    derived = times.derive(local, zone, near=instant)

    assert times.moment_at(derived.moment.instant, zone).local == derived.moment.local
    assert (derived.moment.local == local) is (derived.note is not Note.MOVED)
    if derived.note is Note.AMBIGUOUS:
        again = times.derive(local, zone, near=derived.moment.instant)
        assert same(again.moment, derived.moment)


@quick
@given(places_in_time())
def test_moment_derived_near_itself_is_itself(place: tuple[str, datetime]) -> None:
    zone, instant = place
    moment = times.moment_at(instant, zone)

    derived = times.derive(moment.local, zone, near=instant)
    shifted = times.shift(moment, timedelta(), zone)

    assert same(derived.moment, moment)
    assert same(shifted.moment, moment)


@quick
@given(places_in_time(), st.lists(st.integers(-2_000, 2_000), min_size=2, max_size=8), zones)
def test_order_by_instant_is_the_same_whatever_zone_it_is_shown_in(
    place: tuple[str, datetime], minutes: list[int], viewer: str
) -> None:
    zone, instant = place
    instants = sorted(instant + timedelta(minutes=n) for n in minutes)

    moved = times.keep_instant([times.moment_at(each, zone) for each in instants], viewer)
    written = [times.shown(each, viewer) for each in instants]

    assert [each.moment.instant for each in moved] == instants
    assert [each.astimezone(UTC) for each in written] == instants


@quick
@given(places_in_time())
def test_day_starts_on_its_date_and_the_instant_before_on_another(
    place: tuple[str, datetime],
) -> None:
    zone, instant = place
    day = times.moment_at(instant, zone).local.date()

    start = times.start_of_day(day, zone)

    assert start <= instant
    assert times.moment_at(start, zone).local.date() == day
    before = times.moment_at(start - timedelta(microseconds=1), zone).local
    assert before.date() < day


@quick
@given(st.text(max_size=40) | st.from_regex(times.TIME_PATTERN, fullmatch=True), zones)
def test_any_text_is_a_moment_in_range_or_refused(text: str, zone: str) -> None:
    try:
        read = times.read_time(text, zone, field="start_time")
    except Invalid as error:
        outcome: set[str | bool] = {each.field for each in error.fields}
    else:
        outcome = {read.local.year in YEARS, read.instant.year in YEARS}

    assert outcome in ({"start_time"}, {True})
