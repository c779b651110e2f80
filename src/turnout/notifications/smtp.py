"""Sends mails by SMTP, over a few connections that are kept. Knows neither events nor settings."""

import asyncio
import ssl
from dataclasses import dataclass
from functools import partial

from turnout.notifications.mail_errors import MailPostponed, ServerAway
from turnout.notifications.mail_gate import Gate, NoTurn
from turnout.notifications.smtp_channel import Broken, Channel, Envelope
from turnout.notifications.smtp_server import Crowded, MailServer, Security, open_channel

CONNECTIONS = 8
RESERVED = 2
"""So many of the connections only urgent mails may use."""
MAILS_EACH = 100
IDLE_SECONDS = 30.0
SEND_SECONDS = 60.0
"""The longest that one mail takes, once it is its turn."""
FAREWELL_SECONDS = 2.0
WIDEN_SECONDS = 60.0
"""After so long one more connection is tried where the server wanted no more."""


@dataclass(slots=True)
class _Kept:
    """A connection that waits for its next mail, and what closes it when none comes."""

    channel: Channel
    expiry: asyncio.TimerHandle


class SmtpMailer:
    """Sends by one server, over at most CONNECTIONS connections; made by open_mailer().

    A connection is kept for the next mail, until it has taken MAILS_EACH or nothing came for
    IDLE_SECONDS. Use and close it in one event loop.
    """

    def __init__(self, server: MailServer, per_second: float) -> None:
        self._server = server
        self._gate = Gate(CONNECTIONS, RESERVED, per_second)
        self._kept: list[_Kept] = []
        self._open: set[Channel] = set()
        self._connecting = 0
        self._tls: ssl.SSLContext | None = None
        self._is_closing = False

    async def send(
        self,
        recipient: str,
        raw: bytes,
        *,
        is_utf8: bool,
        name: str,  # noqa: ARG002 - the interface of mailers: a name of files
        urgent: bool = False,
    ) -> None:
        """Hand the mail to the server, which has taken it on return; see Mailer."""
        envelope = Envelope(self._server.sender, recipient, raw, is_utf8)
        while not await self._sent_in_turn(envelope, urgent=urgent):
            pass  # with fewer connections

    async def _sent_in_turn(self, envelope: Envelope, *, urgent: bool) -> bool:
        """Send when it is its turn; False where there was no connection for it after all."""
        try:
            async with self._gate.turn(urgent=urgent), asyncio.timeout(SEND_SECONDS):
                await self._deliver(envelope)
        except NoTurn:
            raise ServerAway("more mails wait than may be sent") from None
        except TimeoutError:
            raise MailPostponed("the mail server takes too long") from None
        except Crowded as error:
            others = len(self._open) + self._connecting
            if not others:
                self._gate.dismiss(partial(ServerAway, error.reason))
                raise
            # Others of ours were taken: do with those.
            self._gate.narrow(others, WIDEN_SECONDS)
            return False
        except ServerAway as error:
            # Who waits would only find out the same, each after a time-out of its own.
            self._gate.dismiss(partial(ServerAway, error.reason))
            raise
        return True

    async def aclose(self) -> None:
        """Take leave of the server; what is being sent goes on, and its connection ends then."""
        self._is_closing = True
        self._gate.close()
        leaving = [each.channel.closed for each in self._kept]
        while self._kept:
            self._quit(self._kept.pop())
        if leaving:
            await asyncio.wait(leaving, timeout=FAREWELL_SECONDS)

    async def _deliver(self, envelope: Envelope) -> None:
        while (channel := self._take_kept()) is not None:
            try:
                return await self._through(channel, envelope)
            except Broken as broken:
                # The server had closed it while it was kept, which only shows when it is used.
                if not broken.is_stale:
                    raise broken.as_error() from None
        channel = await self._connect()
        try:
            await self._through(channel, envelope)
        except Broken as broken:
            raise broken.as_error() from None

    async def _through(self, channel: Channel, envelope: Envelope) -> None:
        try:
            await channel.send(envelope)
        finally:
            self._keep_or_close(channel)

    async def _connect(self) -> Channel:
        if self._tls is None and self._server.security is not Security.NONE:
            # Reads all certificates of the system, which takes some time.
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        self._connecting += 1
        try:
            channel = (await open_channel(self._server, self._tls)).channel
        finally:
            self._connecting -= 1
        self._open.add(channel)
        channel.closed.add_done_callback(lambda _: self._open.discard(channel))
        return channel

    def _take_kept(self) -> Channel | None:
        while self._kept:
            kept = self._kept.pop()  # the one used last: the others may then become idle and go
            kept.expiry.cancel()
            if kept.channel.is_open:
                return kept.channel
        return None

    def _keep_or_close(self, channel: Channel) -> None:
        if not channel.is_clean:
            channel.drop()
            return
        if self._is_closing or channel.mails >= MAILS_EACH:
            channel.quit()
            return
        loop = asyncio.get_running_loop()
        self._kept.append(_Kept(channel, loop.call_later(IDLE_SECONDS, self._expire, channel)))

    def _expire(self, channel: Channel) -> None:
        (kept,) = (each for each in self._kept if each.channel is channel)
        self._kept.remove(kept)
        channel.quit()

    def _quit(self, kept: _Kept) -> None:
        kept.expiry.cancel()
        kept.channel.quit()


async def probe(server: MailServer) -> str:
    """What the server offers when one connects, secures and signs in as for a mail; sends none.

    Raises ServerAway.
    """
    tls = None
    if server.security is not Security.NONE:
        tls = await asyncio.to_thread(ssl.create_default_context)
    opened = await open_channel(server, tls)
    extensions = opened.channel.extensions
    opened.channel.quit()
    await asyncio.wait([opened.channel.closed], timeout=FAREWELL_SECONDS)
    said = [opened.tls or "without TLS"]
    if server.user:
        said.append("signed in" if opened.tls else "signed in with the password in the clear")
    if "smtputf8" not in extensions:
        said.append("takes no international addresses")
    limit = extensions.get("size", "")
    if limit.isdigit() and int(limit):
        said.append(f"takes mails of {int(limit):,} bytes")
    return f"through {server.name}: {', '.join(said)}"
