"""Signing in and out in a real browser, by keyboard and by the names of things, on any width."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pyotp
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from tests.support import product
from tests.support.processes import Server, environment, free_port
from tests.web.test_docs_page import launched, overflow

PASSWORD = "four unrelated words here"
NEW_PASSWORD = "seven green umbrellas sing"
PATIENCE_MS = 60_000
REFUSED = re.compile("Failed to load resource: the server responded with a status of 4..")
# A hint to its authors, no error: the dialog's password stands beside the form, not in it.
OF_SWAGGER_UI = re.compile(r"\[DOM\] Password field is not contained in a form")
_LINK = re.compile(r"http://\S+")


@dataclass
class Product:
    """A running server without open mode, and the command line of its operator."""

    server: Server
    folder: Path
    env: dict[str, str]
    made: int = 0

    @property
    def url(self) -> str:
        return self.server.url

    def person(self) -> str:
        """The address of somebody new, whose password is PASSWORD."""
        self.made += 1
        email = f"person{self.made}@example.com"
        body = {"email": email, "password": PASSWORD, "name": "Ada Lovelace"}
        httpx2.post(f"{self.url}/auth/sign-up", json=body, trust_env=False).raise_for_status()
        return email

    def link(self, *words: str) -> str:
        """The address of the page that the operator's link for somebody leads to."""
        result = subprocess.run(
            [product.TURNOUT, "users", "link", *words],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        found = _LINK.search(result.stdout)
        assert found is not None, result.stdout
        return found[0]

    def second_factor(self, email: str) -> list[str]:
        """The recovery codes of the second factor that the person has from now on."""
        with httpx2.Client(base_url=self.url, trust_env=False) as api:
            form = {"username": email, "password": PASSWORD}
            token = api.post("/auth/token", data=form).raise_for_status().json()["access_token"]
            api.headers["Authorization"] = f"Bearer {token}"
            begun = api.post("/users/me/second-factor").raise_for_status().json()
            code = {"code": pyotp.TOTP(begun["secret"]).now()}
            confirmed = api.post("/users/me/second-factor/confirm", json=code).raise_for_status()
        codes: list[str] = confirmed.json()["recovery_codes"]
        return codes


@dataclass
class Visit:
    """A page with all that its console said, and a keyboard in front of it."""

    page: Page
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def type(self, *texts: str) -> None:
        """Fill in the fields in their order, the first of which is waiting, and press Enter."""
        expect(self.page.locator("input:focus")).to_have_count(1)
        for number, text in enumerate(texts):
            if number:
                self.page.keyboard.press("Tab")
            self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def label(self, text: str) -> Locator:
        """The field that a label names."""
        return self.page.get_by_label(text, exact=True)

    def heading(self, text: str) -> None:
        """Wait for the page with that heading, which must not be wider than the window."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)
        assert overflow(self.page) <= 0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder, port = tmp_path_factory.mktemp("product"), free_port()
    url = f"http://127.0.0.1:{port}"
    env = {"TURNOUT_DATA_DIR": str(folder / "var"), "TURNOUT_BASE_URL": url}
    command: list[str | Path] = [product.TURNOUT, "serve", "--port", str(port)]
    with Server(command, port=port, path="/health/ready", env=env, cwd=folder) as server:
        yield Product(server, folder, environment(env))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        opened = launched(playwright)
        yield opened
        opened.close()


@pytest.fixture(params=[390, 1280], ids=["phone", "desktop"])
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    yield Visit(context.new_page())
    context.close()


def test_sign_in_by_keyboard_and_sign_out(visit: Visit, served: Product) -> None:
    page, email = visit.page, served.person()
    page.goto(f"{served.url}/")
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Account").click()

    visit.heading("Sign in")
    expect(visit.label("E-mail address")).to_be_focused()
    visit.type(email, PASSWORD)

    visit.heading("Your account")
    assert page.url == f"{served.url}/account"
    assert page.locator("dd").all_inner_texts()[:2] == ["Ada Lovelace", f"{email} (not verified)"]
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")

    page.get_by_role("button", name="Sign out").click()
    visit.heading("This is Turnout")
    page.goto(f"{served.url}/account")

    visit.heading("Sign in")
    assert page.context.cookies() == []
    assert visit.said == []


def test_wrong_password_is_said_and_typed_again(visit: Visit, served: Product) -> None:
    page, email = visit.page, served.person()
    page.goto(f"{served.url}/login?next=/account")
    visit.type(email, "not four words at all")

    expect(page.get_by_role("alert")).to_have_text("Address and password do not belong together.")
    visit.heading("Sign in")
    expect(visit.label("E-mail address")).to_have_value(email)
    expect(visit.label("Password")).to_have_value("")
    expect(visit.label("Password")).to_be_focused()
    visit.type(PASSWORD)

    visit.heading("Your account")
    assert [text for text in visit.said if not REFUSED.match(text)] == []


def test_second_factor_is_asked_for_after_the_password(visit: Visit, served: Product) -> None:
    page, email = visit.page, served.person()
    code = served.second_factor(email)[0]
    page.goto(f"{served.url}/account")
    visit.type(email, PASSWORD)

    visit.heading("One more step")
    expect(visit.label("Code")).to_be_focused()
    visit.type("000000")
    expect(page.get_by_role("alert")).to_contain_text("This code does not count.")
    visit.heading("One more step")
    visit.type(code)

    visit.heading("Your account")
    assert [text for text in visit.said if not REFUSED.match(text)] == []


def test_password_is_set_by_a_link(visit: Visit, served: Product) -> None:
    page, email = visit.page, served.person()
    page.goto(served.link(email))

    visit.heading("Set a new password")
    expect(visit.label("New password")).to_be_focused()
    visit.type("password1234")
    expect(page.get_by_role("alert")).to_contain_text("many people use")
    visit.heading("Set a new password")
    visit.type(NEW_PASSWORD)

    expect(page.get_by_role("status")).to_have_text("The new password is set. Sign in with it.")
    visit.type(email, NEW_PASSWORD)
    visit.heading("Your account")
    assert [text for text in visit.said if not REFUSED.match(text)] == []


def test_address_is_verified_by_a_button(visit: Visit, served: Product) -> None:
    page, email = visit.page, served.person()
    page.goto(served.link("--verify", email))

    visit.heading("Is this your address?")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Yes, it is mine").focus()
    page.keyboard.press("Enter")

    visit.heading("Verified")
    page.get_by_role("main").get_by_role("link", name="sign in").click()
    visit.type(email, PASSWORD)
    visit.heading("Your account")
    assert page.locator("dd").all_inner_texts()[1] == email
    assert visit.said == []


def test_first_administrator_comes_by_the_printed_link(browser: Browser, served: Product) -> None:
    """Once, for there is one link: the widths are those of the other pages of its kind."""
    visit = Visit(browser.new_page())
    found = re.search(r"http://\S+/set-password\?token=\S+", served.server.output())
    assert found is not None
    visit.page.goto(found[0])

    visit.heading("Become the administrator")
    expect(visit.label("Your e-mail address")).to_be_focused()
    visit.type("root@example.com", NEW_PASSWORD)
    visit.heading("Sign in")
    visit.type("root@example.com", NEW_PASSWORD)

    visit.heading("Your account")
    assert visit.page.locator("dd").all_inner_texts() == [
        "Administrator", "root@example.com", "admin",
    ]  # fmt: skip
    assert visit.said == []
    visit.page.close()


def authorize(page: Page, email: str, password: str) -> Locator:
    """Fill in the dialog of the docs page, and press its button."""
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".auth-container", has_text="OAuth2, password")
    expect(dialog.locator("input:visible")).to_have_count(2)
    expect(dialog.locator("#oauth_username")).to_be_focused()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
    return dialog


def test_authorize_button_of_the_docs_signs_in(visit: Visit, served: Product) -> None:
    page, email = visit.page, served.person()
    page.goto(f"{served.url}/docs")

    dialog = authorize(page, email, PASSWORD)
    expect(dialog.get_by_role("heading", name="Authorized")).to_be_visible()
    page.locator(".modal-ux").get_by_role("button", name="Close").last.click()
    call = page.locator("#operations-Accounts-read_profile")
    call.locator(".opblock-summary-control").click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    status = call.locator(".live-responses-table .response-col_status").last
    status.wait_for()

    assert status.inner_text().split() == ["200"]
    assert f'"email": "{email}"' in call.locator(".live-responses-table").inner_text()
    assert overflow(page) <= 0
    assert [text for text in visit.said if not OF_SWAGGER_UI.match(text)] == []


def test_authorize_button_says_when_the_password_is_wrong(visit: Visit, served: Product) -> None:
    page, email = visit.page, served.person()
    page.goto(f"{served.url}/docs")

    dialog = authorize(page, email, "not four words at all")

    expect(dialog.locator(".errors")).to_contain_text("invalid_grant")
    said = [text for text in visit.said if not OF_SWAGGER_UI.match(text)]
    assert [text for text in said if not REFUSED.match(text)] == []
