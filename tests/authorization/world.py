"""The world in which the matrix is walked: the cast, Olive's events, and who has what in them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pyotp
from tests import factories
from tests.authorization import webhooks
from tests.events.pictures import a_picture
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import CAUSE, PASSWORD, Person

from turnout import clock, ids
from turnout.accounts import api_tokens, links, second_factor, sign_ins
from turnout.accounts.actor import Role, Scope
from turnout.accounts.api_tokens import TokenDraft
from turnout.accounts.models import LinkPurpose, SignInKind, User
from turnout.accounts.sign_ins import Client
from turnout.notifications import dispatch, outgoing, unsubscribe
from turnout.notifications.kinds import MailKind

Facts = dict[str, str]
TEAM = ("published", "draft", "private", "open", "course", "hidden_course")
"""The events that have Grace as an editor, and Don and Tess at the door."""
EVENTS: Mapping[str, Mapping[str, Any]] = {
    "published": {},
    "draft": {"draft": True},
    "private": {"visibility": "private"},
    "unlisted": {"visibility": "unlisted"},
    "open": {},
    "course": {},
    "hidden_course": {"draft": True},
    "unlisted_course": {"visibility": "unlisted"},
}
COURSES = ("course", "hidden_course", "unlisted_course")
"""The events that begin a series."""
_PLACE = {"name": "Centre", "city": "Bengaluru", "latitude": 12.9, "longitude": 77.6}


@dataclass(frozen=True, slots=True)
class World:
    """What callers are known by, and for each caller the ids and secrets that fill the gaps."""

    people: Mapping[str, Person]
    facts: Mapping[str, Facts]
    manage_token: str
    tokens: Mapping[str, str]
    """Root's API tokens by what they are for (`only events:read`, `all but events:read`, `all`),
    and Ada's (`AT`), which is for everything."""

    def bearer(self, caller: str) -> dict[str, str]:
        """The header by which a program shows that it acts for the caller."""
        match caller:
            case "AN":
                return {}
            case "GU":
                return {"Authorization": f"Ticket {self.manage_token}"}
            case _:
                return self.people[caller].bearer

    def by_token(self, name: str) -> dict[str, str]:
        """The header with one of `tokens`."""
        return {"Authorization": f"Bearer {self.tokens[name]}"}


async def build(app: RunningApp) -> World:
    """Everything, in the application's empty database."""
    people = {
        "AT": await cast.ada(app),
        "AO": await cast.join(app, "Bob"),
        "CS": await cast.join(app, "Don"),
        "CO": await cast.join(app, "Grace", Role.ORGANIZER),
        "OO": await cast.olive(app),
        "OX": await cast.mallory(app),
        "AD": await cast.root(app),
    }
    await cast.join(app, "Ruth", Role.ADMIN)  # so that Root is not the last administrator
    member = await cast.join(app, "Tess")
    shared = await _events(app, people, member) | await _accounts(app, member)
    registrations, manage_token = await _registrations(app, people, shared["published"])
    shared |= registrations | {"manage_token": manage_token}
    shared |= await _mails(app, member)
    shared |= await webhooks.add(app, people["OO"], shared["published"])
    facts = {caller: await _facts_of(app, caller, people, shared) for caller in ("AN", "GU")}
    for caller in people:
        facts[caller] = await _facts_of(app, caller, people, shared)
    _give_ada_to_bob(facts)
    return World(people, facts, manage_token, await _tokens(app, people))


