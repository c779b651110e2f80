"""One administrator always stays: nobody else could make another."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, update
from tests.accounts.calls import told
from tests.db import rows
from tests.support import cast
from tests.support.app import RunningApp, running
from tests.support.cast import Person

from turnout.accounts.actor import Role
from turnout.accounts.models import User
from turnout.settings import Settings

Call = Callable[[httpx2.AsyncClient, UUID], Awaitable[httpx2.Response]]


async def admins(app: RunningApp) -> list[str]:
    """The names of those who administrate, in order."""
    query = select(User.name).where(User.role == "admin", User.is_active).order_by(User.name)
    return [name for (name,) in await rows.read(app.runtime.database, query)]


async def demote(api: httpx2.AsyncClient, user_id: UUID) -> httpx2.Response:
    return await api.patch(f"/users/{user_id}", json={"role": "attendee"})


async def disable(api: httpx2.AsyncClient, user_id: UUID) -> httpx2.Response:
    return await api.patch(f"/users/{user_id}", json={"is_active": False})


async def delete(api: httpx2.AsyncClient, user_id: UUID) -> httpx2.Response:
    return await api.delete(f"/users/{user_id}")


async def leave(api: httpx2.AsyncClient, _: UUID) -> httpx2.Response:
    return await api.delete("/users/me")


@pytest.mark.parametrize("take_away", [demote, disable, delete, leave])
async def test_last_administrator_cannot_be_taken_away(
    closed_app: RunningApp, take_away: Call
) -> None:
    root = await cast.root(closed_app)
    former = await cast.join(closed_app, "Former", Role.ADMIN)
    async with root.api(closed_app) as api:
        first = await disable(api, former.id)

        answer = await take_away(api, root.id)
        profile = (await api.get("/users/me")).json()

    assert (first.status_code, told(answer)) == (200, (409, "last-admin"))
    assert (profile["role"], profile["is_active"], profile["name"]) == ("admin", True, "Root")


@pytest.mark.parametrize("take_away", [demote, disable, delete, leave])
async def test_administrators_who_take_each_other_away_at_once_leave_one(
    closed_app: RunningApp, closed_settings: Settings, take_away: Call
) -> None:
    """On two servers, several times: who comes second is told, or is no administrator by then."""
    async with running(closed_settings) as other:
        for turn in range(4):
            first = await cast.join(closed_app, f"First{turn}", Role.ADMIN)
            second = await cast.join(closed_app, f"Second{turn}", Role.ADMIN)
            await _disable_all_but(closed_app, first, second)
            async with first.api(closed_app) as one, second.api(other) as two:
                answers = await asyncio.gather(take_away(one, second.id), take_away(two, first.id))

            done, refused = sorted(told(answer) for answer in answers)
            assert done[0] in {200, 204}
            assert refused in {(409, "last-admin"), (401, "invalid-token"), (403, "not-allowed")}
            assert len(await admins(closed_app)) == 1


async def _disable_all_but(app: RunningApp, *kept: Person) -> None:
    others = User.id.not_in([person.id for person in kept])
    await rows.change(app.runtime.database, update(User).where(others).values(is_active=False))
