"""A load as data: which requests, how many connections, how long; knows nothing of sockets."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

NUMBER = "{number}"
"""Stands for the request's running number in a path or a body."""

DIGITS = 6
"""A number always has six digits (also fit for the microseconds of a time)."""

FORM = "application/x-www-form-urlencoded"
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `NUMBER` in its path or body makes each sending of it different."""

    path: str
    method: str = "GET"
    headers: Headers = ()
    body: str = ""
    content_type: str = "application/json"
    """Of the body, where there is one."""

    @property
    def is_constant(self) -> bool:
        """Whether each sending is the same, byte for byte."""
        return NUMBER not in self.path and NUMBER not in self.body

    def parts(self, host: str) -> list[bytes]:
        """The bytes on the wire, cut where the number goes: `digits.join(parts)` is the request.

        Built once, so that a sending costs one join. The number always has `DIGITS` digits, which
        is why Content-Length can be written beforehand.
        """
        lines = [f"{self.method} {self.path} HTTP/1.1", f"host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            length = len(self.body.replace(NUMBER, "0" * DIGITS).encode())
            lines += [f"content-type: {self.content_type}", f"content-length: {length}"]
        text = "\r\n".join(lines) + "\r\n\r\n" + self.body
        return [part.encode() for part in text.split(NUMBER)]


def post(path: str, body: dict[str, Any]) -> Request:
    """A POST of `body` as JSON."""
    return Request(path, "POST", body=json.dumps(body, separators=(",", ":")))


def form(path: str, fields: dict[str, str]) -> Request:
    """A POST of `fields` as browsers and OAuth clients send a form."""
    return Request(path, "POST", body=urlencode(fields), content_type=FORM)


@dataclass(frozen=True, slots=True)
class Load:
    """What a client is to do, until `seconds` are over or `count` requests were sent.

    Without `rate` each connection sends its next request when the last is answered (a closed
    loop). With `rate`, that many a second are due whether or not the server keeps up (an open
    loop), and a latency counts from the moment the request was due. Numbers are not used twice,
    so a load that has them ends after a million requests. A status outside `expected` is an error.
    """

    port: int
    requests: tuple[Request, ...]
    host: str = "127.0.0.1"
    connections: int = 64
    seconds: float = 5.0
    count: int | None = None
    rate: float | None = None
    expected: tuple[int, ...] = (200,)

    @property
    def most(self) -> float:
        """How many requests may be sent."""
        numbered = not all(request.is_constant for request in self.requests)
        limit = 10**DIGITS if numbered else math.inf
        return limit if self.count is None else min(limit, self.count)

    def to_json(self) -> str:
        """The load as text, for the client's own process."""
        return json.dumps(asdict(self))


def load_from_json(text: str) -> Load:
    """The load written by `Load.to_json`."""
    fields = json.loads(text)
    fields["expected"] = tuple(fields["expected"])
    fields["requests"] = tuple(
        Request(**{**each, "headers": tuple((name, value) for name, value in each["headers"])})
        for each in fields["requests"]
    )
    return Load(**fields)
