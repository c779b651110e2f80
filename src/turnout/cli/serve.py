"""`turnout serve`: migrates, then serves the whole product until it is told to stop."""

import contextlib
import ipaddress
import os
import signal
import socket
import subprocess
import sys
from typing import Annotated, Any

import typer
import uvicorn

from turnout import main, tables
from turnout.cli import first_admin, user_errors, worker_process
from turnout.cli.data import retiming
from turnout.db import revision
from turnout.db.session import Database
from turnout.edge.protocol import Protocol
from turnout.observability import logs
from turnout.settings import PREFIX, Settings

HOST = "127.0.0.1"
"""Where we listen unless told otherwise: this machine alone can reach it."""

GRACE_SECONDS = 20
SERVER: dict[str, Any] = {
    "loop": "uvloop" if sys.platform != "win32" else "asyncio",
    "ws": "none",
    "access_log": False,
    "log_config": None,
    "server_header": False,
    "date_header": True,
    "proxy_headers": False,
    "backlog": 2048,
    "timeout_keep_alive": 75,
}
"""How the server program is run; the benchmark's floors are run the same way."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = HOST,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer.")] = 1,
    open_access: Annotated[
        bool, typer.Option("--open", help="Callers without a credential act as an organizer.")
    ] = False,
    worker: Annotated[
        bool, typer.Option(help="Also send mails and do the rest of the background work.")
    ] = True,
) -> None:
    """Bring the database to the present schema and serve the product on it.

    Mails, webhooks and reminders are the work of a process beside it (`turnout work`).
    """
    if open_access:
        # Through the environment, so that worker processes read the same settings.
        os.environ[f"{PREFIX}OPEN_ACCESS"] = "true"
    if f"{PREFIX}BASE_URL" not in os.environ:
        os.environ[f"{PREFIX}BASE_URL"] = f"http://{_shown(host)}:{port}"
    settings = user_errors.settings_or_fail()
    _check_open_access(settings, host)
    check_port(host, port)
    _migrate(settings)
    user_errors.run(lambda: _retime(settings))
    _greet(settings)
    logs.to_stderr(settings.log_format)
    # uvicorn answers what is in flight and then raises the signal once more, for this handler:
    # to be told to stop, and to stop, is a success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with worker_process.beside() if worker else contextlib.nullcontext():
        _serve(settings, host, port, workers)


def _serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Answer requests until told to stop."""
    uvicorn.run(
        main.create_app(settings) if workers == 1 else "turnout.main:app_from_environment",
        factory=workers > 1,
        host=host,
        port=port,
        workers=workers,
        http=Protocol,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_SECONDS,
        **SERVER,
    )


def check_port(host: str, port: int) -> None:
    """Nothing, where we can listen there; else one clear line and exit status 2.

    For the time before anything is made or migrated: a server that cannot be reached should not
    have touched a database.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            user_errors.fail(f"cannot listen on {host}:{port}: {error.strerror}; try --port")


def _check_open_access(settings: Settings, host: str) -> None:
    if not settings.open_access or settings.open_access_anywhere or _is_loopback(host):
        return
    user_errors.fail(
        f"open access lets everyone who reaches {host} create events; if that is what you want, "
        f"say so twice: set {PREFIX}OPEN_ACCESS_ANYWHERE=true"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _migrate(settings: Settings) -> None:
    """Bring the database to the present schema, by a process that ends: it needs much memory."""
    if user_errors.run(lambda: revision.current(settings.database_url)) == tables.REVISION:
        return
    command = [sys.executable, "-m", "turnout.cli.main", "schema", "upgrade"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own command, and no shell
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    print(f"Schema: {done.stdout.strip()}", file=sys.stderr)


async def _retime(settings: Settings) -> None:
    """Bring the instants of events up to the tz database of this program."""
    database = Database(settings.database_url, pgbouncer=settings.pgbouncer)
    try:
        await retiming.at_start(database, lambda line: print(line, file=sys.stderr))
    finally:
        await database.aclose()


def _greet(settings: Settings) -> None:
    # First, for it may end the start: what is not served is not to be announced.
    administrator = user_errors.run(lambda: first_admin.ensure(settings))
    url = settings.base_url
    database = settings.database_url
    if "@" in database:
        database = "postgresql://" + database.rpartition("@")[2]
    print(f"Turnout is at {url}  (API documentation: {url}/docs)", file=sys.stderr)
    print(f"Database: {database}", file=sys.stderr)
    if administrator is not None:
        print(administrator, file=sys.stderr)
    print(f"Sign in at {url}/login", file=sys.stderr)
    if settings.open_access:
        print(
            "Open access: whoever reaches this address acts as one built-in organizer, without "
            "signing in. Good for a trial on your own machine; leave --open out for anything else.",
            file=sys.stderr,
        )
