"""What users name is asked only where everyone could ask it; inside, nobody hears a connection."""

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.outside import certificates, inside_urls
from tests.support.outside import SmallServer, answer, silence, small_server
from tests.support.processes import LOOPBACK

from turnout import addresses
from turnout.addresses import Address, UncallableError
from turnout.outside import OutsideError, OutsideOfUsers

LOOPBACKS = ("127.0.0.0/8", "::1/128")
TAKEN = answer(b"", "204 No Content")


@dataclass
class Ears:
    """Listens on loopback, on both kinds of it, and counts who connects."""

    port: int
    heard: list[object] = field(default_factory=list)


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Ears]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.heard.append(writer.get_extra_info("peername"))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    first = await asyncio.start_server(serve, LOOPBACK, 0)
    found = Ears(first.sockets[0].getsockname()[1])
    second = await asyncio.start_server(serve, "::1", found.port)
    async with first, second:
        yield found


@pytest.fixture
async def ears() -> AsyncIterator[Ears]:
    async with listening() as started:
        yield started


@pytest.fixture
async def server() -> AsyncIterator[SmallServer]:
    async with small_server() as started:
        started.answers["/hook"] = TAKEN
        yield started


class Names:
    """Stands for DNS: each question about a name gets the next of its answers, then the last."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "-"): list(each) for name, each in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[Address]:
        self.asked.append(name)
        answers = self._answers[name.partition(".")[0]]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ipaddress.ip_address(each) for each in found]


async def refused(outside: OutsideOfUsers, url: str) -> bool:
    """Whether a call fails, and for good."""
    try:
        await outside.post(url, b"{}", {})
    except OutsideError as error:
        return error.is_permanent
    finally:
        await outside.aclose()
    return False


def test_corpus_has_the_size_that_was_promised() -> None:
    assert len(set(inside_urls.ALL)) >= 80


async def test_url_that_leads_inside_is_refused_and_nobody_hears_a_connection(ears: Ears) -> None:
    called = [
        url
        for url in inside_urls.ALL
        if not await refused(OutsideOfUsers(), url.format(port=ears.port))
    ]

    assert called == []
    assert ears.heard == []


async def test_url_that_leads_inside_is_refused_before_it_is_called(ears: Ears) -> None:
    outside, taken = OutsideOfUsers(), []
    for url in inside_urls.ALL:
        with contextlib.suppress(UncallableError):
            outside.check(url.format(port=ears.port))
            taken.append(url)
    await outside.aclose()

    assert taken == []


@pytest.mark.parametrize("kind", inside_urls.NAMED_INSIDE)
async def test_name_that_leads_inside_is_refused(ears: Ears, kind: str) -> None:
    names = Names(**{kind.replace("-", "_"): [inside_urls.NAMED_INSIDE[kind]]})

    is_refused = await refused(
        OutsideOfUsers(resolve=names), f"https://{kind}.example.com:{ears.port}/"
    )

    assert is_refused
    assert ears.heard == []
    assert len(names.asked) == 1


async def test_listener_hears_what_the_operator_allows(ears: Ears) -> None:
    """The control of all above: without the guard these calls do connect."""
    outside = OutsideOfUsers(LOOPBACKS)
    statuses = [
        (await outside.post(f"http://{host}:{ears.port}/", b"{}", {})).status
        for host in ("127.0.0.1", "[::1]", "localhost")
    ]
    await outside.aclose()

    assert statuses == [204] * 3
    assert len(ears.heard) == 3


async def test_call_goes_to_the_address_that_was_judged(ears: Ears) -> None:
    """What DNS says between the judgement and the connection changes nothing (rebinding)."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    elsewhere = await asyncio.start_server(hang_up, "127.0.0.2", ears.port)
    names = Names(hook=[["127.0.0.2"], [LOOPBACK]])
    outside = OutsideOfUsers(["127.0.0.2/32"], resolve=names, total_seconds=0.5)
    async with elsewhere:
        with pytest.raises(OutsideError):
            await outside.post(f"http://hook.example.com:{ears.port}/", b"{}", {})
        first = list(ears.heard)
        is_refused = await refused(outside, f"http://hook.example.com:{ears.port}/")

    assert (first, ears.heard) == ([], [])
    assert is_refused
    assert names.asked == ["hook.example.com"] * 2


