"""The pages by which people sign in and out, and get back into an account."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from turnout import clock
from turnout.accounts import links, opaque, sign_ins, sign_up
from turnout.accounts.errors import Busy, EmailTaken, InvalidCredentials, SecondFactorRequired
from turnout.accounts.models import Link, LinkPurpose, SignInKind
from turnout.accounts.passwords import PasswordText, TypedPassword
from turnout.accounts.sign_ins import Candidate, Opened
from turnout.audit.audit import Cause
from turnout.edge import answers, forms, sign_in
from turnout.edge.caller import cookie_name, runtime_of, visitor_of
from turnout.edge.forms import Form
from turnout.edge.local_path import local_path
from turnout.errors import Invalid, TurnoutError
from turnout.fields import EmailText
from turnout.limiter import LINK, RateLimited
from turnout.web import page, render
from turnout.web.links import SET_PASSWORD, VERIFY_EMAIL
from turnout.web.page import LOGIN

router = page.router()

ACCOUNT = "/account"
DONE, LATE = "done", "late"
"""What the sign-in page may say: a password was set; the code came too late."""
CODE_SECONDS = 300
"""How long someone may look for the authenticator after the password."""
_PENDING = b"pending sign-in"
_SHOWN_AGAIN = (InvalidCredentials, SecondFactorRequired, RateLimited, Busy, Invalid)


class LoginForm(Form):
    """Address and password, and where to go after that."""

    email: Annotated[str, Field(max_length=1_000)] = ""
    password: TypedPassword = ""
    next: str = ""


class CodeForm(Form):
    """The code of a second factor, for someone whose password was right."""

    pending: str = ""
    code: str = ""
    next: str = ""


class LinkForm(Form):
    """A link that is to be redeemed; `email`, whatever it is, is there to be shown again."""

    token: Annotated[str, Field(max_length=200)] = ""
    email: str = ""


class PasswordForm(Form):
    """A new password."""

    password: PasswordText


class FirstForm(PasswordForm):
    """What makes the first administrator."""

    email: EmailText


@router.get(LOGIN)
async def show_login(request: Request) -> Response:
    """The form; whoever is signed in goes on at once."""
    wanted = request.query_params.get("next")
    if (await visitor_of(request)).is_account:
        return page.go(local_path(wanted, ACCOUNT))
    notice = next((each for each in (DONE, LATE) if each in request.query_params), None)
    return _login(request, next=local_path(wanted, ACCOUNT), notice=notice)


@router.post(LOGIN)
async def log_in(request: Request) -> Response:
    """Sign in, or ask for the code of the second factor."""
    await sign_in.begin(request, None)
    form, wanted = LoginForm(), ACCOUNT
    try:
        form = await forms.read(request, LoginForm)
        wanted = local_path(form.next, ACCOUNT)
        found = await sign_in.check_password(request, form.email, form.password)
        return await enter(request, found, wanted)
    except _SHOWN_AGAIN as error:
        return _again(_login(request, next=wanted, email=form.email, error=error), error)


@router.post("/login/code")
async def log_in_by_code(request: Request) -> Response:
    """The second step of a sign-in."""
    await sign_in.begin(request, None)
    form = await forms.read(request, CodeForm)
    wanted = local_path(form.next, ACCOUNT)
    found = await _pending(request, form.pending)
    if found is None:
        return page.go(page.login_before(wanted, LATE))
    try:
        opened = await sign_in.open_(request, found, SignInKind.PAGE, form.code or " ")
    except _SHOWN_AGAIN as error:
        return _again(_code(form.pending, wanted, error=error), error)
    return signed_in(request, opened, wanted)


async def enter(request: Request, found: Candidate, wanted: str) -> Response:
    """Sign in whoever has shown who they are, or ask for the code of the second factor.

    Raises InvalidCredentials for an account that was disabled meanwhile.
    """
    if found.has_second_factor:
        return _code(_sealed(request, found), wanted)
    opened = await sign_in.open_(request, found, SignInKind.PAGE, None)
    return signed_in(request, opened, wanted)


def signed_in(request: Request, opened: Opened, wanted: str) -> Response:
    """On to the page that was wanted, with the cookie."""
    answer = page.go(wanted)
    set_cookie(
        request,
        answer,
        cookie_name(request.scope),
        opened.secret,
        sign_ins.PAGE_LIFETIME.days * 86_400,
    )
    return answer


def set_cookie(
    request: Request, answer: Response, name: str, value: str, seconds: int, *, path: str = "/"
) -> None:
    """A cookie that no script reads and no other site's form sends; 0 seconds take it away."""
    is_https = runtime_of(request).settings.base_url.startswith("https:")
    answer.set_cookie(
        name, value, max_age=seconds, path=path, secure=is_https, httponly=True, samesite="lax"
    )


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """End the sign-in of this browser."""
    actor = await visitor_of(request)
    if actor.is_account and actor.sign_in_id is not None:
        cause = Cause(actor.standing, actor.user_id, answers.request_id_of(request.scope))
        async with runtime_of(request).database.write() as db:
            # Another tab may have been faster, which is no reason to refuse.
            await sign_ins.end_by_token(db, actor, actor.sign_in_id, cause, clock.now())
    answer = page.go("/")
    set_cookie(request, answer, cookie_name(request.scope), "", 0)
    return answer


