"""A real mail server for tests, as a process of its own that writes down each mail it takes.

Knows nothing of what sends the mails. What the server can do is in smtp_rules.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.support.folders import GuardedFolder
from tests.support.processes import LOOPBACK, DidNotStart, environment, free_port
from tests.support.smtp_program import (
    BEHAVIOUR,
    CERTIFICATE,
    CONNECTIONS,
    KEY,
    LEDGER,
    READY,
)
from tests.support.smtp_rules import Accepted, Behaviour, Offer

from turnout import clock

START_SECONDS = 30.0
POLL_SECONDS = 0.005
PORT_TRIES = 5
TAKEN = "address already in use"
_ROOT = Path(__file__).resolve().parents[2]


class PortTaken(DidNotStart):
    """Somebody else listens on the port that was free a moment ago."""


class SmtpServer:
    """One mail server on loopback; made by start(). What it took outlives kill() and restart()."""

    def __init__(self, folder: Path, offer: Offer) -> None:
        self.port = free_port()
        self.offer = offer
        self._folder = folder
        self._behaviour = Behaviour()
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextlib.contextmanager
    def start(cls, **offer: Any) -> Iterator[Self]:
        """A running server, ready for mails; gone with its folder on leaving.

        `offer` as in smtp_rules.Offer. Raises DidNotStart with the server's log.
        """
        folder = GuardedFolder("turnout-smtp-")
        try:
            server = cls(folder.path, Offer(**offer))
            if server.offer.security != "smtp":
                _write_certificate(folder.path)
            server.behave()
            server._start_on_free_port()
            try:
                yield server
            finally:
                server.kill()
        finally:
            folder.remove()

    @property
    def url(self) -> str:
        """What the product is told: with user and password where the server wants them."""
        return self.url_as(self.offer.user, self.offer.password)

    def url_as(self, user: str, password: str) -> str:
        """The address with somebody else's user and password."""
        who = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        return f"{self.offer.security}://{who}{LOOPBACK}:{self.port}"

    @property
    def certificate(self) -> Path:
        """What has to be trusted, by SSL_CERT_FILE, for a connection by TLS."""
        return self._folder / CERTIFICATE

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def behave(self, **changes: Any) -> None:
        """Answer like this from the next command on; what is not named is as at the start."""
        self._behaviour = replace(Behaviour(), **changes)
        part = self._folder / f"{BEHAVIOUR}.part"
        part.write_text(self._behaviour.text())
        part.replace(self._folder / BEHAVIOUR)

    def accepted(self) -> list[Accepted]:
        """Every mail that it took so far, in this order."""
        ledger = self._folder / LEDGER
        lines = ledger.read_text().splitlines() if ledger.exists() else []
        return [Accepted(**json.loads(line)) for line in lines]

    def connections(self) -> int:
        """How many connections there were so far."""
        path = self._folder / CONNECTIONS
        return path.stat().st_size if path.exists() else 0

    def forget(self) -> None:
        """Begin an empty ledger, and count connections from nothing."""
        for name in (LEDGER, CONNECTIONS):
            (self._folder / name).write_bytes(b"")

    def kill(self) -> None:
        """Crash (SIGKILL); the process is gone on return. Harmless when it does not run."""
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._process = None

    def restart(self) -> None:
        """Run again on the same port, after kill() or not; whom it greylisted is forgotten."""
        self.kill()
        self._launch()

    def hang(self) -> None:
        """Let it answer nobody, while its connections stay open (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on after hang()."""
        os.kill(self.pid, signal.SIGCONT)

    def _start_on_free_port(self) -> None:
        for attempt in range(1, PORT_TRIES + 1):
            try:
                return self._launch()
            except PortTaken:
                if attempt == PORT_TRIES:
                    raise
                self.port = free_port()
        return None

    def _launch(self) -> None:
        program = [sys.executable, "-m", "tests.support.smtp_program"]
        arguments = [str(self._folder), str(self.port), self.offer.text()]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*program, *arguments],
                stdin=subprocess.PIPE,  # its end tells the server that this process is gone
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(),
                cwd=_ROOT,
                start_new_session=True,  # an interrupt at the terminal is for the tests alone
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.kill()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        # Asked is the log and not the port, where somebody else could answer.
        deadline = time.monotonic() + START_SECONDS
        while READY not in self._written():
            if process.poll() is not None:
                text = self._written()
                raise (PortTaken if TAKEN in text else DidNotStart)(text)
            if time.monotonic() > deadline:
                raise DidNotStart(self._written())
            time.sleep(POLL_SECONDS)

    def _written(self) -> str:
        return (self._folder / "log").read_text(errors="replace")


def _write_certificate(folder: Path) -> None:
    """A key and a certificate for loopback that nobody signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    address = x509.IPAddress(ip_address(LOOPBACK))
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / KEY).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
