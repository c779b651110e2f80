"""`turnout users` as whoever runs the machine types it: what it prints, and what it has done."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest
from sqlalchemy import select
from tests.accounts.calls import NEW_PASSWORD, bearer, sign_in
from tests.cli.typed import on, typed
from tests.db import rows
from tests.support.app import BASE_URL, running
from tests.support.cast import PASSWORD
from typer.testing import Result

from turnout.audit.models import AuditEntry
from turnout.cli import users
from turnout.migrations import schema
from turnout.settings import Settings

T = TypeVar("T")
Turnout = Callable[..., Result]
ROOT, OLIVE, ADA = "root@example.com", "olive@example.com", "ada@example.com"
UNVERIFIED = "address not verified"


@pytest.fixture
def turnout(closed_settings: Settings) -> Turnout:
    """Runs `turnout users` on the fresh database."""
    key = closed_settings.secret_key.get_secret_value()

    def run(*arguments: str, stdin: bytes | None = None) -> Result:
        url = closed_settings.database_url
        return typed(
            "users", *arguments, stdin=stdin, database_url=url, secret_key=key, base_url=BASE_URL
        )

    return run


def served(settings: Settings, work: Callable[[httpx2.AsyncClient], Awaitable[T]]) -> T:
    """What `work` gets from a server of the same database."""

    async def whole() -> T:
        async with running(settings) as app, app.client() as api:
            return await work(api)

    return asyncio.run(whole())


def done(result: Result) -> str:
    """What a command printed that did what it was told."""
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def refusal(result: Result) -> str:
    """The one line of a command that was refused."""
    assert (result.exit_code, result.stdout) == (2, "")
    assert isinstance(result.exception, SystemExit)
    line = result.stderr.removeprefix("turnout: ")
    assert line != result.stderr
    assert line.count("\n") == 1
    return line.strip()


def make(turnout: Turnout, email: str, role: str = "attendee") -> None:
    line = f"{PASSWORD}\n".encode()
    done(turnout("create", email, "--role", role, "--password-stdin", stdin=line))


def actions(url: str) -> list[tuple[str, ...]]:
    """Who did what, by the audit, in order."""
    query = select(AuditEntry.standing, AuditEntry.action).order_by(AuditEntry.id)
    return on(url, lambda database: rows.read(database, query))


def test_create_by_a_password_makes_an_account_that_signs_in(
    turnout: Turnout, closed_settings: Settings
) -> None:
    typed_in = f"{PASSWORD}\r\nthe next line is not of it\n".encode()
    options = ("--name", "Olive O.", "--role", "organizer", "--password-stdin")

    said = done(turnout("create", OLIVE, *options, stdin=typed_in))

    answer = served(closed_settings, lambda api: sign_in(api, OLIVE))
    assert said == f"organizer {OLIVE}\n"
    assert answer.status_code == 200
    assert done(turnout("list")) == f"organizer\t{OLIVE}\tOlive O.\t{UNVERIFIED}\n"


def test_create_without_a_password_prints_the_link_that_sets_one(
    turnout: Turnout, closed_settings: Settings
) -> None:
    said = done(turnout("create", ADA))

    before, link = said.split(" by: ")
    page, token = link.strip().split("?token=")

    async def use(api: httpx2.AsyncClient) -> list[int]:
        body = {"token": token, "password": PASSWORD}
        answers = [await api.post("/auth/reset-password", json=body) for _ in range(2)]
        return [*(each.status_code for each in answers), (await sign_in(api, ADA)).status_code]

    assert (before, page) == (f"attendee {ADA} sets a password", f"{BASE_URL}/set-password")
    assert done(turnout("list")) == f"attendee\t{ADA}\t{ADA}\t{UNVERIFIED}, no password\n"
    assert served(closed_settings, use) == [204, 404, 200]


def test_create_for_an_address_longer_than_a_name_cuts_the_name(turnout: Turnout) -> None:
    long = f"{'a' * 60}@{'.'.join(['b' * 50] * 3)}.example.com"
    assert len(long) > 200

    make(turnout, long)

    assert done(turnout("list")) == f"attendee\t{long}\t{long[:200]}\t{UNVERIFIED}\n"


def test_list_shows_what_was_asked_for_and_what_is_special(
    turnout: Turnout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "_PAGE", 2)  # several pages, without a thousand accounts
    for email, role in ((ROOT, "admin"), (OLIVE, "organizer"), (ADA, "attendee")):
        make(turnout, email, role)
    done(turnout("create", "zoe@example.com", "--name", "Zoë ÅBERG"))
    done(turnout("disable", ADA))

    everyone = done(turnout("list")).splitlines()
    admins = done(turnout("list", "--role", "admin")).splitlines()
    found = done(turnout("list", "--words", "zoË åb")).splitlines()
    nobody = done(turnout("list", "--words", "%"))

    assert everyone == [
        f"attendee\t{ADA}\t{ADA}\tdisabled, {UNVERIFIED}",
        f"organizer\t{OLIVE}\t{OLIVE}\t{UNVERIFIED}",
        f"admin\t{ROOT}\t{ROOT}\t{UNVERIFIED}",
        f"attendee\tzoe@example.com\tZoë ÅBERG\t{UNVERIFIED}, no password",
    ]
    assert (admins, found, nobody) == ([everyone[2]], [everyone[3]], "")


def test_disable_and_enable_decide_who_signs_in(
    turnout: Turnout, closed_settings: Settings
) -> None:
    make(turnout, ADA)

    async def status(api: httpx2.AsyncClient) -> int:
        return (await sign_in(api, ADA)).status_code

    disabled = done(turnout("disable", ADA.upper()))
    refused = served(closed_settings, status)
    enabled = done(turnout("enable", ADA))

    assert (disabled, enabled) == ("", "")
    assert (refused, served(closed_settings, status)) == (401, 200)


def test_role_is_set_and_each_change_is_in_the_audit(
    turnout: Turnout, closed_settings: Settings
) -> None:
    make(turnout, OLIVE)

    done(turnout("role", OLIVE, "organizer"))
    done(turnout("role", OLIVE, "organizer"))  # which it has: nothing changes
    done(turnout("link", OLIVE))

    assert done(turnout("list")) == f"organizer\t{OLIVE}\t{OLIVE}\t{UNVERIFIED}\n"
    assert actions(closed_settings.database_url) == [
        ("system", "user.created"), ("system", "user.changed"), ("system", "user.link-made"),
    ]  # fmt: skip


@pytest.mark.parametrize("command", [("disable", ROOT), ("role", ROOT, "organizer")])
def test_last_administrator_stays_and_the_command_says_why(
    turnout: Turnout, command: tuple[str, ...]
) -> None:
    make(turnout, ROOT, "admin")
    make(turnout, "former@example.com", "admin")
    done(turnout("disable", "former@example.com"))

    said = refusal(turnout(*command))

    assert said == "The last administrator cannot be demoted, disabled or deleted."
    assert done(turnout("list", "--words", ROOT)) == f"admin\t{ROOT}\t{ROOT}\t{UNVERIFIED}\n"


def test_token_is_good_for_its_scopes_alone(turnout: Turnout, closed_settings: Settings) -> None:
    make(turnout, ROOT, "admin")

    narrow = done(turnout("token", ROOT, "--scope", "admin:read", "--name", "Report")).strip()
    wide = done(turnout("token", ROOT)).strip()

    async def use(api: httpx2.AsyncClient) -> list[int]:
        asked = [
            await api.request(method, path, headers=bearer(token), json=body)
            for token in (narrow, wide)
            for method, path, body in (("GET", "/users", None), ("POST", "/users", {}))
        ]
        return [answer.status_code for answer in asked]

    assert served(closed_settings, use) == [200, 403, 200, 422]


def test_link_sets_a_password_and_with_verify_verifies_the_address(
    turnout: Turnout, closed_settings: Settings
) -> None:
    make(turnout, ADA)

    verify, reset = (done(turnout("link", ADA, *option)).strip() for option in (("--verify",), ()))

    async def use(api: httpx2.AsyncClient) -> list[int]:
        token, again = (link.partition("?token=")[2] for link in (verify, reset))
        body = {"token": again, "password": NEW_PASSWORD}
        answers = [
            await api.post("/auth/reset-password", json={**body, "token": token}),
            await api.post("/auth/verify-email", json={"token": token}),
            await api.post("/auth/reset-password", json=body),
            await sign_in(api, ADA, NEW_PASSWORD),
        ]
        return [answer.status_code for answer in answers]

    pages = [link.partition("?")[0] for link in (verify, reset)]
    assert pages == [f"{BASE_URL}/verify-email", f"{BASE_URL}/set-password"]
    assert served(closed_settings, use) == [404, 204, 204, 200]


@pytest.mark.parametrize("command", ["token", "link"])
def test_credential_of_a_disabled_account_is_not_made(turnout: Turnout, command: str) -> None:
    make(turnout, ADA)
    done(turnout("disable", ADA))

    said = refusal(turnout(command, ADA))

    assert said == f"{ADA} is disabled: turnout users enable comes first"


def test_create_for_an_address_that_is_taken_says_so(turnout: Turnout) -> None:
    make(turnout, ADA)

    said = refusal(turnout("create", "ADA@example.com"))

    assert said == "There is an account with this address"
    assert done(turnout("list")) == f"attendee\t{ADA}\t{ADA}\t{UNVERIFIED}\n"


WEAK = [
    (b"", "Must have at least 12 characters."),
    (b"hunter2\n", "Must have at least 12 characters."),
    (b"qwertyuiop12345\n", "Follows the alphabet, the digits or the keys of a keyboard."),
    (
        b"ada.lovelace1\n",
        "Is little more than your name, your e-mail address or the name of this product.",
    ),
    (b"four unrelated\x07words\n", "Holds characters that are not allowed here."),
    (b"four unrelated \xff words\n", "it is not UTF-8"),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("stdin", "why"), WEAK)
def test_create_by_a_password_that_is_easy_to_guess_says_why(
    turnout: Turnout, stdin: bytes, why: str
) -> None:
    options = ("--name", "Ada Lovelace", "--password-stdin")

    said = refusal(turnout("create", "a@example.com", *options, stdin=stdin))

    assert said == f"the password cannot be used: {why}"
    assert done(turnout("list")) == ""


WRONG = [
    ("create nobody", "nobody is not an e-mail address that can be used"),
    ("create a@b@example.com", "a@b@example.com is not an e-mail address that can be used"),
    (f"create {ADA} --name \u202eevil", "a name is one line of 1 to 200 characters"),
    (f"create {ADA} --name {'n' * 201}", "a name is one line of 1 to 200 characters"),
    (f"token {ADA} --name {'n' * 101}", "a name is one line of 1 to 100 characters"),
    *(
        (f"{command} eve@example.com{more}", "there is no account with the address eve@example.com")
        for command, more in (
            ("disable", ""), ("enable", ""), ("role", " admin"), ("token", ""), ("link", "")
        )
    ),
    ("disable \udcff", r"'\udcff' is not text that can be looked for"),
    ("list --words \udcff", r"'\udcff' is not text that can be looked for"),
]  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("command", "why"), WRONG)
def test_command_with_something_wrong_is_one_line(turnout: Turnout, command: str, why: str) -> None:
    assert refusal(turnout(*command.split(" "))) == why


@pytest.mark.parametrize(
    "command", [f"create {ADA} --role owner", f"role {ADA} owner", f"token {ADA} --scope all"]
)
def test_command_with_a_word_that_there_is_not_lists_those_there_are(
    turnout: Turnout, command: str
) -> None:
    said = turnout(*command.split())

    assert (said.exit_code, said.stdout) == (2, "")
    assert ("attendee" in said.stderr, "events:write" in said.stderr) == (
        "role" in command, "scope" in command,
    )  # fmt: skip


COMMANDS = [f"create {ADA}", "list", *(f"{each} {ADA}" for each in ("disable", "token", "link"))]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_without_a_database_says_what_to_do_and_makes_none(
    command: str, tmp_path: Path
) -> None:
    said = typed("users", *command.split(), data_dir=tmp_path / "var")

    assert refusal(said) == (
        f"the database is empty or not there, and this needs {schema.head()}: "
        "run turnout schema upgrade"
    )
    assert list(tmp_path.iterdir()) == []


def test_command_on_an_older_schema_says_what_to_do(turnout: Turnout, database_url: str) -> None:
    asyncio.run(schema.downgrade(database_url, "0001"))

    said = [refusal(turnout(*command.split())) for command in COMMANDS]

    why = f"the database is at revision 0001, and this needs {schema.head()}: "
    assert said == [f"{why}run turnout schema upgrade"] * len(COMMANDS)