@router.get(ACCOUNT)
async def show_account(request: Request) -> Response:
    """Who is signed in here."""
    actor = await page.signed_in(request)
    return render.page("account.html", actor=actor)


@router.get(SET_PASSWORD)
async def show_set_password(request: Request) -> Response:
    """The form behind a link in a mail."""
    await sign_in.begin(request, LINK)
    token = request.query_params.get("token", "")
    return _set_password(await _link(request, token), token)


@router.post(SET_PASSWORD)
async def set_password(request: Request) -> Response:
    """Set the password, and go to sign in with it."""
    await sign_in.begin(request, LINK)
    given = await forms.read(request, LinkForm)
    link = await _link(request, given.token)
    try:
        form = await forms.read(request, FirstForm if _is_first(link) else PasswordForm)
        email = form.email if isinstance(form, FirstForm) else None
        await sign_in.reset_password(request, given.token, form.password, email=email)
    except (Invalid, EmailTaken, Busy) as error:
        return _again(_set_password(link, given.token, given.email, error=error), error)
    return page.go(f"{LOGIN}?{DONE}")


async def _link(request: Request, token: str) -> Link:
    """What a new password is set by. Raises InvalidLink."""
    runtime = runtime_of(request)
    async with runtime.database.read() as db:
        return await links.look(db, runtime.seals, token, sign_up.RESETTING, clock.now())


def _is_first(link: Link) -> bool:
    """Whether it makes the first administrator, who has no address yet."""
    return link.purpose == LinkPurpose.SET_UP


def _set_password(
    link: Link, token: str, typed: str = "", *, error: TurnoutError | None = None
) -> HTMLResponse:
    wrong = {one.field: one.message for one in error.fields} if error else {}
    beside = {name: wrong.get(name) for name in ("email", "password")}
    is_first = _is_first(link)
    shown = {"token": token, "email": typed if is_first else link.email, "is_first": is_first}
    return render.page("set_password.html", **shown, error=error, wrong=beside)


@router.get(VERIFY_EMAIL)
async def show_verify_email(request: Request) -> Response:
    """A button: programs that look at mails follow links, but press nothing."""
    await sign_in.begin(request, LINK)
    runtime, token = runtime_of(request), request.query_params.get("token", "")
    async with runtime.database.read() as db:
        link = await links.look(db, runtime.seals, token, sign_up.VERIFYING, clock.now())
    return render.page("verify_email.html", token=token, email=link.email, is_done=False)


@router.post(VERIFY_EMAIL)
async def verify_email(request: Request) -> Response:
    """Show that the address is one's own."""
    await sign_in.begin(request, LINK)
    runtime, form = runtime_of(request), await forms.read(request, LinkForm)
    async with runtime.database.write() as db:
        cause = sign_in.cause_of(request)
        await sign_up.verify_email(db, runtime.seals, form.token, cause, clock.now())
    return render.page("verify_email.html", token="", email="", is_done=True)


def _login(request: Request, **values: Any) -> HTMLResponse:
    settings = runtime_of(request).settings
    provider = settings.oidc_name if settings.oidc_issuer else None
    shown = {"next": ACCOUNT, "email": "", "error": None, "notice": None, "provider": provider}
    return render.page("login.html", **(shown | values))


def _code(pending: str, wanted: str, *, error: TurnoutError | None = None) -> HTMLResponse:
    return render.page("code.html", pending=pending, next=wanted, error=error)


def _sealed(request: Request, found: Candidate) -> str:
    """A field that says whose password was right, until when, and which password that was."""
    ends = int(clock.now().timestamp()) + CODE_SECONDS
    plain = orjson.dumps([str(found.user_id), ends, _mark(found)])
    return runtime_of(request).seals.seal(_PENDING, plain).hex()


def _mark(found: Candidate) -> str:
    """Another one once the password has changed, which ends what was begun with the former."""
    return opaque.hash_of(found.password_hash or "").hex()


async def _pending(request: Request, sealed: str) -> Candidate | None:
    """Whoever a sealed field says has given the right password a moment ago, if it still is."""
    runtime = runtime_of(request)
    try:
        plain = runtime.seals.unseal(_PENDING, bytes.fromhex(sealed))
    except ValueError:
        return None
    if plain is None:
        return None
    user_id, ends, mark = orjson.loads(plain)
    if ends < clock.now().timestamp():
        return None
    async with runtime.database.read() as db:
        found = await sign_ins.candidate_by_id(db, UUID(user_id))
    is_same = found is not None and found.is_active and _mark(found) == mark
    return found if is_same else None


def _again(shown: HTMLResponse, error: TurnoutError) -> Response:
    """The form once more, with the status of what was wrong."""
    shown.status_code = answers.status_of(type(error))
    shown.headers.update(answers.headers_of(error))
    return shown
