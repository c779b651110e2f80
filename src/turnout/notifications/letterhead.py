"""What is the same in every mail of an installation: whose it is, and what its links begin with."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import parseaddr
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from turnout.accounts.opaque import Seals
from turnout.registrations.tickets import Tickets

NAME = "Turnout"
_LOCAL_PART = "turnout"


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Whose mails these are. `base_url` has no slash at its end."""

    base_url: str
    sender: Address
    seals: Seals
    tickets: Tickets

    @property
    def host(self) -> str:
        """The name that people know the server by, as the right side of an address."""
        return host_of(self.base_url)


def sender_of(mail_from: str, base_url: str) -> Address:
    """The sender of a setting like `Turnout <events@example.com>`; a name is added in want of one.

    Without a setting it is `turnout@` and the host. Raises ValueError for what is no address.
    """
    name, address = parseaddr(mail_from or f"{_LOCAL_PART}@{host_of(base_url)}")
    local, at, domain = address.rpartition("@")
    if not (local and at and domain):
        raise ValueError(f"{mail_from!r} is no address that mails can come from")
    return Address(name or NAME, local, domain)


@lru_cache(8)
def host_of(base_url: str) -> str:
    """The host of an address of the web; for a number what mail has for it (RFC 5321, 4.1.3)."""
    host = urlsplit(base_url).hostname or "localhost"
    try:
        number = ip_address(host)
    except ValueError:
        return host.encode("idna").decode()
    return f"[IPv6:{number}]" if number.version == 6 else f"[{number}]"