async def test_allowed_network_allows_no_other(ears: Ears) -> None:
    names = Names(hook=[["127.0.0.2", LOOPBACK]])
    outside = OutsideOfUsers(["127.0.0.2/32"], resolve=names)

    assert await refused(outside, f"http://hook.example.com:{ears.port}/")
    assert await refused(OutsideOfUsers(["127.0.0.2/32"]), f"http://127.0.0.1:{ears.port}/")
    assert await refused(OutsideOfUsers(LOOPBACKS), "http://[::ffff:127.0.0.1]:8080/")
    assert ears.heard == []


async def test_second_address_is_tried_where_the_first_cannot_be_reached(
    server: SmallServer,
) -> None:
    names = Names(hook=[["127.0.0.3", LOOPBACK]])
    outside = OutsideOfUsers(LOOPBACKS, resolve=names)
    port = server.url.rpartition(":")[2]
    reply = await outside.post(f"http://hook.example.com:{port}/hook", b"{}", {})
    await outside.aclose()

    assert reply.status == 204
    assert server.asked[0].headers["host"] == f"hook.example.com:{port}"


async def test_name_without_an_answer_may_have_one_later() -> None:
    async def fail(_: str) -> Sequence[Address]:
        raise OSError("no such name")

    outside = OutsideOfUsers(resolve=fail)
    with pytest.raises(OutsideError) as raised:
        await outside.post("https://hook.example.com/do-not-log-me", b"{}", {})
    await outside.aclose()

    assert not raised.value.is_permanent
    assert str(raised.value) == "hook.example.com: the name could not be resolved"


async def test_name_server_that_never_answers_ends_with_the_time() -> None:
    async def hang(_: str) -> Sequence[Address]:
        await asyncio.Event().wait()
        return ()

    outside = OutsideOfUsers(resolve=hang, total_seconds=0.1)
    with pytest.raises(OutsideError) as raised:
        await outside.post("https://hook.example.com/", b"{}", {})
    await outside.aclose()

    assert not raised.value.is_permanent


async def test_redirect_and_cookie_and_proxy_lead_nowhere(
    server: SmallServer, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = f"http://{LOOPBACK}:{ears.port}"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    server.answers["/hook"] = answer(b"", "302 Found", location=proxy, set_cookie="a=b")
    outside = OutsideOfUsers(LOOPBACKS)
    replies = [await outside.post(f"{server.url}/hook", b"{}", {}) for _ in range(2)]
    await outside.aclose()

    assert [(reply.status, reply.body) for reply in replies] == [(302, b"")] * 2
    assert [request.headers.get("cookie") for request in server.asked] == [None, None]
    assert ears.heard == []


async def test_receiver_that_never_answers_ends_with_the_time(server: SmallServer) -> None:
    server.answers["/hook"] = silence
    outside = OutsideOfUsers(LOOPBACKS, total_seconds=0.2)
    with pytest.raises(OutsideError) as raised:
        await outside.post(f"{server.url}/hook?do-not-log-me", b"{}", {})
    await outside.aclose()

    assert (str(raised.value), raised.value.is_permanent) == ("127.0.0.1: TimeoutError", False)


async def test_tls_is_of_the_name_though_the_connection_is_to_an_address(tmp_path: Path) -> None:
    names = Names(hook=[[LOOPBACK]], other=[[LOOPBACK]])
    authority = certificates.make(tmp_path, "hook.example.com")
    asked: list[str | None] = []

    def note(_: object, name: str | None, __: object) -> None:
        asked.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.certificate, authority.key)
    context.sni_callback = note
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    outside = OutsideOfUsers(LOOPBACKS, resolve=names, tls=trusting)
    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with server:
        reply = await outside.post(f"https://hook.example.com:{port}/", b"{}", {})
        with pytest.raises(OutsideError):
            await outside.post(f"https://other.example.com:{port}/", b"{}", {})
    await outside.aclose()

    assert reply.status == 204
    assert asked == ["hook.example.com", "other.example.com"]


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("HTTPS://Example.COM/A?b=%20c", "example.com", 443, "/A?b=%20c"),
        ("https://example.com:8443/a/b", "example.com", 8443, "/a/b"),
        ("https://xn--bcher-kva.example/x", "xn--bcher-kva.example", 443, "/x"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
        ("https://[2606:4700:4700::1111]:1024/", "2606:4700:4700::1111", 1024, "/"),
        ("https://example.com:80/", "example.com", 80, "/"),
    ],
)
def test_public_url_may_be_called(url: str, host: str, port: int, path: str) -> None:
    target = addresses.target(url)

    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.0.1.1",
     "198.20.0.1", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450::1", "2400:cb00::1"],
)  # fmt: skip
def test_address_of_the_common_network_is_public(text: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(text))
