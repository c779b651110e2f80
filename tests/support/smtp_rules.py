"""What the mail server for tests is and does; shared by its process and by who starts it."""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal, Self

How = Literal["never", "first", "always"]
"""`first`: the first time for each recipient."""

UNLIMITED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Offer:
    """What the server is for all of its life. Without a user it wants nobody to sign in."""

    security: Literal["smtp", "smtps", "smtp+starttls"] = "smtp"
    user: str = ""
    password: str = ""
    is_utf8: bool = True
    is_pipelining: bool = True
    max_bytes: int = UNLIMITED_BYTES

    @classmethod
    def read(cls, text: str) -> Self:
        """From what text() gave."""
        return cls(**json.loads(text))

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Behaviour:
    """How the server answers from now on; by default it takes every mail at once.

    Answers are whole lines, such as `550 5.1.1 No such user`. After one of 421 it hangs up.
    """

    greeting: str = ""
    """Given in place of its greeting."""
    most_connections: int = 0
    """Further ones at once are greeted with 421; 0: as many as come."""
    mails_each: int = 0
    """After so many mails on one connection it answers 421; 0: never."""
    sender: str = ""
    """The answer to MAIL."""
    refused_percent: int = 0
    """So many of a hundred recipients, evenly spread, get `refusal`."""
    refusal: str = "450 4.2.0 Try again later"
    recipients: dict[str, str] = field(default_factory=dict)
    """The answer to RCPT for each of these."""
    greylists: bool = False
    """The first time that it hears of a recipient it answers 451."""
    content: str = ""
    """The answer to the content, which is not taken then."""
    slow_seconds: float = 0.0
    """So long it takes for the answer to the content."""
    slow_recipients: list[str] = field(default_factory=list)
    """Who alone is served slowly; empty: everyone."""
    breaks_in_content: How = "never"
    """Resets the connection in the midst of the content."""
    breaks_after_content: How = "never"
    """Takes the mail, and resets the connection instead of saying so."""
    hangs_up_on_refusal: bool = False
    """Closes the connection after it has refused a recipient."""
    takes_data_anyway: bool = False
    """Answers 354 to DATA although there is no recipient, as RFC 2920 (3.1) lets servers do."""
    keeps_content: bool = False
    """Writes the whole mail into the ledger."""

    @classmethod
    def read(cls, text: str) -> Self:
        """From what text() gave."""
        return cls(**json.loads(text))

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Accepted:
    """A line of the ledger: one mail that the server took for one recipient."""

    message_id: str
    recipient: str
    sender: str
    at: float
    """Seconds since 1970."""
    connection: int
    """Which of all the connections that there were, counted from 1."""
    bytes: int
    is_utf8: bool
    content: str = ""
    """The bytes of the mail as of Latin-1, where the server keeps them."""
