"""From which address a request comes, where proxies stand in between. Knows no route."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from starlette.types import Scope

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FORWARDED = b"x-forwarded-for"
MOST_KEPT = 1_024
"""Addresses that are remembered as read, which takes a twentieth of what a registration does."""


def address_of(scope: Scope, trusted: Sequence[str]) -> Address | None:
    """The client's address, or None where the connection has none (a socket file).

    X-Forwarded-For counts only as far as proxies in the networks `trusted` have written it: it is
    read from its end, and the first address that is no such proxy is the client.
    """
    client = scope.get("client")
    found = _parsed(client[0]) if client else None
    if found is None or not trusted:
        return found
    networks = [ipaddress.ip_network(each) for each in trusted]
    for hop in reversed(_hops(scope)):
        if not any(found in network for network in networks):
            return found
        before = _parsed(hop)
        if before is None:
            return found
        found = before
    return found


def _hops(scope: Scope) -> list[str]:
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == FORWARDED]
    return [hop.strip() for line in lines for hop in line.split(",")]


@lru_cache(MOST_KEPT)
def _parsed(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
