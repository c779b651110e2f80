"""What a browser is told with every page, refusals included, and that no page needs more."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest
from tests.factories import make_event, register
from tests.support import cast
from tests.support.app import RunningApp, running
from tests.web.pages import browser, link_for, log_in, second_factor_of

from turnout.accounts.models import LinkPurpose
from turnout.notifications import unsubscribe
from turnout.notifications.kinds import MailKind
from turnout.settings import Settings
from turnout.web import render, router

HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
HSTS = {"strict-transport-security": "max-age=31536000; includeSubDomains"}
NO_PAGES = {"/favicon.ico", "/static/{name:path}"}
PROVIDER = {
    "oidc_issuer": "http://127.0.0.1:9",
    "oidc_client_id": "turnout",
    "oidc_name": "Example University",
}
TEMPLATES = sorted((Path(render.__file__).parent / "templates").rglob("*.html"))
_NOT_OF_A_PAGE = re.compile("^(content-(type|length)|retry-after|www-authenticate|allow|location|"
                            "set-cookie|x-request-id|x-robots-tag|ratelimit(-policy)?|"
                            "vary)$")  # fmt: skip

_OURS = re.compile(r"(/(?!/)|#|\{\{ ?(asset\(|path|event\.calendar|event\.cover\.url|"
                   r"registration\.(event_path|calendar)))")  # fmt: skip

Pages = dict[tuple[str, str], httpx2.Response]


class Inline(HTMLParser):
    """Collects what the policy would not let through: scripts, styles and handlers inside."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        # What is no program is not run, and the policy does not ask about it.
        self._in_script = tag == "script" and given.get("type") != "application/ld+json"
        if tag == "style" or (self._in_script and "src" not in given):
            self.found.append(tag)
        for name, value in given.items():
            leads = name in {"href", "src", "action", "formaction"}
            is_link = tag == "a" and "noopener" in (given.get("rel") or "")
            is_foreign = leads and not is_link and not _OURS.match(value or "")
            if name.startswith("on") or name in {"style", "srcdoc"} or is_foreign:
                self.found.append(f"{tag} {name}={value}")

    def handle_endtag(self, _: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.found.append(f"script: {data}")


def inline(html: str) -> list[str]:
    reader = Inline()
    reader.feed(html)
    return reader.found


async def all_pages(app: RunningApp) -> Pages:
    """An answer of every page that there is, and of every kind of refusal."""
    ada, olive = await cast.ada(app), await cast.olive(app)
    await second_factor_of(app, olive)
    token = await link_for(app, ada)
    of_address = await link_for(app, ada, LinkPurpose.VERIFY_EMAIL)
    async with olive.api(app) as api:
        event = await make_event(api)
    found = await pages_by_token(app, event["id"])
    async with browser(app) as client:
        for path in ("/", "/docs", "/login", "/set-password", "/verify-email", "/login/provider"):
            found["GET", path] = await client.get(path)
        found["GET", "/login/provider/callback"] = await client.get("/login/provider/callback")
        found["GET", "/e/{slug}"] = await client.get(f"/e/{event['slug']}")
        found["GET", "/account"] = await client.get("/account")
        for path, params in (("/set-password", token), ("/verify-email", of_address)):
            found["GET", f"{path}?token"] = await client.get(path, params={"token": params})
        code = found["POST", "/login"] = await log_in(client, olive.email)
        pending = re.search('name="pending" value="([0-9a-f]+)"', code.text)
        half = {"pending": pending[1] if pending else "", "code": "0"}
        found["POST", "/login/code"] = await client.post("/login/code", data=half)
        weak = {"token": token, "password": "short"}
        found["POST", "/set-password"] = await client.post("/set-password", data=weak)
        found["POST", "/verify-email"] = await client.post("/verify-email", data=weak)
        found["POST", "/login wrong"] = await log_in(client, ada.email, "not four words at all")
        found["POST", "/login json"] = await client.post("/login", json={})
    async with browser(app, ada) as client:
        found["GET", "/account of Ada"] = await client.get("/account")
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        found["POST", "/logout elsewhere"] = await client.post("/logout", headers=elsewhere)
        found["POST", "/logout"] = await client.post("/logout")
    return found


async def pages_by_token(app: RunningApp, event_id: str) -> Pages:
    """Those that a token in a mail opens: a guest's registration, and no more mails."""
    found: Pages = {}
    token = unsubscribe.token_of(app.runtime.seals, "guest@example.com", MailKind.EVENT_REMINDER)
    async with browser(app) as client:
        seat = (await register(client, event_id, email="guest@example.com")).json()
        found["GET", "/r/{manage_token}"] = await client.get(f"/r/{seat['manage_token']}")
        page, path = f"/registration/{seat['id']}", "/registration/{registration_id}"
        found["GET", path] = await client.get(page)
        for what in ("cancel", "erase"):
            found["POST", f"{path}/{what}"] = await client.post(f"{page}/{what}")
        found["GET", "/unsubscribe/{token}"] = await client.get(f"/unsubscribe/{token}")
        found["POST", "/unsubscribe/{token}"] = await client.post(f"/unsubscribe/{token}")
    return found


@pytest.fixture
async def pages(closed_settings: Settings) -> AsyncIterator[Pages]:
    async with running(closed_settings.model_copy(update=PROVIDER)) as app:
        yield await all_pages(app)


def told(answer: httpx2.Response) -> dict[str, str]:
    """The headers of an answer but for those that are about this one."""
    return {name: value for name, value in answer.headers.items() if not _NOT_OF_A_PAGE.match(name)}


async def test_every_page_and_refusal_has_the_strict_headers(pages: Pages) -> None:
    html = {name: page for name, page in pages.items() if page.status_code != 303}
    seen = {name: told(page) for name, page in html.items()}

    assert {page.headers["content-type"] for page in html.values()} == {"text/html; charset=utf-8"}
    assert seen == dict.fromkeys(seen, HEADERS)


async def test_answers_are_the_ones_that_were_meant(pages: Pages) -> None:
    """The control: the pages above are neither all refusals nor all sign-in pages."""
    assert {name: page.status_code for name, page in pages.items()} == {
        ("GET", "/"): 200,
        ("GET", "/docs"): 200,
        ("GET", "/login"): 200,
        ("GET", "/set-password"): 404,
        ("GET", "/set-password?token"): 200,
        ("GET", "/verify-email"): 404,
        ("GET", "/verify-email?token"): 200,
        ("GET", "/login/provider"): 503,
        ("GET", "/login/provider/callback"): 422,
        ("GET", "/e/{slug}"): 200,
        ("GET", "/r/{manage_token}"): 303,
        ("GET", "/registration/{registration_id}"): 200,
        ("POST", "/registration/{registration_id}/cancel"): 303,
        ("POST", "/registration/{registration_id}/erase"): 200,
        ("GET", "/unsubscribe/{token}"): 200,
        ("POST", "/unsubscribe/{token}"): 200,
        ("GET", "/account"): 303,
        ("GET", "/account of Ada"): 200,
        ("POST", "/login"): 200,
        ("POST", "/login wrong"): 401,
        ("POST", "/login json"): 415,
        ("POST", "/login/code"): 401,
        ("POST", "/set-password"): 422,
        ("POST", "/verify-email"): 404,
        ("POST", "/logout"): 303,
        ("POST", "/logout elsewhere"): 403,
    }


async def test_every_page_was_looked_at(pages: Pages) -> None:
    routes = {
        (method, str(getattr(route, "path", "")))
        for route in router.ROUTES
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD"
    }

    assert {route for route in routes if route[1] not in NO_PAGES} - set(pages) == set()


async def test_no_page_has_anything_inline_or_from_elsewhere(pages: Pages) -> None:
    assert {name: inline(page.text) for name, page in pages.items() if inline(page.text)} == {}


def test_no_template_has_anything_inline_or_from_elsewhere() -> None:
    found = {path.name: inline(path.read_text(encoding="utf-8")) for path in TEMPLATES}

    assert len(found) >= 10
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize(
    "html",
    [
        "<script>1</script>",
        "<script src='/x.js'>1</script>",
        "<style>p {}</style>",
        "<p style='color: red'>",
        "<p onclick='x()'>",
        "<a href='javascript:x()'>",
        "<img src='//cdn.example/x.png'>",
        "<form action='https://evil.example'>",
    ],
)
def test_what_is_inline_would_be_found(html: str) -> None:
    assert inline(html) != []


async def test_browsers_are_told_to_stay_with_https(closed_settings: Settings) -> None:
    update = {"base_url": "https://testserver"}
    async with (
        running(closed_settings.model_copy(update=update)) as app,
        browser(app) as client,
    ):
        answers = [await client.get(path) for path in ("/login", "/verify-email", "/docs")]

    assert [told(answer) for answer in answers] == [HEADERS | HSTS] * 3
