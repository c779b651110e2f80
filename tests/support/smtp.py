"""A real mail server for tests, as a process of its own that writes down each mail it takes.

Knows nothing of what sends the mails. What the server can do is in smtp_rules.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
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
from tests.support.announced import AnnouncedServer
from tests.support.folders import GuardedFolder
from tests.support.processes import LOOPBACK
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

_ROOT = Path(__file__).resolve().parents[2]


class SmtpServer(AnnouncedServer):
    """One mail server on loopback; made by start(). What it took outlives kill() and restart()."""

    ready = READY
    taken = "address already in use"
    stdin = subprocess.PIPE  # its end tells the server that this process is gone

    def __init__(self, folder: Path, offer: Offer) -> None:
        super().__init__(folder, cwd=_ROOT)
        self.offer = offer
        self._behaviour = Behaviour()
        self._accepted = list[Accepted]()
        self._read = 0

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
            with server._running():
                yield server
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

    def behave(self, **changes: Any) -> None:
        """Answer like this from the next command on; what is not named is as at the start."""
        self._behaviour = replace(Behaviour(), **changes)
        part = self._folder / f"{BEHAVIOUR}.part"
        part.write_text(self._behaviour.text())
        part.replace(self._folder / BEHAVIOUR)

    def accepted(self) -> list[Accepted]:
        """Every mail that it took so far, in this order."""
        ledger = self._folder / LEDGER
        if ledger.exists():
            with ledger.open("rb") as file:
                file.seek(self._read)
                # A last line without its end is still being written.
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read += len(whole) + 1
                self._accepted += [Accepted(**json.loads(line)) for line in whole.split(b"\n")]
        return list(self._accepted)

    def connections(self) -> int:
        """How many connections there were so far."""
        path = self._folder / CONNECTIONS
        return path.stat().st_size if path.exists() else 0

    def forget(self) -> None:
        """Begin an empty ledger, and count connections from nothing."""
        self._accepted, self._read = [], 0
        for name in (LEDGER, CONNECTIONS):
            (self._folder / name).write_bytes(b"")

    def _command(self) -> Sequence[str | Path]:
        program = (sys.executable, "-m", "tests.support.smtp_program")
        return (*program, self._folder, str(self.port), self.offer.text())


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
