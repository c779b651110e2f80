"""Each change of state is one row, with who asked and by which request; what changes nothing none.

Walks over the calls of accounts, events, teams and registrations, and looks after each at what was
written.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import select
from tests.accounts.calls import NEW_PASSWORD, code_at, link_tokens, refresh, sign_in
from tests.db import rows
from tests.factories import make_event
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import PASSWORD, Person

from turnout.accounts.models import SignIn
from turnout.audit.models import AuditEntry
from turnout.outbox.topics import Topic

ADA = {"email": "ada@example.com", "name": "Ada Canary", "password": PASSWORD}
Row = tuple[str, str, UUID | None, UUID | None]


@dataclass
class Walk:
    """Calls one after the other; `secrets` is what no row may hold."""

    app: RunningApp
    seen: int = 0
    steps: int = 0

    async def begin(self) -> None:
        """From here on rows count."""
        self.seen = await rows.count(self.app.runtime.database, AuditEntry)

    def named(self) -> dict[str, str]:
        """The header of the next request's id."""
        self.steps += 1
        return {"X-Request-Id": f"step-{self.steps:06}"}

    async def new(self) -> list[Row]:
        """Action, standing, actor and subject of what was written since the last step."""
        query = select(AuditEntry).order_by(AuditEntry.id).offset(self.seen)
        async with self.app.runtime.database.read() as db:
            entries = list(await db.scalars(query))
        self.seen += len(entries)
        assert {each.request_id for each in entries} <= {f"step-{self.steps:06}"}
        return [(each.action, each.standing, each.actor_id, each.subject_id) for each in entries]

    async def step(
        self, api: httpx2.AsyncClient, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[Any, list[Row]]:
        """The answer to a call that is taken, and the rows it has written."""
        answer = await api.request(method, path, json=body, headers=self.named() | headers)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None, await self.new()


def by(person: Person, action: str, subject: object) -> list[Row]:
    """The one row of what somebody has done."""
    return [(action, "account", person.id, UUID(str(subject)))]


def by_nobody(action: str, subject: UUID) -> list[Row]:
    return [(action, "anonymous", None, subject)]


async def newest_sign_in(app: RunningApp) -> UUID:
    [(found,)] = await rows.read(
        app.runtime.database, select(SignIn.id).order_by(SignIn.id.desc()).limit(1)
    )
    return UUID(str(found))


async def test_getting_an_account_and_back_into_it(closed_app: RunningApp) -> None:
    walk = Walk(closed_app)
    async with closed_app.client() as api:
        _, signed_up = await walk.step(api, "POST", "/auth/sign-up", ADA)
        _, known = await walk.step(api, "POST", "/auth/sign-up", ADA)
        [user_id] = [subject for *_, subject in signed_up]
        assert user_id is not None
        [link] = await link_tokens(closed_app, Topic.ACCOUNT_CREATED)
        _, verified = await walk.step(api, "POST", "/auth/verify-email", {"token": link})
        email = {"email": ADA["email"]}
        _, forgot = await walk.step(api, "POST", "/auth/forgot-password", email)
        nobody = {"email": "nobody@example.com"}
        _, unknown = await walk.step(api, "POST", "/auth/forgot-password", nobody)
        [link] = await link_tokens(closed_app, Topic.PASSWORD_RESET_ASKED)
        body = {"token": link, "password": NEW_PASSWORD}
        _, was_reset = await walk.step(api, "POST", "/auth/reset-password", body)
        failed = await sign_in(api, ADA["email"])

    assert signed_up == by_nobody("user.created", user_id)
    assert verified == by_nobody("user.email-verified", user_id)
    assert forgot == by_nobody("user.password-reset-asked", user_id)
    assert was_reset == by_nobody("user.password-changed", user_id)
    assert (known, unknown, failed.status_code, await walk.new()) == ([], [], 401, [])


async def test_signing_in_and_out(closed_app: RunningApp) -> None:
    ada, walk = await cast.ada(closed_app), Walk(closed_app)
    await walk.begin()
    async with closed_app.client() as api:
        api.headers |= walk.named()
        tokens = (await sign_in(api, ada.email)).json()
        first = await newest_sign_in(closed_app)
        opened = await walk.new()
        renewed = (await refresh(api, tokens["refresh_token"])).json()["refresh_token"]
        refreshed = await walk.new()
        await refresh(api, tokens["refresh_token"])
        reused = await walk.new()
        await refresh(api, renewed)
        again = await walk.new()

        api.headers |= walk.named()
        page = await api.post("/login", data={"email": ada.email, "password": PASSWORD})
        second, entered = await newest_sign_in(closed_app), await walk.new()
        api.headers |= walk.named()
        await api.post("/logout", headers={"Cookie": page.headers["set-cookie"].split(";")[0]})
        left = await walk.new()
        _, ended = await walk.step(api, "POST", "/auth/revoke", {"token": ada.token}, **ada.bearer)

    assert opened == [("sign-in.opened", "anonymous", ada.id, first)]
    assert (refreshed, again) == ([], [])
    assert reused == by_nobody("sign-in.reuse-found", first)
    assert entered == [("sign-in.opened", "anonymous", ada.id, second)]
    assert [(each[0], each[3]) for each in left] == [("sign-in.ended", second)]
    assert [(each[:3]) for each in ended] == [("sign-in.ended", "account", ada.id)]


async def test_what_people_change_of_themselves(closed_app: RunningApp) -> None:
    ada, walk = await cast.ada(closed_app), Walk(closed_app)
    await walk.begin()
    async with ada.api(closed_app) as api:
        me = "/users/me"
        _, renamed = await walk.step(api, "PATCH", me, {"name": "Ada L."})
        _, same = await walk.step(api, "PATCH", me, {"name": "Ada L."})
        proof = {"current_password": PASSWORD}
        _, asked = await walk.step(api, "PATCH", me, {"email": "a@example.com", **proof})
        _, changed = await walk.step(api, "PATCH", me, {"password": NEW_PASSWORD, **proof})
        body = {"name": "T", "scopes": ["events:read"]}
        token, made = await walk.step(api, "POST", f"{me}/tokens", body)
        _, revoked = await walk.step(api, "DELETE", f"{me}/tokens/{token['id']}")
        there = (await sign_in(api, ada.email, NEW_PASSWORD)).status_code
        elsewhere = await newest_sign_in(closed_app)
        await walk.begin()
        _, ended = await walk.step(api, "DELETE", f"{me}/sign-ins/{elsewhere}")
        _, erased = await walk.step(api, "DELETE", me)

    assert (renamed, same) == (by(ada, "user.changed", ada.id), [])
    assert asked == by(ada, "user.email-change-asked", ada.id)
    assert changed == by(ada, "user.password-changed", ada.id)
    assert made == by(ada, "api-token.created", token["id"])
    assert revoked == by(ada, "api-token.revoked", token["id"])
    assert (there, ended) == (200, by(ada, "sign-in.ended", elsewhere))
    assert erased == by(ada, "user.erased", ada.id)


async def test_second_factor(closed_app: RunningApp) -> None:
    ada, walk = await cast.ada(closed_app), Walk(closed_app)
    await walk.begin()
    path, written = "/users/me/second-factor", []
    async with ada.api(closed_app) as api:
        begun, new = await walk.step(api, "POST", path)
        written.append(new)
        secret = begun["secret"]
        for n, call in enumerate(("confirm", "recovery-codes", "disable"), start=-1):
            body = {"code": code_at(secret, n)}
            _, new = await walk.step(api, "POST", f"{path}/{call}", body)
            written.append(new)

    assert written == [
        by(ada, f"second-factor.{what}", ada.id)
        for what in ("begun", "confirmed", "codes-renewed", "removed")
    ]


async def test_what_administrators_change_of_others(closed_app: RunningApp) -> None:
    root, ada = await cast.root(closed_app), await cast.ada(closed_app)
    async with ada.api(closed_app) as api:
        await api.post("/users/me/second-factor")
    walk, path = Walk(closed_app), f"/users/{ada.id}"
    await walk.begin()
    async with root.api(closed_app) as api:
        body = {"email": "grace@example.com", "name": "Grace", "role": "attendee"}
        grace, made = await walk.step(api, "POST", "/users", body)
        _, changed = await walk.step(api, "PATCH", path, {"role": "organizer", "is_active": False})
        _, same = await walk.step(api, "PATCH", path, {"role": "organizer"})
        _, removed = await walk.step(api, "DELETE", f"{path}/second-factor")
        _, nothing = await walk.step(api, "DELETE", f"{path}/second-factor")
        _, erased = await walk.step(api, "DELETE", path)

    assert made == by(root, "user.created", grace["id"])
    assert (changed, same) == (by(root, "user.changed", ada.id), [])
    assert (removed, nothing) == (by(root, "second-factor.removed", ada.id), [])
    assert erased == by(root, "user.erased", ada.id)


async def test_teams_and_registrations(closed_app: RunningApp) -> None:
    olive, ada = await cast.olive(closed_app), await cast.ada(closed_app)
    walk = Walk(closed_app)
    async with olive.api(closed_app) as organizer, ada.api(closed_app) as api:
        event = (await make_event(organizer, max_capacity=1, waitlist_enabled=True))["id"]
        await walk.begin()
        team, register = f"/events/{event}/team", f"/events/{event}/register"
        body = {"user_id": str(ada.id), "role": "door"}
        _, joined = await walk.step(organizer, "POST", team, body)
        _, left = await walk.step(organizer, "DELETE", f"{team}/{ada.id}")
        seat, taken = await walk.step(api, "POST", register, {})
        async with closed_app.client() as guest:
            body = {"name": "Guest", "email": "guest@example.com"}
            waits, waiting = await walk.step(guest, "POST", register, body)
            ticket = {"Authorization": f"Ticket {waits['manage_token']}"}
            own = f"/registrations/{waits['id']}"
            _, renamed = await walk.step(guest, "PATCH", own, {"name": "G. U. Est"}, **ticket)
        cancel = f"/registrations/{seat['id']}/cancel"
        _, cancelled = await walk.step(api, "POST", cancel)
        _, again = await walk.step(api, "POST", cancel)
        refused = await api.post(register, json={}, headers=walk.named())

    assert joined == by(olive, "team.set", ada.id)
    assert left == by(olive, "team.removed", ada.id)
    assert taken == by(ada, "registration.created", seat["id"])
    assert waiting == by_nobody("registration.created", UUID(waits["id"]))
    assert renamed == [("registration.renamed", "guest", None, UUID(waits["id"]))]
    # Two have changed: who gave the seat back, and who has it now.
    assert cancelled == [
        *by(ada, "registration.cancelled", seat["id"]),
        *by(ada, "registration.promoted", waits["id"]),
    ]
    assert again == []
    assert (refused.status_code, len(await walk.new())) == (201, 1), "behind the guest, on the list"
    of_event = AuditEntry.event_id == UUID(event)
    assert await rows.count(closed_app.runtime.database, AuditEntry, of_event) == 9


async def test_webhooks(closed_app: RunningApp) -> None:
    olive, walk = await cast.olive(closed_app), Walk(closed_app)
    await walk.begin()
    async with olive.api(closed_app) as api:
        body = {"url": "https://example.com/hook?key=canary"}
        hook, made = await walk.step(api, "POST", "/webhooks", body)
        path = f"/webhooks/{hook['id']}"
        _, changed = await walk.step(api, "PATCH", path, {"description": "Badges"})
        _, same = await walk.step(api, "PATCH", path, {"description": "Badges"})
        rotation, rotated = await walk.step(api, "POST", f"{path}/rotate-secret")
        sent, tested = await walk.step(api, "POST", f"{path}/test")
        _, again = await walk.step(api, "POST", f"{path}/deliveries/{sent['id']}/redeliver")
        _, deleted = await walk.step(api, "DELETE", path)

    done = ("created", "changed", "secret-rotated", "tested", "redelivered", "deleted")
    expected = [by(olive, f"webhook.{what}", hook["id"]) for what in done]
    assert [made, changed, rotated, tested, again, deleted] == expected
    assert same == []
    changes = await rows.read(closed_app.runtime.database, select(AuditEntry.changes))
    for secret in ("canary", hook["secret"], rotation["secret"]):
        assert secret not in repr(changes)


async def test_the_life_of_an_event(closed_app: RunningApp) -> None:
    """Each step is one row; what changes nothing, or is only rehearsed, none."""
    olive, walk = await cast.olive(closed_app), Walk(closed_app)
    async with olive.api(closed_app) as api:
        event = (await make_event(api, draft=True))["id"]
        path = f"/events/{event}"
        await walk.begin()
        told = [
            (await walk.step(api, method, path + below, body))[1]
            for method, below, body in (
                *(("PATCH", "", {"name": "New"}), ("PATCH", "", {"name": "New"})),
                *(("PATCH", "?dry_run=true", {"name": "Newer"}), ("POST", "/publish", None)),
                *(("POST", "/publish", None), ("POST", "/timezone", {"timezone": "UTC"})),
                *(("POST", "/timezone", {"timezone": "UTC"}),),
                ("POST", "/timezone", {"timezone": "Asia/Tokyo", "dry_run": True}),
                ("POST", "/cancel?dry_run=true", {"reason": "Rain"}),
                *(("POST", "/cancel", {"reason": "Rain"}), ("POST", "/cancel", {"reason": "Snow"})),
            )
        ]
        body = {"start_time": "2031-01-01T10:00:00"}
        copy, copied = await walk.step(api, "POST", f"{path}/duplicate", body)
        _, deleted = await walk.step(api, "DELETE", path)

    changed, published, cancelled = (
        by(olive, f"event.{what}", event) for what in ("changed", "published", "cancelled")
    )
    assert told == [changed, [], [], published, [], changed, [], [], [], cancelled, []]
    assert copied == by(olive, "event.created", copy["id"])
    assert deleted == by(olive, "event.deleted", event)


async def test_rows_hold_no_secret_no_name_and_no_address(closed_app: RunningApp) -> None:
    root, ada = await cast.root(closed_app), await cast.ada(closed_app)
    held: list[str] = [PASSWORD, NEW_PASSWORD, root.token, root.cookie, ada.token, ada.cookie]
    held += [root.email, ada.email, "Canary", "moved@example.com", "grace@example.com"]
    async with ada.api(closed_app) as api, root.api(closed_app) as admin:
        tokens = (await sign_in(api, ada.email)).json()
        body = {"name": "Canary", "scopes": ["events:read"]}
        held += [
            tokens["access_token"],
            tokens["refresh_token"],
            (await api.post("/users/me/tokens", json=body)).json()["token"],
        ]
        begun = (await api.post("/users/me/second-factor")).json()
        code = code_at(begun["secret"])
        codes = await api.post("/users/me/second-factor/confirm", json={"code": code})
        held += [begun["secret"], *codes.json()["recovery_codes"]]
        proof = {"current_password": PASSWORD}
        body = {"name": "Ada Canary", "email": "moved@example.com", "password": NEW_PASSWORD}
        assert (await api.patch("/users/me", json={**body, **proof})).status_code == 200
        held += await link_tokens(closed_app, Topic.EMAIL_CHANGE_ASKED)
        await api.post("/auth/verify-email", json={"token": held[-1]})
        body = {"email": "grace@example.com", "name": "Grace Canary", "role": "organizer"}
        await admin.post("/users", json=body)
        held += await link_tokens(closed_app, Topic.ACCOUNT_CREATED)
        await admin.delete(f"/users/{ada.id}")

    query = select(*AuditEntry.__table__.columns)
    written = repr(await rows.read(closed_app.runtime.database, query))
    actions = {
        *("api-token.created", "second-factor.confirmed", "user.email-changed"),
        *("user.password-changed", "user.changed", "user.erased"),
    }
    assert {action for action in actions if action in written} == actions
    assert len(held) > 20
    assert [secret for secret in held if secret in written] == []
