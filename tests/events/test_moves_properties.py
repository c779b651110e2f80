"""What holds for whole events, agenda and window included, in and between all zones there are."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from turnout import ids
from turnout.events import moves, retiming, times
from turnout.events.drafts import PlaceDraft, Span
from turnout.events.moves import Keep
from turnout.events.times import Moment
from turnout.events.whole import Whole, WholeSlot

LONG_AGO = datetime(1969, 1, 1, tzinfo=UTC)
zones = st.sampled_from(times.all_zones())
quick = settings(max_examples=120, deadline=None)


@dataclass(frozen=True)
class Hosted:
    """An event and the moments of its registration window."""

    event: Whole
    window: tuple[Moment, ...]


def an_event(zone: str, instants: list[datetime]) -> Whole:
    """From the first to the last instant, with a slot from each to the next."""
    found = [times.moment_at(each, zone) for each in instants]
    slots = tuple(
        WholeSlot(ids.new_id(), f"Slot {n}", start, end, None, None, None)
        for n, (start, end) in enumerate(pairwise(found))
    )
    return Whole(
        ids.new_id(), ids.new_id(), "Event", "", "Hall", zone, found[0], found[-1], "published",
        "public", PlaceDraft(), None, None, 0, None, None, (), slots, None, None, None, None, 1, 0,
    )  # fmt: skip


def first_change(zone: str, year: int) -> datetime | None:
    """A noon within a day of the first change of the clocks in a year, if there is any."""
    noons = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
    offsets = [times.shown(noon, zone).utcoffset() for noon in noons]
    return next((noons[n] for n in range(1, 365) if offsets[n] != offsets[n - 1]), None)


@st.composite
def hosted(draw: st.DrawFn) -> Hosted:
    """An event of some parts in any zone, around a change of its clocks where it has any."""
    zone, year = draw(zones), draw(st.integers(1972, 2060))
    begin = first_change(zone, year) or datetime(year, 6, 1, tzinfo=UTC)
    start = begin + timedelta(minutes=draw(st.integers(-30 * 60, 6 * 60)))
    lengths = draw(st.lists(st.integers(1, 12 * 60), min_size=1, max_size=5))
    instants = [start]
    for minutes in lengths:
        instants.append(instants[-1] + timedelta(minutes=minutes))
    window = [start - timedelta(minutes=n) for n in draw(st.lists(st.integers(0, 9_999)))]
    found = tuple(times.moment_at(each, zone) for each in window)
    return Hosted(an_event(zone, instants), found)


def moved(it: Hosted, zone: str, keep: Keep) -> tuple[Hosted, list[str]]:
    """The whole in another zone, and the codes of what had to be decided."""
    there = moves.to_zone(it.event, zone, keep)
    window = moves.in_zone(it.window, it.event.timezone, zone, keep)
    codes = [each.code for each in there.warnings]
    codes += [w.code for each in window if (w := moves.warning("window", each, zone, keep))]
    return Hosted(there.event, tuple(each.moment for each in window)), codes


def moments(it: Hosted) -> list[Moment]:
    spans: tuple[Span, ...] = (it.event, *it.event.slots)
    return [*(moment for span in spans for moment in (span.start, span.end)), *it.window]


def instants(it: Hosted) -> list[datetime]:
    return [each.instant for each in moments(it)]


def clocks(it: Hosted) -> list[datetime]:
    return [each.local.replace(fold=0) for each in moments(it)]


def stored(it: Hosted) -> Hosted:
    """As it comes back from a table, which keeps no fold."""
    event = it.event

    def plain(moment: Moment) -> Moment:
        return Moment(moment.local.replace(fold=0), moment.instant)

    slots = tuple(
        replace(slot, start=plain(slot.start), end=plain(slot.end)) for slot in event.slots
    )
    event = replace(event, start=plain(event.start), end=plain(event.end), slots=slots)
    return Hosted(event, tuple(plain(each) for each in it.window))


@quick
@given(hosted(), zones)
def test_event_that_keeps_its_instants_keeps_all_and_comes_back(it: Hosted, zone: str) -> None:
    there, codes = moved(stored(it), zone, Keep.INSTANT)
    back, _ = moved(stored(there), it.event.timezone, Keep.INSTANT)

    assert (there.event.timezone, codes) == (zone, [])
    assert instants(there) == instants(it)
    assert clocks(there) == [times.moment_at(i, zone).local.replace(fold=0) for i in instants(it)]
    assert moments(back) == moments(it)
    assert replace(back.event, suggested_timezone=None) == it.event


@quick
@given(hosted(), zones)
def test_event_that_keeps_its_wall_clock_keeps_all_but_what_is_skipped(
    it: Hosted, zone: str
) -> None:
    there, codes = moved(stored(it), zone, Keep.WALL_CLOCK)

    differ = [old != new for old, new in zip(clocks(it), clocks(there), strict=True)]
    assert there.event.timezone == zone
    assert differ.count(True) == codes.count("moved-out-of-gap")
    for each in moments(there):
        assert times.moment_at(each.instant, zone).local == each.local


@quick
@given(hosted(), zones)
def test_event_that_keeps_its_wall_clock_there_and_back_is_the_same_unless_it_was_warned_of(
    it: Hosted, zone: str
) -> None:
    """Through the tables, each way: what the way back does not undo is said on the way there."""
    there, codes = moved(stored(it), zone, Keep.WALL_CLOCK)
    back, _ = moved(stored(there), it.event.timezone, Keep.WALL_CLOCK)

    differ = [old != new for old, new in zip(moments(it), moments(back), strict=True)]
    said = codes.count("moved-out-of-gap") + codes.count("second-of-two")
    assert differ.count(True) == said


@quick
@given(hosted(), zones)
def test_event_that_keeps_its_wall_clock_there_and_back_is_the_same_with_its_folds(
    it: Hosted, zone: str
) -> None:
    there, codes = moved(it, zone, Keep.WALL_CLOCK)
    back, _ = moved(there, it.event.timezone, Keep.WALL_CLOCK)

    differ = [old != new for old, new in zip(moments(it), moments(back), strict=True)]
    assert differ.count(True) == codes.count("moved-out-of-gap")


@quick
@given(st.lists(hosted(), min_size=2, max_size=6), zones)
def test_events_in_the_order_of_their_instants_are_in_that_order_in_every_zone(
    several: list[Hosted], zone: str
) -> None:
    ordered = sorted(several, key=lambda it: it.event.start.instant)

    there = [moved(it, zone, Keep.INSTANT)[0] for it in ordered]

    shown = [times.shown(it.event.start.instant, zone).isoformat() for it in there]
    assert sorted(shown, key=datetime.fromisoformat) == shown
    by_start = sorted(there, key=lambda it: it.event.start.instant)
    assert [it.event.id for it in by_start] == [it.event.id for it in ordered]


@quick
@given(hosted(), st.integers(-400 * 24 * 60, 400 * 24 * 60))
def test_event_that_is_shifted_is_shifted_on_every_clock(it: Hosted, minutes: int) -> None:
    by = timedelta(minutes=minutes)

    shifted = moves.shifted(it.event, by)

    skipped = [each.field for each in shifted.warnings if each.code == "moved-out-of-gap"]
    old, new = clocks(Hosted(it.event, ())), clocks(Hosted(shifted.event, ()))
    differ = [before + by != after for before, after in zip(old, new, strict=True)]
    assert differ.count(True) == len(skipped)
    assert shifted.event.timezone == it.event.timezone


@quick
@given(hosted())
def test_event_by_the_same_tz_database_has_the_instants_it_has(it: Hosted) -> None:
    event = stored(it).event

    again = retiming.event(event, LONG_AGO)

    assert again == event
    assert list(retiming.moves(event, again)) == []


@quick
@given(hosted(), zones)
def test_event_whose_zone_gets_the_rules_of_another_keeps_its_wall_clocks(
    it: Hosted, zone: str
) -> None:
    """As when the database changes: the same wall clocks, by other rules."""
    was = replace(stored(it).event, timezone=zone)

    there = [retiming.moment(each, zone, LONG_AGO) for each in moments(Hosted(was, ()))]

    for old, new in zip(moments(Hosted(was, ())), there, strict=True):
        assert times.moment_at(new.instant, zone).local == new.local
        is_shown = times.derive(old.local, zone, near=old.instant).note is not times.Note.MOVED
        assert (new.local.replace(fold=0) == old.local) is is_shown


@quick
@given(hosted())
def test_what_has_happened_stays_by_whatever_rules(it: Hosted) -> None:
    event = it.event
    for zone in ("Asia/Kathmandu", "Pacific/Kiritimati"):
        was = replace(event, timezone=zone)
        assert retiming.event(was, event.end.instant) == was


ELSEWHERE = ("America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")


def test_every_single_zone_leads_there_and_back() -> None:
    """Not those alone that were drawn: each, around the change of its clocks."""
    for zone in times.all_zones():
        begin = first_change(zone, 2027) or datetime(2027, 6, 1, tzinfo=UTC)
        hours = [begin + timedelta(minutes=50 * n) for n in range(-30, 2)]
        it = Hosted(an_event(zone, hours), (times.moment_at(hours[0], zone),))
        for other in ELSEWHERE:
            there, _ = moved(stored(it), other, Keep.INSTANT)
            back, _ = moved(stored(there), zone, Keep.INSTANT)
            assert instants(there) == instants(it)
            assert moments(back) == moments(it), (zone, other)

            there, codes = moved(stored(it), other, Keep.WALL_CLOCK)
            back, _ = moved(stored(there), zone, Keep.WALL_CLOCK)
            differ = [old != new for old, new in zip(moments(it), moments(back), strict=True)]
            said = codes.count("moved-out-of-gap") + codes.count("second-of-two")
            assert differ.count(True) == said, (zone, other)
