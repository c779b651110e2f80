"""Which addresses are everyone's, and which URLs of users may be called. Pure: asks no network.

A program that fetches what its users name can be made to fetch what only it can reach: the machine
it runs on, its neighbours, the metadata service of a cloud. So an address counts as public only if
no registry sets it aside for anything else.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_URL = 2000
WEB_PORTS = {"https": 443, "http": 80}
FIRST_FREE_PORT = 1024
"""Below it are mail, remote shells and the like, which can be made to take HTTP for their own."""

# https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry. Not
# `is_global`: what it says differs between patch releases of Python.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # between carriers and their customers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; clouds keep their metadata here
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
"""All that has been given out. Outside of it are loopback, unspecified, IPv4-mapped and -compatible
addresses, both forms of NAT64, ULA, link-local, site-local, multicast, and what is to come."""
_NOT_PUBLIC_IPV6: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address in disguise
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_INNER_NAMES = frozenset(
    (
        *("localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home"),
        *("lan", "arpa", "onion"),
    )
)
"""Last labels that lead nowhere outside (RFC 6761, RFC 8375 and others), whatever DNS says."""
_VISIBLE = re.compile(r"[!#-;=?-\[\]_a-z~]+")
"""Visible ASCII without what no URL has in it as it stands (RFC 3986, 2)."""
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_NAME = 253  # RFC 1035, 2.3.4
_NOT_HTTPS = "The address must begin with https://."
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class UncallableError(Exception):
    """The URL is not called; the text says why, without repeating it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. `host` is a name in lower case, or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str
    """With its query, as it is asked for."""
    literal: Address | None
    """The address, where the host is one."""

    @property
    def authority(self) -> str:
        """The Host header (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == WEB_PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, address: Address) -> str:
        """The URL with the address in the place of the name."""
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def is_public(address: Address) -> bool:
    """Whether the address belongs to the network that everyone shares."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC)
    if address.scope_id is not None or address not in _PUBLIC_IPV6:
        return False
    return not any(address in network for network in _NOT_PUBLIC_IPV6)


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Whether one of the networks has the address; in another of its forms it is another."""
    return any(address.version == each.version and address in each for each in networks)


def check(
    addresses: Sequence[Address], scheme: str, networks: Sequence[Network]
) -> tuple[Address, ...]:
    """The addresses, if each may be called: public by https, or one of the operator's `networks`.

    Raises UncallableError if there is none, or any that may not: a name that leads inside as well
    is a name that leads inside.
    """
    if not addresses:
        raise UncallableError("The name leads to no address.")
    for address in addresses:
        if is_in(address, networks):
            continue
        if scheme != "https":
            raise UncallableError(_NOT_HTTPS)
        if not is_public(address):
            raise UncallableError("The name leads to an address that is not public.")
    return tuple(addresses)


def target(url: str, networks: Sequence[Network] = ()) -> Target:
    """The URL taken apart, if nothing speaks against it before DNS is asked.

    With `networks` of the operator's, names and http may lead there: what a name stands for is
    looked at when it is called. Raises UncallableError.
    """
    _check_text(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UncallableError("The address is not a URL.") from None
    if parts.scheme not in WEB_PORTS or not url.lower().startswith(f"{parts.scheme}://"):
        raise UncallableError(_NOT_HTTPS)
    if "@" in parts.netloc:
        raise UncallableError("The address has a user name or a password in it.")
    if port is None:
        port = 0 if parts.netloc.endswith(":") else WEB_PORTS[parts.scheme]
    if port not in WEB_PORTS.values() and port < FIRST_FREE_PORT:
        raise UncallableError(f"The port must be 80, 443, or {FIRST_FREE_PORT} and above.")
    literal = _literal(host, is_bracketed=parts.netloc.startswith("["))
    if literal is not None:
        check([literal], parts.scheme, networks)
        host = str(literal)
    else:
        _check_name(host, parts.scheme, may_be_inner=bool(networks))
    query = f"?{parts.query}" if parts.query else ""
    return Target(parts.scheme, host, port, (parts.path or "/") + query, literal)


def _check_text(url: str) -> None:
    if len(url) > LONGEST_URL:
        raise UncallableError(f"The address is longer than {LONGEST_URL} characters.")
    if not _VISIBLE.fullmatch(url.lower()):
        raise UncallableError(
            "The address has characters that no URL has; write names of other scripts as xn--."
        )
    if "#" in url:
        raise UncallableError("The address has a fragment, which is never sent.")


def _literal(host: str, *, is_bracketed: bool) -> Address | None:
    """The address that the host is, in its one usual spelling; None for a name.

    Raises UncallableError for the others: decimal, octal, hexadecimal or short ones, which some
    programs read as addresses (as https://url.spec.whatwg.org/#concept-ipv4-parser does).
    """
    if is_bracketed:
        try:
            return ipaddress.IPv6Address(host)
        except ValueError:
            raise UncallableError("The address is not a URL.") from None
    if not _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return None
    try:
        return ipaddress.IPv4Address(host)
    except ValueError:
        raise UncallableError("The host is a number, but no address as it is written.") from None


def _check_name(host: str, scheme: str, *, may_be_inner: bool) -> None:
    labels = host.split(".")
    if len(host) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise UncallableError("The host is not a name of the Internet.")
    if may_be_inner:
        return
    if len(labels) == 1 or labels[-1] in _INNER_NAMES:
        raise UncallableError("The host is a name that leads nowhere outside.")
    if scheme != "https":
        raise UncallableError(_NOT_HTTPS)
