"""Where to go after signing in: only ever to a page of this server. Knows no route."""

from urllib.parse import urlsplit

FALLBACK = "/"


def local_path(wanted: str | None, fallback: str = FALLBACK) -> str:
    r"""`wanted` if it is the path of a page here, else `fallback`.

    Browsers take `\` for `/`, drop tabs and line ends, and read `//host` as another server.
    """
    if not wanted or not wanted.startswith("/") or wanted[1:2] in {"/", "\\"}:
        return fallback
    if "\\" in wanted or not wanted.isprintable() or not wanted.isascii() or " " in wanted:
        return fallback
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return fallback
    return fallback if parts.scheme or parts.netloc else wanted
