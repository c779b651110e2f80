"""The one place that asks what time it is, and which copy of the time-zone database counts."""

import zoneinfo
from datetime import UTC, datetime

# The system's copy can be years old; only the pinned tzdata package may answer (see time.md).
zoneinfo.reset_tzpath(to=())


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
