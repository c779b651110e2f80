"""Whatever the other side does, a request ends soon, reads little, and says nothing secret."""

import asyncio
import gzip
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from tests.support.outside import (
    Answer,
    Request,
    SmallServer,
    answer,
    json_answer,
    raw,
    silence,
    small_server,
    trickle,
)
from tests.support.processes import LOOPBACK, free_port

from turnout.outside import MAX_ANSWER_BYTES, AnswerTooLarge, Outside, OutsideError

SECRET = "do-not-log-me"
HEADERS = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture
async def server() -> AsyncIterator[SmallServer]:
    async with small_server() as started:
        yield started


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    opened = Outside()
    yield opened
    await opened.aclose()


@pytest.fixture
async def hasty() -> AsyncIterator[Outside]:
    """One that gives up early, so that the tests of giving up are short."""
    opened = Outside(read_seconds=0.2, total_seconds=0.5)
    yield opened
    await opened.aclose()


async def test_get_json_gives_what_was_answered(outside: Outside, server: SmallServer) -> None:
    server.answers["/thing"] = json_answer({"a": [1, "ä"]})

    reply = await outside.get_json(f"{server.url}/thing?x=1", {"X-Extra": "here"})

    assert (reply.status, reply.json()) == (200, {"a": [1, "ä"]})
    assert reply.headers["content-type"] == "application/json"
    (asked,) = server.asked
    assert (asked.method, asked.body) == ("GET", b"")
    named = {name: asked.headers[name] for name in asked.headers if name != "host"}
    assert named == {
        "accept": "application/json",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "user-agent": "Turnout",
        "x-extra": "here",
    }


async def test_post_form_sends_the_fields(outside: Outside, server: SmallServer) -> None:
    server.answers["/form"] = json_answer({"ok": True}, "201 Created")

    reply = await outside.post_form(f"{server.url}/form", {"a": "1 & 2", "b": "ä"}, HEADERS)

    assert (reply.status, reply.json()) == (201, {"ok": True})
    (asked,) = server.asked
    assert (asked.method, asked.form) == ("POST", {"a": "1 & 2", "b": "ä"})
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.headers["authorization"] == HEADERS["Authorization"]


async def test_redirect_is_given_back_and_not_followed(
    outside: Outside, server: SmallServer
) -> None:
    server.answers["/from"] = answer(b"", "302 Found", location=f"{server.url}/to")
    server.answers["/to"] = json_answer({})

    reply = await outside.get_json(f"{server.url}/from")

    assert (reply.status, reply.headers["location"]) == (302, f"{server.url}/to")
    assert [request.path for request in server.asked] == ["/from"]


async def test_cookie_that_was_set_is_not_sent(outside: Outside, server: SmallServer) -> None:
    server.answers["/thing"] = answer(b"{}", set_cookie=f"a={SECRET}; Path=/")

    await outside.get_json(f"{server.url}/thing")
    await outside.get_json(f"{server.url}/thing")

    assert [request.headers.get("cookie") for request in server.asked] == [None, None]


