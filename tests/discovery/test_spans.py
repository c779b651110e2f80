"""Spans of time follow each other without a gap, and their lexemes are those of the index."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.events.indexed import spans_of

from turnout.discovery.search_spans import spans

AFTER = (
    datetime(1969, 12, 30, 23, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2027, 3, 1, 9, tzinfo=UTC),
    datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2200, 1, 1, 13, tzinfo=UTC),
)
LAST = datetime(2200, 1, 1, 14, tzinfo=UTC)
"""When the last event may begin, in whichever zone."""


@pytest.mark.parametrize("after", AFTER)
def test_spans_follow_each_other(after: datetime) -> None:
    found = spans(after, None)

    assert [each.begin for each in found] == [None, *(each.before for each in found[:-1])]
    assert found[-1].before is None
    assert found[0].before is not None
    assert found[0].before > after


@pytest.mark.parametrize("after", AFTER)
def test_spans_have_the_lexeme_of_whatever_begins_in_them(after: datetime) -> None:
    found = spans(after, None)

    starts = [after, *(each.begin for each in found if each.begin), after + timedelta(days=999)]
    for start in (each for each in [*starts, LAST] if after <= each <= LAST):
        [within] = [
            span
            for span in found
            if (span.begin is None or span.begin <= start)
            and (span.before is None or start < span.before)
        ]
        exact = spans_of(start) & {*within.lexemes}
        begun = {each for each in spans_of(start) if each.startswith(within.beginnings or ("-",))}
        assert len(exact) + len(begun) == 1, start


def test_spans_end_where_what_is_wanted_does() -> None:
    after = datetime(2027, 3, 1, tzinfo=UTC)

    counts = [len(spans(after, after + timedelta(days=days))) for days in (1, 60, 400, 9_000)]

    assert counts == [1, 2, 3, 4]
    assert len(spans(after, None)[0].lexemes) == 2
