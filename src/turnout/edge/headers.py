"""The headers every response carries for the browser's sake. Knows no route and no caller."""

from collections.abc import Iterable

Header = tuple[bytes, bytes]

_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_HSTS: Header = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_NO_STORE: Header = (b"cache-control", b"no-store")
_CSP = b"content-security-policy"
_DATA_CSP: Header = (_CSP, b"default-src 'none'; frame-ancestors 'none'")
# Nothing inline; `data:` only for the small images inside style sheets.
_PAGE_CSP: Header = (
    _CSP,
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    b"form-action 'self'; frame-ancestors 'none'",
)
_PAGE: tuple[Header, ...] = (
    _PAGE_CSP,
    (b"x-frame-options", b"DENY"),  # for browsers that do not know frame-ancestors
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), microphone=(), payment=(), usb=()"),
)


class SecurityHeaders:
    """Chooses the headers to add to one response: those of a page, or the stricter ones of data.

    The sets are built once here, since every response needs one of them.
    """

    def __init__(self, *, https: bool) -> None:
        always = (*_ALWAYS, _HSTS) if https else _ALWAYS
        self._data: tuple[Header, ...] = (*always, _DATA_CSP)
        self._page: tuple[Header, ...] = (*always, *_PAGE)

    def for_response(self, present: Iterable[Header]) -> tuple[Header, ...]:
        """What to add beside the headers `present` (names in lower case).

        HTML gets the page's policy. A route that sends a policy or a Cache-Control of its own
        keeps it; all else is `no-store`, so that no shared cache keeps what one person may see.
        """
        chosen = self._data
        has_policy = has_cache_control = False
        for name, value in present:
            if name == b"content-type":
                if value.startswith(b"text/html"):
                    chosen = self._page
            elif name == b"cache-control":
                has_cache_control = True
            elif name == _CSP:
                has_policy = True
        if has_policy:
            chosen = tuple(header for header in chosen if header[0] != _CSP)
        return chosen if has_cache_control else (*chosen, _NO_STORE)
