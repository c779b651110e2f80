"""Whatever the mail server answers, each mail is taken once or its sender knows what to do next."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.notifications.mailing import ADA, SENDER, a_mail, opened, outcome, tried
from tests.support.processes import LOOPBACK, free_port
from tests.support.smtp import SmtpServer

from turnout.notifications import smtp, smtp_channel, smtp_server
from turnout.notifications.mailer import Mailer, ServerAway


@pytest.fixture(scope="module", params=["pipelining", "step by step"])
def one_server(request: pytest.FixtureRequest) -> Iterator[SmtpServer]:
    with SmtpServer.start(is_pipelining=request.param == "pipelining") as started:
        yield started


@pytest.fixture
def server(one_server: SmtpServer) -> SmtpServer:
    one_server.behave()
    one_server.forget()
    return one_server


@pytest.fixture
async def mailer(server: SmtpServer) -> AsyncIterator[Mailer]:
    async with opened(server.url) as made:
        yield made


def taken(server: SmtpServer) -> list[tuple[str, str]]:
    return [(each.message_id, each.recipient) for each in server.accepted()]


async def test_mail_arrives_as_it_was_composed(mailer: Mailer, server: SmtpServer) -> None:
    server.behave(keeps_content=True)

    await mailer.send(ADA, a_mail("first"), is_utf8=False, name="first")

    [mail] = server.accepted()
    assert mail.content.encode("latin-1") == a_mail("first")
    assert (mail.sender, mail.recipient) == (SENDER, ADA)
    assert (mail.message_id, mail.is_utf8) == ("<first@example.com>", False)


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        (".\r\nQUIT", ".\r\nQUIT"),
        ("..\r\n.hidden\r\n...", "..\r\n.hidden\r\n..."),
        ("a\nb\rc\r\nd", "a\r\nb\r\nc\r\nd"),
        ("a\n.\nMAIL FROM:<m@example.net>\nb", "a\r\n.\r\nMAIL FROM:<m@example.net>\r\nb"),
        ("a\r.\rb\r\n.\r", "a\r\n.\r\nb\r\n.\r\n"),
    ],
)  # fmt: skip
async def test_mail_with_what_looks_like_its_end_stays_one(
    mailer: Mailer, server: SmtpServer, text: str, arrives: str
) -> None:
    server.behave(keeps_content=True)

    await mailer.send(ADA, a_mail(text=text), is_utf8=False, name="one")

    [mail] = server.accepted()
    assert mail.content.partition("\r\n\r\n")[2] == f"{arrives}\r\n"


async def test_mail_that_begins_with_a_dot_keeps_it(mailer: Mailer, server: SmtpServer) -> None:
    server.behave(keeps_content=True)

    await mailer.send(ADA, b".x: y\r\n\r\nHello", is_utf8=False, name="one")

    assert [each.content for each in server.accepted()] == [".x: y\r\n\r\nHello\r\n"]


REFUSALS: list[tuple[dict[str, Any], tuple[str, str], int]] = [
    (
        {"recipients": {ADA: "550 5.1.1 No such user"}},
        ("MailRefused", "550 to the recipient: 5.1.1 No such user"),
        1,
    ),
    (
        {"recipients": {ADA: "450 4.2.1 Mailbox busy"}},
        ("MailPostponed", "450 to the recipient: 4.2.1 Mailbox busy"),
        1,
    ),
    (
        {"recipients": {ADA: "421 4.3.2 Going down"}},
        ("ServerAway", "421 to a mail: 4.3.2 Going down"),
        2,
    ),
    (
        {"recipients": {ADA: "530 5.7.0 Sign in first"}},
        ("ServerAway", "530 to the recipient: 5.7.0 Sign in first"),
        1,
    ),
    ({"content": "554 5.6.0 Spam"}, ("MailRefused", "554 to the content: 5.6.0 Spam"), 1),
    (
        {"content": "452 4.3.1 Disk full"},
        ("MailPostponed", "452 to the content: 4.3.1 Disk full"),
        1,
    ),
    ({"content": "421 4.3.0 Bye"}, ("ServerAway", "421 to a mail: 4.3.0 Bye"), 2),
    (
        {"sender": "553 5.7.1 Not your address"},
        ("ServerAway", "553 to the sender: 5.7.1 Not your address"),
        1,
    ),
    ({"sender": "552 5.3.4 Too big"}, ("MailRefused", "552 to the sender: 5.3.4 Too big"), 1),
    ({"sender": "451 4.3.0 Later"}, ("MailPostponed", "451 to the sender: 4.3.0 Later"), 1),
    ({"breaks_in_content": "always"}, ("MailPostponed", smtp_channel.BROKE), 2),
]


@pytest.mark.parametrize(("behaviour", "expected", "connections"), REFUSALS)
async def test_refused_mail_says_what_to_do_and_the_next_one_goes(
    mailer: Mailer,
    server: SmtpServer,
    behaviour: dict[str, Any],
    expected: tuple[str, str],
    connections: int,
) -> None:
    server.behave(**behaviour)

    error = await tried(mailer, raw=a_mail("refused"))

    server.behave()
    await mailer.send(ADA, a_mail("next"), is_utf8=False, name="next")
    assert outcome(error) == expected
    assert taken(server) == [("<next@example.com>", ADA)]
    assert server.connections() == connections


async def test_refusal_counts_also_where_the_server_hangs_up_after_it(
    mailer: Mailer, server: SmtpServer
) -> None:
    server.behave(recipients={ADA: "550 5.1.1 No"}, hangs_up_on_refusal=True)

    assert outcome(await tried(mailer)) == ("MailRefused", "550 to the recipient: 5.1.1 No")


async def test_content_is_not_sent_for_nobody(mailer: Mailer, server: SmtpServer) -> None:
    server.behave(recipients={ADA: "550 5.1.1 No"}, takes_data_anyway=True)

    error = await tried(mailer)

    await mailer.send("bob@example.org", a_mail("next"), is_utf8=False, name="next")
    assert outcome(error) == ("MailRefused", "550 to the recipient: 5.1.1 No")
    assert taken(server) == [("<next@example.com>", "bob@example.org")]
    assert server.connections() == 1


async def test_greylisted_mail_goes_at_the_second_try(mailer: Mailer, server: SmtpServer) -> None:
    server.behave(greylists=True)
    recipient = f"grey-{free_port()}@example.org"

    tries = [outcome(await tried(mailer, recipient)) for _ in range(2)]

    assert tries == [("MailPostponed", "451 to the recipient: 4.7.1 Greylisted"), None]
    assert taken(server) == [("<one@example.com>", recipient)]


async def test_mail_whose_answer_was_lost_is_postponed_and_keeps_its_id(
    mailer: Mailer, server: SmtpServer
) -> None:
    server.behave(breaks_after_content="first")
    recipient = f"lost-{free_port()}@example.org"

    tries = [outcome(await tried(mailer, recipient)) for _ in range(2)]

    assert tries == [("MailPostponed", smtp_channel.BROKE), None]
    assert taken(server) == [("<one@example.com>", recipient)] * 2


async def test_connection_is_kept_for_a_hundred_mails(mailer: Mailer, server: SmtpServer) -> None:
    for _ in range(smtp.MAILS_EACH + 1):
        await mailer.send(ADA, a_mail(), is_utf8=False, name="one")

    used = [each.connection for each in server.accepted()]
    assert [used.count(each) for each in sorted({*used})] == [smtp.MAILS_EACH, 1]


async def test_connection_that_nobody_needs_is_closed(
    mailer: Mailer, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "IDLE_SECONDS", 0.01)

    for _ in range(2):
        await mailer.send(ADA, a_mail(), is_utf8=False, name="one")
        while mailer._kept:  # type: ignore[attr-defined]  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.005)

    assert (len(server.accepted()), server.connections()) == (2, 2)


async def test_mail_after_the_server_was_restarted_goes_at_once(
    mailer: Mailer, server: SmtpServer
) -> None:
    await asyncio.gather(*(tried(mailer, f"{n}@example.org") for n in range(8)))
    server.restart()
    server.forget()

    assert [outcome(await tried(mailer)) for _ in range(10)] == [None] * 10
    assert len(server.accepted()) == 10


async def test_mail_on_a_connection_that_had_enough_goes_by_another(
    mailer: Mailer, server: SmtpServer
) -> None:
    server.behave(mails_each=2)

    assert [outcome(await tried(mailer)) for _ in range(7)] == [None] * 7

    used = [each.connection for each in server.accepted()]
    assert [used.count(each) for each in sorted({*used})] == [2, 2, 2, 1]


async def test_server_that_hangs_costs_the_mails_under_way_one_try(
    mailer: Mailer, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_channel, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(smtp_server, "CONNECT_SECONDS", 0.2)
    await mailer.send(ADA, a_mail("before"), is_utf8=False, name="before")
    server.hang()

    try:
        tries = [outcome(await tried(mailer)) for _ in range(2)]
    finally:
        server.wake()

    assert tries == [
        ("MailPostponed", "the mail server did not answer in time"),
        ("ServerAway", f"{LOOPBACK}:{server.port}: no answer in time"),
    ]


async def test_mail_that_takes_too_long_is_postponed(
    mailer: Mailer, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "SEND_SECONDS", 0.2)
    server.behave(slow_seconds=60)

    error = await tried(mailer)

    assert outcome(error) == ("MailPostponed", "the mail server takes too long")


@pytest.mark.parametrize("greeting", ["554 5.3.2 No service", "421 4.3.2 Too busy"])
async def test_server_that_does_not_greet_is_away(
    mailer: Mailer, server: SmtpServer, greeting: str
) -> None:
    server.behave(greeting=greeting)

    error = await tried(mailer)

    code, _, text = greeting.partition(" ")
    told = f"{LOOPBACK}:{server.port}: {code} to connecting: {text}"
    assert isinstance(error, ServerAway)
    assert error.reason == told


async def test_mails_that_wait_learn_at_once_that_the_server_is_away() -> None:
    port = free_port()
    async with opened(f"smtp://{LOOPBACK}:{port}") as mailer:
        tries = await asyncio.gather(*(tried(mailer, urgent=n % 2 == 0) for n in range(40)))

    expected = ("ServerAway", f"{LOOPBACK}:{port}: cannot connect: Connection refused")
    assert [outcome(each) for each in tries] == [expected] * 40


async def test_few_connections_are_enough_where_the_server_wants_no_more(
    mailer: Mailer, server: SmtpServer
) -> None:
    server.behave(most_connections=3)

    tries = await asyncio.gather(*(tried(mailer, f"{n}@example.org") for n in range(60)))

    assert [outcome(each) for each in tries] == [None] * 60
    assert sorted(each.recipient for each in server.accepted()) == sorted(
        f"{n}@example.org" for n in range(60)
    )


async def test_each_mail_of_two_lanes_is_taken_once_or_refused(
    mailer: Mailer, server: SmtpServer
) -> None:
    server.behave(refused_percent=20, refusal="550 5.1.1 No")
    recipients = [f"{n}@example.org" for n in range(200)]

    tries = await asyncio.gather(
        *(tried(mailer, each, urgent=n % 2 == 0) for n, each in enumerate(recipients))
    )

    went = [each for each, error in zip(recipients, tries, strict=True) if error is None]
    assert sorted(each.recipient for each in server.accepted()) == sorted(went)
    refused = [outcome(error) for error in tries if error is not None]
    assert refused == [("MailRefused", "550 to the recipient: 5.1.1 No")] * 40


async def test_urgent_mail_does_not_wait_for_slow_ones(mailer: Mailer, server: SmtpServer) -> None:
    many = [f"slow-{n}@example.org" for n in range(20)]
    server.behave(slow_seconds=60, slow_recipients=many)
    bulk = [asyncio.create_task(tried(mailer, each)) for each in many]
    while server.connections() < smtp.CONNECTIONS - smtp.RESERVED:  # noqa: ASYNC110 - a process
        await asyncio.sleep(0.005)

    assert outcome(await tried(mailer, urgent=True)) is None

    assert [each.done() for each in bulk] == [False] * 20
    assert [each.recipient for each in server.accepted()] == [ADA]
    for each in bulk:
        each.cancel()
    await asyncio.wait(bulk)


@pytest.mark.parametrize(
    "recipient",
    [
        "ada@example.org>\r\nRCPT TO:<mallory@example.net",
        "ada@example.org> NOTIFY=NEVER",
        "ada mallory@example.net",
        "ada",
        "@example.org",
        "",
    ],
)
async def test_recipient_who_is_no_address_is_refused(
    mailer: Mailer, server: SmtpServer, recipient: str
) -> None:
    error = await tried(mailer, recipient)

    reason = "the recipient is no address that a mail server could be told"
    assert outcome(error) == ("MailRefused", reason)
    assert server.accepted() == []


async def test_no_mail_counts_as_sent_that_a_killed_server_did_not_take(
    mailer: Mailer, server: SmtpServer
) -> None:
    server.behave(slow_seconds=0.001)
    recipients = [f"{n}@example.org" for n in range(400)]
    sending = [asyncio.create_task(tried(mailer, each)) for each in recipients]
    while sum(each.done() for each in sending) < 50:  # noqa: ASYNC110 - whichever come first
        await asyncio.sleep(0.001)

    server.kill()

    tries = [await each for each in sending]
    server.restart()
    went = {each for each, error in zip(recipients, tries, strict=True) if error is None}
    accepted = [each.recipient for each in server.accepted()]
    unknown = {*accepted} - went
    kinds = {type(error).__name__ for error in tries if error is not None}
    assert kinds <= {"MailPostponed", "ServerAway"}
    assert (len(accepted), went - {*accepted}) == (len({*accepted}), set())
    # Taken, and the word of it lost: no more than were under way.
    assert 50 <= len(went) < 400
    assert len(unknown) <= smtp.CONNECTIONS - smtp.RESERVED