async def test_proxy_of_the_environment_is_not_used(
    outside: Outside, server: SmallServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{LOOPBACK}:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://{LOOPBACK}:{free_port()}")
    server.answers["/thing"] = json_answer(1)

    reply = await outside.get_json(f"{server.url}/thing")

    assert reply.json() == 1


async def test_body_of_just_the_limit_is_read(outside: Outside, server: SmallServer) -> None:
    server.answers["/thing"] = answer(b"x" * MAX_ANSWER_BYTES)

    reply = await outside.get_json(f"{server.url}/thing")

    assert len(reply.body) == MAX_ANSWER_BYTES


async def endless(_: Request, writer: asyncio.StreamWriter) -> None:
    """More and more, of no length that was said before."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 1000)
        await writer.drain()


@pytest.mark.parametrize("large", [answer(b"x" * (MAX_ANSWER_BYTES + 1)), endless])
async def test_body_over_the_limit_is_refused(
    outside: Outside, server: SmallServer, large: Answer
) -> None:
    server.answers["/thing"] = large

    with pytest.raises(AnswerTooLarge) as raised:
        await outside.get_json(f"{server.url}/thing")

    assert raised.value.is_permanent


async def test_body_that_is_packed_is_refused(outside: Outside, server: SmallServer) -> None:
    packed = gzip.compress(b" " * 10_000_000)
    server.answers["/thing"] = answer(packed, content_encoding="gzip")

    with pytest.raises(OutsideError) as raised:
        await outside.get_json(f"{server.url}/thing")

    assert raised.value.is_permanent


@pytest.mark.parametrize("body", [b"", b"<p>down</p>", b"\xff", b"NaN", b"[" * 60_000, b"{} {}"])
async def test_json_of_a_body_that_is_none_is_refused(
    outside: Outside, server: SmallServer, body: bytes
) -> None:
    server.answers["/thing"] = answer(body, "502 Bad Gateway")

    reply = await outside.get_json(f"{server.url}/thing")

    assert (reply.status, reply.body) == (502, body)
    with pytest.raises(OutsideError) as raised:
        reply.json()
    assert raised.value.is_permanent


CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"
FAILING: list[Answer] = [silence, trickle, raw(CUT), raw(b""), raw(b"SSH-2.0 no HTTP\r\n\r\n")]


@pytest.mark.parametrize("failing", FAILING, ids=["silent", "slow", "cut", "closed", "no-http"])
async def test_server_that_fails_in_its_answer_may_do_better_later(
    hasty: Outside, server: SmallServer, failing: Answer
) -> None:
    server.answers["/thing"] = failing

    with pytest.raises(OutsideError) as raised:
        await hasty.get_json(f"{server.url}/thing")

    assert not raised.value.is_permanent


async def test_port_where_nobody_listens_may_do_better_later(outside: Outside) -> None:
    with pytest.raises(OutsideError) as raised:
        await outside.get_json(f"http://{LOOPBACK}:{free_port()}/")

    assert not raised.value.is_permanent


UNASKABLE = ["", "/thing", "ftp://example.org/", "http://\x00/", "http://", "http://a:b/"]


@pytest.mark.parametrize("url", UNASKABLE)
async def test_address_that_cannot_be_asked_never_will_be(outside: Outside, url: str) -> None:
    with pytest.raises(OutsideError) as raised:
        await outside.get_json(url)

    assert raised.value.is_permanent


@pytest.mark.parametrize("value", ["line\r\nX-Other: 1", "ключ"])
async def test_header_that_cannot_be_sent_never_will_be(
    outside: Outside, server: SmallServer, value: str
) -> None:
    with pytest.raises(OutsideError) as raised:
        await outside.get_json(f"{server.url}/thing", {"Authorization": value})

    assert raised.value.is_permanent
    assert server.asked == []


@pytest.mark.parametrize("failing", [trickle, raw(f"{SECRET}\r\n\r\n".encode()), raw(CUT)])
async def test_error_holds_nothing_of_the_request_or_the_answer(
    hasty: Outside, server: SmallServer, failing: Answer
) -> None:
    server.answers[f"/{SECRET}"] = failing
    url = server.url.replace("//", f"//{SECRET}:{SECRET}@")

    with pytest.raises(OutsideError) as raised:
        await hasty.post_form(f"{url}/{SECRET}?key={SECRET}", {"a": SECRET}, HEADERS)

    assert str(raised.value).partition(": ")[0] == LOOPBACK
    assert SECRET not in str(raised.value)
    assert raised.value.__suppress_context__


async def test_reply_when_printed_shows_only_its_status(
    outside: Outside, server: SmallServer
) -> None:
    server.answers["/thing"] = answer(SECRET.encode(), x_key=SECRET)

    reply = await outside.get_json(f"{server.url}/thing")

    assert repr(reply) == "Reply(status=200)"


async def test_outside_once_closed_opens_again(outside: Outside, server: SmallServer) -> None:
    server.answers["/thing"] = json_answer(1)
    await outside.get_json(f"{server.url}/thing")

    await outside.aclose()
    await outside.aclose()
    reply = await outside.get_json(f"{server.url}/thing")

    assert reply.json() == 1


def test_server_that_asks_nothing_does_not_hold_the_client_in_memory() -> None:
    program = "import sys, turnout.outside as o; o.Outside(); print('httpx2' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
