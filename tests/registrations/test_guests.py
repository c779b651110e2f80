"""What a guest's token is good for: one registration, and nothing else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import a_person, an_event
from tests.registrations import scene
from tests.registrations.scene import CALLS, NOBODYS_ID, code, headers_of, plain, told
from tests.support import cast
from tests.support.app import RunningApp, running

from turnout.limiter import GUEST_REGISTRATION
from turnout.registrations import guests
from turnout.registrations.models import Registration
from turnout.settings import Settings


async def test_ticket_reads_renames_and_cancels_its_registration(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="Ada@Example.com")

    read, renamed, cancelled = [await stage.call(what, made["id"], made) for what in CALLS]

    assert (read.status_code, read.json()) == (200, plain(made))
    assert [renamed.json()["name"], renamed.json()["status"]] == ["Ada King", "confirmed"]
    assert [cancelled.json()["name"], cancelled.json()["status"]] == ["Ada King", "cancelled"]
    assert made["manage_token"] not in read.text + renamed.text + cancelled.text


async def test_ticket_is_known_to_the_database_by_its_hash_alone(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")
    secret = urlsafe_b64decode(made["manage_token"])[16:]

    [(kept,)] = await rows.read(stage.database, select(Registration.manage_token_hash))
    dump = await rows.dump(stage.database)

    assert (len(made["manage_token"]), len(secret)) == (56, guests.SECRET_BYTES)
    assert bytes(kept) == guests.hash_of(made["manage_token"])
    assert made["id"].encode() in dump
    assert secret not in dump
    assert made["manage_token"].encode() not in dump


@pytest.mark.parametrize("what", CALLS)
async def test_ticket_of_another_registration_finds_nothing(
    closed_app: RunningApp, what: str
) -> None:
    stage = await scene.stage(closed_app)
    ada, bob = await stage.guests(2)

    other, unknown = [
        told(await stage.call(what, registration_id, bob))
        for registration_id in (ada["id"], NOBODYS_ID)
    ]

    assert other[0] == 404
    assert other == unknown
    assert (await stage.call("read", ada["id"], ada)).json() == plain(ada)


def made_up(token: str) -> str:
    """Another secret for the same registration."""
    return guests.derived_token(b"another secret", UUID(bytes=urlsafe_b64decode(token)[:16]))


def of_nobody(token: str) -> str:
    """The same secret, for a registration that there is not."""
    return urlsafe_b64encode(UUID(NOBODYS_ID).bytes + urlsafe_b64decode(token)[16:]).decode()


WRONG: dict[str, Callable[[str], str]] = {
    "another secret": made_up,
    "of nobody": of_nobody,
    "the last character": lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
    "one in the middle": lambda token: token[:40] + ("A" if token[40] != "A" else "B") + token[41:],
    "in capitals": str.upper,
    "cut": lambda token: token[:-1],
    "cut to the id": lambda token: token[:22],
    "cut by a whole group": lambda token: token[:-4],
    "longer": lambda token: token + "AAAA",
    "padded": lambda token: token + "=",
    # What base64 leaves out when it reads must not be left out here.
    "with a character that base64 skips": lambda token: token[:20] + "!" + token[20:],
    "with a space": lambda token: token[:20] + " " + token[20:],
    "in the other alphabet": lambda token: token.replace("-", "+").replace("_", "/") + "+",
    "not ASCII": lambda token: token[:-1] + "é",
    "the hash": lambda token: guests.hash_of(token).hex(),
    "nothing": lambda _: "",
    "very long": lambda token: token * 200,
}


async def test_ticket_that_was_changed_or_made_up_does_not_count(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")
    calls = [
        ("GET", f"/registrations/{made['id']}"),
        ("PATCH", f"/registrations/{made['id']}"),
        ("POST", f"/registrations/{made['id']}/cancel"),
        ("GET", f"/registrations/{NOBODYS_ID}"),
        ("GET", "/events"),
    ]

    answers: dict[str, list[httpx2.Response]] = {}
    async with closed_app.client() as api:
        for name, change in WRONG.items():
            sent = [(b"authorization", b"Ticket " + change(made["manage_token"]).encode("latin-1"))]
            answers[name] = [
                await api.request(method, path, headers=sent, json={"name": "Mallory"})
                for method, path in calls
            ]

    told = {name: [code(each) for each in found] for name, found in answers.items()}
    asked = {each.headers["www-authenticate"] for found in answers.values() for each in found}
    assert told == dict.fromkeys(WRONG, [(401, "invalid-token")] * len(calls))
    assert asked == {"Bearer"}
    assert (await stage.call("read", made["id"], made)).json() == plain(made)


async def test_ticket_of_an_account_s_registration_is_none(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(await cast.ada(closed_app))
    forged = {**made, "manage_token": guests.derived_token(b"another secret", UUID(made["id"]))}

    refused = await stage.call("read", made["id"], forged)

    assert made["manage_token"] is None
    assert code(refused) == (401, "invalid-token")


NEED_AN_ACCOUNT = [
    ("GET", "/users/me"),
    ("PATCH", "/users/me"),
    ("DELETE", "/users/me"),
    ("GET", "/users/me/registrations"),
    ("GET", "/users/me/sign-ins"),
    ("GET", "/users/me/tokens"),
    ("POST", "/users/me/tokens"),
    ("GET", "/users"),
    ("POST", "/events"),
    ("GET", "/events/{event}/attendees"),
    ("GET", "/events/{event}/team"),
    ("POST", "/events/{event}/team"),
    ("GET", "/admin/audit"),
]


async def test_ticket_opens_nothing_that_needs_an_account(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")
    before = await rows.counts(stage.database)

    async with closed_app.client(headers=headers_of(made)) as api:
        answers = {
            (method, path): await api.request(
                method,
                path.format(event=stage.event_id),
                json=an_event() if method != "GET" else None,
            )
            for method, path in NEED_AN_ACCOUNT
        }

    assert {call: code(answer) for call, answer in answers.items()} == dict.fromkeys(
        NEED_AN_ACCOUNT, (401, "unauthenticated")
    )
    assert await rows.counts(stage.database) == before


async def test_ticket_does_not_stand_in_the_way_of_what_is_public(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")

    async with closed_app.client(headers=headers_of(made)) as api:
        listed = await api.get("/events")
        read = await api.get(f"/events/{stage.event_id}")

    assert [each["id"] for each in listed.json()["items"]] == [stage.event_id]
    assert (read.status_code, read.json()["seats_taken"]) == (200, 1)


async def test_ticket_of_a_hidden_event_shows_the_registration_and_not_the_event(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")
    await rows.change_event(stage.database, stage.event_id, visibility="private")

    async with closed_app.client(headers=headers_of(made)) as api:
        event = await api.get(f"/events/{stage.event_id}")
        again = await api.post(f"/events/{stage.event_id}/register", json=a_person(1))
    read = await stage.call("read", made["id"], made)

    assert [code(event), code(again)] == [(404, "not-found")] * 2
    assert (read.status_code, read.json()) == (200, plain(made))


async def test_register_with_a_ticket_is_one_more_guest(
    closed_settings: Settings,
) -> None:
    """Whoever shows a ticket is counted as any guest: it buys no further seats."""
    limited = closed_settings.model_copy(update={"rate_limits": "on"})
    async with running(limited) as app:
        stage = await scene.stage(app)
        made = await stage.seat(name="Ada", email="ada@example.com")

        answer = await stage.ask(made, **a_person(1))

    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["email"]) == (201, a_person(1)["email"])
    assert body["manage_token"] not in (None, made["manage_token"])
    assert answer.headers["ratelimit-policy"].startswith(f'"{GUEST_REGISTRATION.name}"')
