"""What the tests of accounts share: signing in by the API, the messages, work that is counted."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import httpx2
import pyotp
import time_machine
from sqlalchemy import select
from tests.db import rows
from tests.support.app import RunningApp
from tests.support.cast import PASSWORD

from turnout import clock
from turnout.accounts import totp
from turnout.accounts.passwords import Hasher
from turnout.outbox.models import OutboxMessage
from turnout.outbox.topics import Topic

NEW_PASSWORD = "seven green umbrellas sing"
UNLIKE_EACH_TIME = {"x-request-id", "date", "ratelimit"}
"""Headers that differ between any two answers."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def sign_in(
    api: httpx2.AsyncClient, email: str, password: str = PASSWORD, **more: str
) -> httpx2.Response:
    """The answer to address and password; `more` are further fields of the form."""
    form = {"username": email, "password": password, **more}
    return await api.post("/auth/token", data=form)


async def signed_in(
    api: httpx2.AsyncClient, email: str, password: str = PASSWORD, **more: str
) -> dict[str, Any]:
    """The tokens of a new sign-in."""
    answer = await sign_in(api, email, password, **more)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def refresh(api: httpx2.AsyncClient, token: str) -> httpx2.Response:
    """The answer to a refresh token."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return await api.post("/auth/token", data=form)


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


async def me(api: httpx2.AsyncClient, token: str) -> tuple[int, str | None]:
    """The status of one's profile, and the code of the refusal."""
    return told(await api.get("/users/me", headers=bearer(token)))


def told(answer: httpx2.Response) -> tuple[int, str | None]:
    """The status of an answer, and the code where it is a refusal."""
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return answer.status_code, answer.json()["code"] if is_problem else None


def shape(answer: httpx2.Response) -> tuple[int, dict[str, str], bytes]:
    """All of an answer that may depend on what was asked; the request id is taken out."""
    headers = {
        name: value for name, value in answer.headers.items() if name not in UNLIKE_EACH_TIME
    }
    request_id = answer.headers["x-request-id"].encode()
    return answer.status_code, headers, answer.content.replace(request_id, b"")


async def messages(app: RunningApp, user_id: UUID | None = None) -> list[tuple[str, Any]]:
    """Topic and payload of what was written for others, in order; of one account or of all."""
    query = select(OutboxMessage.topic, OutboxMessage.payload).order_by(OutboxMessage.id)
    if user_id is not None:
        query = query.where(OutboxMessage.subject_id == user_id)
    return [(topic, payload) for topic, payload in await rows.read(app.runtime.database, query)]


async def topics(app: RunningApp) -> list[str]:
    """The topics of all messages but those of signing in, in order."""
    return [topic for topic, _ in await messages(app) if topic != Topic.SIGN_IN_OPENED]


async def link_tokens(app: RunningApp, topic: Topic) -> list[str]:
    """The tokens of the links in messages of that topic, made as whoever writes the mail does."""
    found = [payload for name, payload in await messages(app) if name == topic]
    return [app.runtime.seals.link_token(UUID(payload["link_id"])) for payload in found]


def after(**wait: float) -> time_machine.travel:
    """A context in which so much time has passed; the clock goes on."""
    return time_machine.travel(clock.now() + timedelta(**wait))


def code_at(secret: str, steps: int = 0) -> str:
    """What an authenticator shows that many steps from now."""
    step = int(clock.now().timestamp()) // totp.STEP_SECONDS + steps
    return pyotp.TOTP(secret).generate_otp(step)


class CountingHasher(Hasher):
    """Does all that the real one does, and notes each piece of work."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    async def _in_thread(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        self.done.append(work.__name__)
        return await super()._in_thread(work, *args, **kwargs)

    def taken(self) -> list[str]:
        """What was done since the last time this was asked."""
        done, self.done = self.done, []
        return done


@asynccontextmanager
async def counted(app: RunningApp) -> AsyncIterator[CountingHasher]:
    """Let the app's work on passwords be counted."""
    hasher, kept = CountingHasher(), app.runtime
    app._state["runtime"] = replace(kept, hasher=hasher)
    try:
        yield hasher
    finally:
        app._state["runtime"] = kept
        await hasher.aclose()
