"""What is asked about people, and by whom, has its index: no statement reads a whole table."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from tests.db import plans
from tests.db.samples import table_of
from tests.db.test_plans import an_event

from turnout.accounts import api_tokens, credentials, sign_ins, users
from turnout.accounts import service as accounts
from turnout.accounts.actor import SYSTEM, Actor, Role, Standing
from turnout.accounts.credentials import Kind
from turnout.accounts.models import ApiToken, SignIn, User
from turnout.accounts.users import UserFilter
from turnout.audit import queries as audit
from turnout.audit.audit import Cause
from turnout.audit.models import AuditEntry
from turnout.audit.queries import AuditFilter
from turnout.db import sets
from turnout.db.held import Question, Rows
from turnout.db.session import Database, Db
from turnout.events import queries as events
from turnout.events import team
from turnout.events.models import TeamMember
from turnout.ids import new_id
from turnout.registrations import guests, service
from turnout.registrations import queries as registrations
from turnout.registrations.models import Registration
from turnout.registrations.service import AdmissionDraft

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
PEOPLE, EVENTS, ENTRIES = 3_000, 300, 20_000
SECRET = b"s" * 31


def user(n: int) -> tuple[Any, ...]:
    email = f"person{n:05}@example.com"
    role = "admin" if n < 3 else "organizer" if n % 100 == 0 else "attendee"
    return (
        IDS[n], email, email, NOW, "Person", f"person {email}", role, None, None, n % 500 != 7,
        None, None, None, None, None, NOW, NOW,
    )  # fmt: skip


def sign_in(n: int) -> tuple[Any, ...]:
    cookie = SECRET + bytes([n % 256]) + n.to_bytes(4)
    return IDS[n], IDS[n], "page", cookie[-32:], "curl", None, NOW, NOW, LATER, None


def api_token(n: int) -> tuple[Any, ...]:
    return IDS[n], IDS[n], "name", (SECRET + n.to_bytes(4))[-32:], [], NOW, None, None


def registration(event_ids: Sequence[UUID], n: int) -> tuple[Any, ...]:
    email, account = f"person{n % PEOPLE:05}@example.com", IDS[n % PEOPLE] if n % 3 == 0 else None
    return (
        event_ids[n % 97], new_id(), "Person", email, email, account, "confirmed", None, None,
        None, {}, None, NOW, NOW,
    )  # fmt: skip


def an_id(at: datetime) -> UUID:
    """An id of the form of those that are made at that time."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def entry(event_ids: Sequence[UUID], n: int) -> tuple[Any, ...]:
    """Mostly what guests do; a little by and about accounts."""
    at = NOW + timedelta(seconds=n)
    if n % 50 == 0:
        return an_id(at), at, "account", IDS[n % 97], None, "user.changed", None, IDS[n % 89], None
    event_id = event_ids[n % EVENTS]
    return an_id(at), at, "anonymous", None, None, "registration.created", event_id, new_id(), None


IDS = [UUID(int=(n + 1) << 64) for n in range(PEOPLE)]


async def fill(database: Database) -> list[UUID]:
    """A server that has had guests and members for a while; the ids of its events."""
    async with database.write() as db:
        actor = await accounts.built_in_organizer(db, NOW)
        wanted = [(an_event(n), AdmissionDraft(None)) for n in range(EVENTS)]
        event_ids = await service.host(db, actor, Cause("open"), wanted, NOW)
    async with database.write() as db:
        for model, rows in (
            (User, map(user, range(PEOPLE))),
            (SignIn, map(sign_in, range(PEOPLE))),
            (ApiToken, map(api_token, range(PEOPLE))),
            (TeamMember, [(e, IDS[n], "door", NOW) for e in event_ids for n in range(20)]),
            (Registration, (registration(event_ids, n) for n in range(PEOPLE * 3))),
            (AuditEntry, (entry(event_ids, n) for n in range(ENTRIES))),
        ):
            sets.insert(db, table_of(model), list(rows))
    await plans.gather_statistics(database)
    return event_ids


Work = Callable[[Db, list[UUID]], Awaitable[object]]


class InSession:
    """Asks on the session's connection what the product asks on one that it holds."""

    def __init__(self, db: Db) -> None:
        self.db = db

    async def rows(self, question: Question, keys: Sequence[Any]) -> Rows:
        connection = await self.db.connection()
        asked = question.of(keys, connection.dialect)
        found: Any = await connection.exec_driver_sql(asked.sql, asked.values)
        return asked.read(found.all())


ME = Actor(
    Standing.ACCOUNT, IDS[9], "Person", Role.ATTENDEE,
    email="person00009@example.com", person="person00009@example.com", is_verified=True,
)  # fmt: skip


def people(after: str | None = None, **wanted: Any) -> Work:
    return lambda db, _: users.page(db, UserFilter(**wanted), after=after, limit=21)


async def my_sign_ins(db: Db, _: list[UUID]) -> object:
    return await sign_ins.page(db, ME, NOW, before=None, limit=21)


async def my_tokens(db: Db, _: list[UUID]) -> object:
    return await api_tokens.page(db, ME, NOW, before=new_id(), limit=21)


def entries(before: UUID | None = None, **wanted: Any) -> Work:
    return lambda db, _: audit.page(db, AuditFilter(**wanted), before=before, limit=21)


def holder(kind: Kind, key: UUID | bytes) -> Work:
    return lambda db, _: credentials.load(InSession(db), [(kind, key)])


async def members(db: Db, event_ids: list[UUID]) -> object:
    return await team.members(db, event_ids[7], after=IDS[3], limit=21)


async def brief(db: Db, event_ids: list[UUID]) -> object:
    return await events.brief(db, ME, event_ids[7])


