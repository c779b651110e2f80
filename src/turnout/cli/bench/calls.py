"""Single calls to the server under test, to prepare a load and to look at what it left behind."""

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

TIMEOUT_SECONDS = 30.0


class NotLoopbackError(ValueError):
    """The address is not this machine's own: other people's servers are not put under load."""


class UnexpectedAnswerError(Exception):
    """The server did not answer what the benchmark needs in order to go on."""


class CannotMeasureError(Exception):
    """The server, or the machine, does not have what one scenario needs; others may go on."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server under test listens."""

    port: int
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """The address as a person writes it."""
        return f"http://{self.host}:{self.port}"


def loopback(url: str) -> Address:
    """The address in `http://127.0.0.1:8000`; raises NotLoopbackError for any other machine's."""
    split = urlsplit(url)
    host = "127.0.0.1" if split.hostname == "localhost" else split.hostname or ""
    try:
        is_loopback = ipaddress.IPv4Address(host).is_loopback
    except ipaddress.AddressValueError:
        is_loopback = False
    if split.scheme != "http" or not is_loopback or split.path.strip("/") or split.query:
        message = f"only a server of this machine is measured, as http://127.0.0.1:8000: {url!r}"
        raise NotLoopbackError(message)
    return Address(port=split.port or 80, host=host)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Caller:
    """A kept-alive connection for one call after the other, each with these headers."""

    def __init__(self, address: Address, headers: Iterable[tuple[str, str]] = ()) -> None:
        self._connection = HTTPConnection(address.host, address.port, timeout=TIMEOUT_SECONDS)
        self._headers = dict(headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask once, with a body of bytes as they are, or of anything else as JSON.

        Raises OSError or http.client.HTTPException where nobody answers.
        """
        sent = {**self._headers, **(headers or {})}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("content-type", "application/json")
        self._connection.request(method, path, data, sent)
        answer = self._connection.getresponse()
        kept = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, kept, answer.read())

    def expect(
        self,
        status: int,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask once; raises UnexpectedAnswerError for another status."""
        answer = self.call(method, path, body, headers)
        if answer.status != status:
            told = answer.body[:500].decode("utf-8", "replace")
            message = f"{method} {path} answered {answer.status}, not {status}: {told}"
            raise UnexpectedAnswerError(message)
        return answer

    def pages(self, path: str, *, most: int = 100_000) -> Iterator[Any]:
        """Each item of a list, page after page, `most` pages at most."""
        cursor = ""
        for _ in range(most):
            page = self.expect(200, "GET", f"{path}?limit=100{cursor}").json()
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = f"&cursor={quote(page['next_cursor'], safe='')}"
        message = f"{path} has no end after {most} pages"
        raise UnexpectedAnswerError(message)
