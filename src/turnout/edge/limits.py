"""Counts a request against a limit, and lets the answer tell where the caller stands."""

from starlette.types import Scope

from turnout import limiter
from turnout.limiter import Header, Limit, Limiter, RateLimited

_STANDING = "rate_limit"


async def hit(counts: Limiter, scope: Scope, limit: Limit, key: str) -> None:
    """Count one for `key`. Raises RateLimited, and counts nothing, when nothing was left."""
    # In the state, which is one for a request however often its scope is copied.
    state = scope["state"]
    try:
        state[_STANDING] = await counts.hit(limit, key)
    except RateLimited as error:
        state[_STANDING] = error.standing
        raise


async def look(counts: Limiter, scope: Scope, limit: Limit, key: str) -> None:
    """Raise RateLimited when hit() would, but count nothing; the answer then tells of this limit.

    As long as it does not refuse, the answer tells of the limit that counts the request itself.
    """
    try:
        await counts.look(limit, key)
    except RateLimited as error:
        scope["state"][_STANDING] = error.standing
        raise


def headers_of(scope: Scope) -> list[Header]:
    """`RateLimit-Policy` and `RateLimit`, where the request was counted."""
    state = scope.get("state") or {}
    return limiter.headers_of(state.get(_STANDING))
