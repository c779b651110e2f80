"""The only HTTP client. Knows no feature, and nothing of what is asked or answered.

It asks addresses that the operator has set, and those alone: a sign-in provider may well be on a
private network, so no address is refused. What users name (a webhook) needs a filter of private
addresses, which comes with the feature that lets them name it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import orjson

if TYPE_CHECKING:
    import httpx2

MAX_ANSWER_BYTES = 64 * 1024
MAX_CONNECTIONS = 20
_FORM = "application/x-www-form-urlencoded"


class OutsideError(Exception):
    """What was asked did not answer as it should; the same request may do better later, or never.

    The text names the host and never the path, the query, the body or a header: each can hold a
    secret, and errors end up in logs.
    """

    def __init__(self, message: str, *, is_permanent: bool) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent


class AnswerTooLarge(OutsideError):
    """The body goes on after MAX_ANSWER_BYTES; what follows was not read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever its status. The names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> object:
        """What the body says; OutsideError if it is not JSON (RFC 8259)."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            message = f"the answer, of status {self.status}, is not JSON"
            raise OutsideError(message, is_permanent=True) from None


class Outside:
    """Asks other systems, within bounds of time and size; `aclose` it in the loop that used it.

    Follows no redirect, keeps no cookie, and takes nothing from the environment. The whole of a
    request takes at most `total_seconds`, however slowly the other side sends.
    """

    def __init__(
        self,
        *,
        connect_seconds: float = 3.0,
        read_seconds: float = 5.0,
        total_seconds: float = 10.0,
    ) -> None:
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._total_seconds = total_seconds
        self._client: httpx2.AsyncClient | None = None

    async def get_json(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        """The answer to a GET that asks for JSON; OutsideError when there is none."""
        return await self._ask("GET", url, dict(headers or {}), b"")

    async def post_form(
        self, url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Reply:
        """The answer to a POST of `fields` as a form; OutsideError when there is none.

        Sent once: nobody knows whether a request without an answer has had its effect.
        """
        sent = {"Content-Type": _FORM, **(headers or {})}
        return await self._ask("POST", url, sent, urlencode(fields).encode())

    async def aclose(self) -> None:
        """Close what is open; a later request would open it again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _ask(self, method: str, url: str, headers: dict[str, str], content: bytes) -> Reply:
        client = self._opened()
        import httpx2  # opening the client has brought it in

        # What the caller asked for cannot be sent at all.
        unsendable = (
            httpx2.InvalidURL,
            httpx2.UnsupportedProtocol,
            httpx2.LocalProtocolError,
            UnicodeError,
        )
        # The texts are left out: they may hold the address, or what the other side wrote.
        try:
            async with (
                asyncio.timeout(self._total_seconds),
                client.stream(method, url, headers=headers, content=content) as response,
            ):
                return Reply(response.status_code, dict(response.headers), await _read(response))
        except TimeoutError:
            raise _failed(url, "TimeoutError", is_permanent=False) from None
        except unsendable as error:
            raise _failed(url, type(error).__name__, is_permanent=True) from None
        except httpx2.HTTPError as error:
            raise _failed(url, type(error).__name__, is_permanent=False) from None

    def _opened(self) -> "httpx2.AsyncClient":
        if self._client is None:
            self._client = self._new_client()
        return self._client

    def _new_client(self) -> "httpx2.AsyncClient":
        # Not at the top: a server that asks nothing of others should not hold them in memory.
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        import httpx2

        return httpx2.AsyncClient(
            headers={
                "Accept": "application/json",
                # A small body could unpack to a huge one before its size is looked at.
                "Accept-Encoding": "identity",
                "User-Agent": "Turnout",
            },
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx2.Timeout(self._read_seconds, connect=self._connect_seconds),
            # None is kept open. Requests are rare, and a kept connection that the other side gives
            # up in just that moment would fail a request that may not be sent twice.
            limits=httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0),
        )


async def _read(response: "httpx2.Response") -> bytes:
    """The body as sent; stops once there is a byte too many."""
    url = str(response.url)
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _failed(url, "the body has an encoding that was not asked for", is_permanent=True)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerTooLarge(f"{_host(url)}: the body is too large", is_permanent=True)
    return bytes(body)


def _failed(url: str, what: str, *, is_permanent: bool) -> OutsideError:
    return OutsideError(f"{_host(url)}: {what}", is_permanent=is_permanent)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "no host"
    except ValueError:
        return "no host"
