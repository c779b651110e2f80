"""What the tests of pages share: a browser without a screen, and what people see in a page."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from http.cookies import Morsel, SimpleCookie

import httpx2
import pyotp
import time_machine
from tests.support.app import RunningApp
from tests.support.cast import CAUSE, PASSWORD, Person

from turnout import clock
from turnout.accounts import links, second_factor, totp
from turnout.accounts.models import LinkPurpose
from turnout.edge.caller import COOKIE

NEW_PASSWORD = "seven green umbrellas sing"
_VOID = {"input", "link", "meta", "br", "img"}


@dataclass
class Shown:
    """A page as people see it: heading, what it warns of or tells, and its form's fields."""

    status: int
    heading: str = ""
    wrong: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Reads a page into a `Shown`."""

    def __init__(self, shown: Shown) -> None:
        super().__init__()
        self._shown = shown
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name"):
            self._shown.fields[given["name"] or ""] = given.get("value") or ""
        role = given.get("role") or tag
        if tag not in _VOID:
            self._open.append(role)
        if role == "alert":
            self._shown.wrong.append("")
        if role == "status":
            self._shown.told.append("")

    def handle_endtag(self, _: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if "alert" in self._open:
            self._shown.wrong[-1] += data
        elif "status" in self._open:
            self._shown.told[-1] += data
        elif "h1" in self._open:
            self._shown.heading += data


def shown(answer: httpx2.Response) -> Shown:
    """What the page of an answer shows; every answer of a page is HTML."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    found = Shown(answer.status_code)
    _Reader(found).feed(answer.text)
    return found


def browser(app: RunningApp, person: Person | None = None) -> httpx2.AsyncClient:
    """A browser on a page of ours, where a person is signed in or nobody."""
    return app.client(headers=person.page if person else {"Sec-Fetch-Site": "same-origin"})


async def log_in(
    client: httpx2.AsyncClient, email: str, password: str = PASSWORD, **more: str
) -> httpx2.Response:
    """The answer to the form of the sign-in page."""
    return await client.post("/login", data={"email": email, "password": password, **more})


def cookies_of(answer: httpx2.Response) -> dict[str, Morsel[str]]:
    """The cookies that an answer sets, with their attributes."""
    found: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        found.load(line)
    return dict(found)


def with_cookie(value: str) -> dict[str, str]:
    """The headers of a browser on a page of ours that has this cookie."""
    return {"Cookie": f"{COOKIE}={value}", "Sec-Fetch-Site": "same-origin"}


async def who_am_i(app: RunningApp, cookie: str) -> tuple[int, str | None]:
    """The status of a JSON call with that cookie, and the address of the account that it is."""
    async with app.client() as client:
        answer = await client.get("/users/me", headers=with_cookie(cookie))
    return answer.status_code, answer.json().get("email")


async def second_factor_of(app: RunningApp, person: Person) -> tuple[str, list[str]]:
    """The secret and the recovery codes of a second factor the person has from now on.

    It was confirmed a while ago, so that the present code was not used for that.
    """
    runtime, then = app.runtime, clock.now() - timedelta(minutes=10)
    async with runtime.database.write() as db:
        secret = await second_factor.begin(db, runtime.seals, person.id, CAUSE, then)
        code = code_at(secret, -20)
        codes = await second_factor.confirm(db, runtime.seals, person.id, code, CAUSE, then)
    return secret, codes


def code_at(secret: str, steps: int = 0) -> str:
    """What an authenticator shows, or will in so many steps of 30 seconds."""
    step = int(clock.now().timestamp()) // totp.STEP_SECONDS + steps
    return pyotp.TOTP(secret).generate_otp(step)


async def link_for(
    app: RunningApp,
    person: Person,
    purpose: LinkPurpose = LinkPurpose.RESET_PASSWORD,
    email: str | None = None,
) -> str:
    """The token of a link that goes to the person by mail."""
    async with app.runtime.database.write() as db:
        link_id = await links.issue(db, person.id, purpose, email or person.email, clock.now())
    return app.runtime.seals.link_token(link_id)


@contextmanager
def after(wait: timedelta) -> Iterator[None]:
    """So much later; the clock goes on."""
    with time_machine.travel(clock.now() + wait):
        yield