async def own(db: Db, _: list[UUID]) -> object:
    return await registrations.own(db, ME, before=None, limit=21)


async def own_later(db: Db, _: list[UUID]) -> object:
    return await registrations.own(db, ME, before=new_id(), limit=21)


async def held(db: Db, event_ids: list[UUID]) -> object:
    [one] = await registrations.attendees(db, event_ids[7], status=None, after=None, limit=1)
    return await registrations.held(db, SYSTEM, one.id)


async def of_guest(db: Db, _: list[UUID]) -> object:
    return await guests.load(InSession(db), [new_id(), new_id()])


async def of_event(db: Db, event_ids: list[UUID]) -> object:
    return await audit.page(db, AuditFilter(event_id=event_ids[7]), before=None, limit=21)


async def of_subject_at_event(db: Db, event_ids: list[UUID]) -> object:
    wanted = AuditFilter(event_id=event_ids[7], subject_id=new_id())
    return await audit.page(db, wanted, before=None, limit=21)


BY_KEY = "PRIMARY KEY|pk_audit_entries"
BY_INDEX: dict[str, tuple[Work, Sequence[str]]] = {
    "later people": (people("person01000"), ["autoindex_users_2|uq_users_email_canonical"]),
    "administrators": (people(role=Role.ADMIN), ["ix_users_role"]),
    "organizers": (people(role=Role.ORGANIZER, is_active=True), ["ix_users_role"]),
    "the disabled": (people(is_active=False), ["ix_users_is_active"]),
    "my sign-ins": (my_sign_ins, ["ix_sign_ins_user_id_id"]),
    "my tokens": (my_tokens, ["ix_api_tokens_user_id_id"]),
    "who signed in": (holder(Kind.SIGN_IN, IDS[5]), ["autoindex_sign_ins_1|pk_sign_ins"]),
    "whose cookie": (
        holder(Kind.COOKIE, SECRET),
        ["autoindex_sign_ins_2|uq_sign_ins_cookie_hash", "autoindex_users_1|pk_users"],
    ),
    "whose token": (
        holder(Kind.API_TOKEN, SECRET),
        ["autoindex_api_tokens_2|uq_api_tokens_token_hash", "autoindex_users_1|pk_users"],
    ),
    "a team": (members, ["autoindex_team_members_1|pk_team_members"]),
    "an event in brief": (brief, ["autoindex_events_1|pk_events", "team_members"]),
    "my registrations": (own, ["ix_registrations_account", "ix_registrations_person"]),
    "my later ones": (own_later, ["ix_registrations_account", "ix_registrations_person"]),
    "one registration": (held, ["ix_registrations_id"]),
    "a guest": (of_guest, ["ix_registrations_id"]),
    "later entries": (entries(before=an_id(NOW)), [BY_KEY]),
    "by someone": (entries(actor_id=IDS[9]), ["ix_audit_entries_actor"]),
    "about someone": (entries(subject_id=IDS[9]), ["ix_audit_entries_subject"]),
    "at an event": (of_event, ["ix_audit_entries_event_id_id"]),
    "of one at an event": (of_subject_at_event, ["ix_audit_entries_event_id_id"]),
    "of a rare kind": (entries(action="user.changed"), ["ix_audit_entries_action"]),
    "of no kind": (entries(action="user.erased"), ["ix_audit_entries_action"]),
    "since": (entries(since=NOW + timedelta(seconds=ENTRIES - 100)), [BY_KEY]),
    "until": (entries(until=NOW + timedelta(seconds=100)), [BY_KEY]),
    "with every filter": (
        entries(actor_id=IDS[9], subject_id=IDS[9], action="user.changed", since=NOW, until=LATER),
        ["ix_audit_entries_(actor|subject|action)"],
    ),
}
IN_ORDER: dict[str, Work] = {
    "people": people(),
    "attendees": people(role=Role.ATTENDEE),
    "the active": people(is_active=True),
    "entries": entries(),
    "entries of the usual kind": entries(action="registration.created"),
}
"""Nearly all rows are what is asked for: they are read in order, until the page is full."""
WHOLE = re.compile(r"Seq Scan on|^SCAN ")
SORTED = re.compile(r"Seq Scan on|Sort|TEMP B-TREE")


async def test_statements_about_people_use_their_index(database: Database) -> None:
    event_ids = await fill(database)

    for name, (work, indexes) in BY_INDEX.items():
        found = await plans_of(database, work, event_ids)

        assert [line for line in found if WHOLE.search(line)] == [], (name, found)
        for index in indexes:
            assert re.search(rf"({index})\b", "\n".join(found)), (name, index, found)


async def test_pages_of_what_nearly_all_rows_are_end_when_they_are_full(
    database: Database,
) -> None:
    event_ids = await fill(database)

    for name, work in IN_ORDER.items():
        found = await plans_of(database, work, event_ids)

        assert found, name
        assert [line for line in found if SORTED.search(line)] == [], (name, found)


async def test_search_for_words_is_noticed_to_read_everyone(database: Database) -> None:
    """The control, and what administrators alone may ask for."""
    event_ids = await fill(database)

    found = await plans_of(database, people(words="person0299"), event_ids)

    assert len([line for line in found if WHOLE.search(line)]) == 1


async def plans_of(database: Database, work: Work, event_ids: list[UUID]) -> list[str]:
    """The lines that tell how each statement reads its tables."""
    found = await plans.of(database, partial(run, work, event_ids))
    return [line.strip(" ->") for plan in found for line in plan.splitlines() if READS.search(line)]


READS = re.compile(r"\bScan\b|Sort|^(SCAN|SEARCH|USE TEMP)")


async def run(work: Work, event_ids: list[UUID], db: Db) -> object:
    return await work(db, event_ids)
