"""The one place that asks what time it is; tests replace it by moving the system's clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