async def _events(app: RunningApp, people: Mapping[str, Person], member: Person) -> Facts:
    """Olive's events by their kinds; Mallory has one of her own."""
    start, end = factories.in_days(10, hour=10), factories.in_days(10, hour=12)
    slot = {"title": "Talk", "start_time": start, "end_time": end}
    found: Facts = {"start": start, "end": end}
    async with people["OO"].api(app) as olive, people["OX"].api(app) as mallory:
        await factories.make_event(mallory, name="Another")
        for kind, changes in EVENTS.items():
            made = await factories.make_event(olive, place=_PLACE, slots=[slot], **changes)
            found[kind], found[f"{kind}_slug"] = made["id"], made["slug"]
            found[f"{kind}_slot"] = made["slots"][0]["id"]
            await _show_picture(olive, made["id"])
        for kind in TEAM:
            helpers = ((people["CO"], "editor"), (people["CS"], "door"), (member, "door"))
            for person, role in helpers:
                await _help(olive, found[kind], person, role)
        for kind in COURSES:
            found[f"{kind}_series"] = await _repeat(olive, found[kind])
    return found


async def _help(olive: httpx2.AsyncClient, event_id: str, person: Person, role: str) -> None:
    body = {"email": person.email, "role": role}
    answer = await olive.post(f"/events/{event_id}/team", json=body)
    assert answer.status_code == 201, answer.text


async def _repeat(olive: httpx2.AsyncClient, event_id: str) -> str:
    body = {"rule": "FREQ=WEEKLY;COUNT=3"}
    answer = await olive.post(f"/events/{event_id}/series", json=body)
    assert answer.status_code == 201, answer.text
    series_id: str = answer.json()["series_id"]
    return series_id


async def _show_picture(olive: httpx2.AsyncClient, event_id: str) -> None:
    answer = await olive.put(f"/events/{event_id}/cover", content=a_picture())
    assert answer.status_code == 200, answer.text


async def _registrations(
    app: RunningApp, people: Mapping[str, Person], event_id: str
) -> tuple[Facts, str]:
    """Ada's, Bob's and a guest's, and the guest's token."""
    callers = {"ada": people["AT"].bearer, "bob": people["AO"].bearer, "guest": {}}
    found: dict[str, Any] = {}
    for name, headers in callers.items():
        person = {"name": name, "email": f"{name}@example.com"}
        async with app.client(headers=headers) as api:
            answer = await factories.register(api, event_id, **person)
            assert answer.status_code == 201, answer.text
            found[name] = answer.json()
    registrations = {f"{name}s_registration": made["id"] for name, made in found.items()}
    return registrations, found["guest"]["manage_token"]


async def _mails(app: RunningApp, member: Person) -> Facts:
    """A mail on its way, and what Tess has been sent: to have no more, and her calendar's link."""
    reminder = MailKind.EVENT_REMINDER
    async with app.runtime.database.write() as db:
        await dispatch.dispatch(db, clock.now(), timedelta())
    async with app.runtime.database.read() as db:
        [delivery] = await outgoing.page(db, state=None, channel=None, before=None, limit=1)
    async with member.api(app) as api:
        url = (await api.post("/users/me/calendar-feed")).json()["url"]
    return {
        "delivery": str(delivery.id),
        "unsubscribe": unsubscribe.token_of(app.runtime.seals, member.email, reminder),
        "feed": url.rpartition("/")[2].removesuffix(".ics"),
    }


async def _accounts(app: RunningApp, member: Person) -> Facts:
    """Accounts that things are done to, and links that were sent to some."""
    managed = await cast.join(app, "Uma")
    newcomer = await cast.join(app, "Nora")
    found = {
        "member": str(member.id),
        "member_email": member.email,
        "managed": str(managed.id),
        "newcomer_email": newcomer.email,
        "password": PASSWORD,
        "missing": str(ids.new_id()),
    }
    found["members_sign_in"], _ = await _sign_in(app, member)
    found["members_token"] = await _api_token(app, member)
    for name, purpose in (
        ("verify", LinkPurpose.VERIFY_EMAIL),
        ("reset", LinkPurpose.RESET_PASSWORD),
    ):
        for place in ("link", "page_link"):
            owner = await cast.join(app, f"{name}-{place}", verified=name != "verify")
            found[f"{name}_{place}"] = await _link(app, owner, purpose)
    return found | await _half_signed_in(app)


