"""Refuses what another site's page sends in a visitor's name. Knows headers alone.

The reasoning of Go's CrossOriginProtection: browsers say since 2023 in Sec-Fetch-Site where a
request comes from, and all of them send Origin with a POST. What says neither is no browser. There
is no token to forget in a form, and open mode, in which no credential is asked for, is guarded too.
"""

from starlette.types import Scope

from turnout.errors import NotAllowed

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


class CsrfFailed(NotAllowed):
    """Another site's page asked for a change, by the visitor's own browser."""

    code = "csrf-failed"
    title = "This came from another site's page"
    explanation = (
        "A change that is asked for without an Authorization header has to come from one of this "
        "server's own pages, and the browser says that it does not. Open the page here and try "
        "again; a program sends its token in the Authorization header."
    )


def require_own_page(scope: Scope) -> None:
    """Raises CsrfFailed for a change that a page of another origin asks for.

    To be asked only where no Authorization header was sent: a browser adds that for nobody else.
    """
    if scope["method"] in SAFE_METHODS:
        return
    site, origin, host = _headers(scope)
    if site is not None:
        # `none` is the person: an address typed in, a bookmark.
        if site not in {b"same-origin", b"none"}:
            raise CsrfFailed
    elif origin is not None and not _names(origin, host):
        raise CsrfFailed


def _names(origin: bytes, host: bytes) -> bool:
    """Whether an Origin is of that host and port; `null`, an origin that is kept back, is of none.

    The scheme is not compared: behind a proxy that ends TLS it is not known here.
    """
    _, _, authority = origin.lower().partition(b"://")
    return bool(authority) and authority == host.lower()


def _headers(scope: Scope) -> tuple[bytes | None, bytes | None, bytes]:
    found = {name: value for name, value in scope["headers"] if name in _WATCHED}
    return found.get(b"sec-fetch-site"), found.get(b"origin"), found.get(b"host", b"")


_WATCHED = frozenset((b"sec-fetch-site", b"origin", b"host"))
