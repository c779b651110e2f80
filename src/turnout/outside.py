"""The only HTTP client. Knows no feature, and nothing of what is asked or answered.

`Outside` asks addresses that the operator has set: a sign-in provider may well be on a private
network, so no address is refused. `OutsideOfUsers` asks what users have named (a webhook), and only
where everyone could ask it: see `addresses`.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import orjson

from turnout import addresses
from turnout.addresses import Address, Target, UncallableError

if TYPE_CHECKING:
    import ssl

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


class UnreachableError(OutsideError):
    """There was no connection, so that nothing of the request was sent."""


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
        async with (
            _described(url),
            asyncio.timeout(self._total_seconds),
            client.stream(method, url, headers=headers, content=content) as response,
        ):
            return Reply(response.status_code, dict(response.headers), await _read(response))

    def _opened(self) -> "httpx2.AsyncClient":
        if self._client is None:
            self._client = _new_client(self._connect_seconds, self._read_seconds)
        return self._client


Resolve = Callable[[str], Awaitable[Sequence[Address]]]
"""Gives all addresses of a name, none for a name that has none; OSError where nobody knows."""


class OutsideOfUsers:
    """Asks what users have named, where it is public, or in one of the operator's `networks`.

    A name is resolved once, each of its addresses is judged, and the connection goes to one that
    was judged: what DNS says a moment later changes nothing. TLS and the Host header keep the name.
    Follows no redirect, keeps no cookie, takes nothing from the environment. A request takes
    `total_seconds` at most. `aclose` it in the loop that used it.
    """

    def __init__(
        self,
        networks: Sequence[str] = (),
        *,
        resolve: Resolve | None = None,
        tls: "ssl.SSLContext | None" = None,
        total_seconds: float = 15.0,
    ) -> None:
        self._networks = tuple(ipaddress.ip_network(each) for each in networks)
        self._resolve = resolve or self._ask_dns
        self._tls = tls
        self._total_seconds = total_seconds
        self._client: httpx2.AsyncClient | None = None
        # Of its own: a name server that never answers takes no thread from anything else.
        self._threads = ThreadPoolExecutor(MAX_CONNECTIONS, "resolve")

    def check(self, url: str) -> None:
        """Raises UncallableError for a URL that would be refused whatever DNS says."""
        addresses.target(url, self._networks)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The status and headers of the answer to a POST; its body is not looked at.

        Sent once at most. Raises OutsideError, a permanent one for what may not be called.
        """
        async with _described(url), asyncio.timeout(self._total_seconds):
            target = addresses.target(url, self._networks)
            found = addresses.check(await self._addresses(target), target.scheme, self._networks)
            # Where one of several cannot be reached nothing was sent: another may be tried.
            for address in found[:_MOST_ADDRESSES]:
                with contextlib.suppress(UnreachableError):
                    return await self._post(target, address, body, headers)
            raise UnreachableError(f"{target.host}: no connection", is_permanent=False)

    async def aclose(self) -> None:
        """Close what is open, and wait for no name server."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _addresses(self, target: Target) -> Sequence[Address]:
        if target.literal is not None:
            return (target.literal,)
        try:
            return await self._resolve(target.host)
        except OSError:
            message = f"{target.host}: the name could not be resolved"
            raise OutsideError(message, is_permanent=False) from None

    async def _ask_dns(self, name: str) -> Sequence[Address]:
        def look_up() -> list[Address]:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            return [ipaddress.ip_address(place[0]) for *_, place in found]

        return await asyncio.get_running_loop().run_in_executor(self._threads, look_up)

    async def _post(
        self, target: Target, address: Address, body: bytes, headers: Mapping[str, str]
    ) -> Reply:
        if self._client is None:
            self._client = _new_client(_USERS_CONNECT_SECONDS, self._total_seconds, self._tls)
        sent = {**headers, "Host": target.authority}
        # The certificate has to be the name's, though the URL is of an address.
        extensions = {"sni_hostname": target.host}
        url = target.at(address)
        async with (
            _described(f"//{target.host}"),
            self._client.stream(
                "POST", url, headers=sent, content=body, extensions=extensions
            ) as response,
        ):
            await _discard(response)
            return Reply(response.status_code, dict(response.headers), b"")


_MOST_ADDRESSES = 3
_USERS_CONNECT_SECONDS = 5.0
_DISCARD_SECONDS = 2.0


def _new_client(
    connect_seconds: float, read_seconds: float, tls: "ssl.SSLContext | None" = None
) -> "httpx2.AsyncClient":
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
        verify=True if tls is None else tls,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,
        timeout=httpx2.Timeout(read_seconds, connect=connect_seconds),
        # None is kept open. Requests are rare, and a kept connection that the other side gives
        # up in just that moment would fail a request that may not be sent twice.
        limits=httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0),
    )


@contextlib.asynccontextmanager
async def _described(url: str) -> AsyncIterator[None]:
    """Say what goes wrong inside as an OutsideError.

    The texts are left out: they may hold the address, or what the other side wrote.
    """
    import httpx2  # not at the top: as above

    # What the caller asked for cannot be sent at all.
    unsendable = (
        httpx2.InvalidURL,
        httpx2.UnsupportedProtocol,
        httpx2.LocalProtocolError,
        UnicodeError,
    )
    try:
        yield
    except UncallableError as error:
        raise _failed(url, str(error), is_permanent=True) from None
    except TimeoutError:
        raise _failed(url, "TimeoutError", is_permanent=False) from None
    except unsendable as error:
        raise _failed(url, type(error).__name__, is_permanent=True) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        message = f"{_host(url)}: {type(error).__name__}"
        raise UnreachableError(message, is_permanent=False) from None
    except httpx2.HTTPError as error:
        raise _failed(url, type(error).__name__, is_permanent=False) from None


async def _discard(response: "httpx2.Response") -> None:
    """Read a little of what is said, as hanging up at once looks like an error to some."""
    import httpx2  # not at the top: as above

    size = 0
    with contextlib.suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if size >= MAX_ANSWER_BYTES:
                    return


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