async def _link(app: RunningApp, owner: Person, purpose: LinkPurpose) -> str:
    async with app.runtime.database.write() as db:
        issued = await links.issue(db, owner.id, purpose, owner.email, clock.now())
    return app.runtime.seals.link_token(issued)


async def _half_signed_in(app: RunningApp) -> Facts:
    """What the page for the code of Sam's second factor sends, after his password was right."""
    sam, runtime, now = await cast.join(app, "Sam"), app.runtime, clock.now()
    async with runtime.database.write() as db:
        secret = await second_factor.begin(db, runtime.seals, sam.id, CAUSE, now)
        code = authenticator_code(secret)
        codes = await second_factor.confirm(db, runtime.seals, sam.id, code, CAUSE, now)
    async with app.client() as browser:
        shown = await browser.post("/login", data={"email": sam.email, "password": PASSWORD})
    [pending] = re.findall('name="pending" value="([0-9a-f]+)"', shown.text)
    return {"pending": pending, "pending_code": codes[0]}


def authenticator_code(secret: str) -> str:
    """The code that an authenticator shows now."""
    return pyotp.TOTP(secret).now()


async def _facts_of(
    app: RunningApp, caller: str, people: Mapping[str, Person], shared: Facts
) -> Facts:
    """What fills the gaps for one caller; those without an account are given Tess's things."""
    name = people[caller].name if caller in people else "Nina"
    own = "guests_registration" if caller == "GU" else "adas_registration"
    owner = people.get(caller) or Person(UUID(shared["member"]), name, "", "", "")
    sign_in, _ = await _sign_in(app, owner)
    _, refresh_token = await _sign_in(app, owner)
    _, spare = await _sign_in(app, owner)
    return shared | {
        "my_name": name,
        "my_email": f"{name.lower()}@example.com",
        "own_registration": shared[own],
        "own_sign_in": sign_in,
        "own_refresh_token": refresh_token,
        "spare_refresh_token": spare,
        "own_token": await _api_token(app, owner),
        "authenticator_code": "000000",
        "recovery_code": "000000",
    }


def _give_ada_to_bob(facts: Mapping[str, Facts]) -> None:
    """The other attendee tries what is Ada's."""
    for name in ("own_sign_in", "own_refresh_token", "own_token"):
        facts["AO"][name] = facts["AT"][name]


async def _sign_in(app: RunningApp, person: Person) -> tuple[str, str]:
    """A further sign-in and its refresh token."""
    client, now = Client("another", None), clock.now()
    async with app.runtime.database.write() as db:
        user = await db.get_one(User, person.id)
        found = sign_ins.candidate_of(user)
        opened = await sign_ins.open_(db, found, SignInKind.TOKENS, client, CAUSE, now)
    return str(opened.sign_in_id), opened.secret


async def _api_token(app: RunningApp, person: Person) -> str:
    wanted = TokenDraft("spare", (Scope.EVENTS_READ,), clock.now() + timedelta(days=1))
    async with app.runtime.database.write() as db:
        row, _ = await api_tokens.create(db, person.id, CAUSE, wanted, clock.now())
    return str(row.id)


async def _tokens(app: RunningApp, people: Mapping[str, Person]) -> dict[str, str]:
    everything = tuple(Scope)
    wanted = {"AT": (people["AT"], everything), "all": (people["AD"], everything)}
    for scope in Scope:
        others = tuple(each for each in Scope if each is not scope)
        wanted[f"only {scope}"] = people["AD"], (scope,)
        wanted[f"all but {scope}"] = people["AD"], others
    found: dict[str, str] = {}
    async with app.runtime.database.write() as db:
        for name, (person, scopes) in wanted.items():
            draft = TokenDraft(name, scopes)
            _, found[name] = await api_tokens.create(db, person.id, CAUSE, draft, clock.now())
    return found
