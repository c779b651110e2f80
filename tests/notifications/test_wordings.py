"""Organizers' own words for mails: written, refused, tried out, and taken back."""

from typing import Any

import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import make_event
from tests.registrations.scene import code
from tests.support import cast
from tests.support.app import RunningApp

from turnout.audit.models import AuditEntry
from turnout.notifications.models import Wording

WORDS = {"subject": "See you at {{event}}", "body": "Dear {{name}},\n\n**bring** {{ticket_code}}."}
CONFIRMED = "registration-confirmed"


async def test_words_are_kept_shown_and_taken_back(closed_app: RunningApp) -> None:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api:
        event = await make_event(api)
        path = f"/events/{event['id']}/mails"
        before = await api.get(path)
        put = [await api.put(f"{path}/{CONFIRMED}", json=WORDS) for _ in range(2)]
        after = await api.get(path)
        removed = await api.delete(f"{path}/{CONFIRMED}")
        again = await api.delete(f"{path}/{CONFIRMED}")

    kinds = ["registration-confirmed", "registration-waitlisted", "event-reminder"]
    assert [each["kind"] for each in before.json()["wordings"]] == kinds
    assert {each["subject"] for each in before.json()["wordings"]} == {None}
    assert before.json()["reminder"] == {"minutes_before": 1440, "due_at": None}
    assert [each.status_code for each in put] == [200, 200]
    assert put[0].json() == put[1].json() == after.json()["wordings"][0]
    assert after.json()["wordings"][0].items() >= WORDS.items()
    assert (removed.status_code, code(again)) == (204, (404, "not-found"))
    query = select(AuditEntry.action, AuditEntry.changes).where(
        AuditEntry.action.like("event.wording%")
    )
    recorded = await rows.read(closed_app.runtime.database, query.order_by(AuditEntry.id))
    assert recorded == [
        ("event.wording-set", {"kind": CONFIRMED}), ("event.wording-removed", {"kind": CONFIRMED})
    ]  # fmt: skip


async def test_words_written_over_those_of_another_are_refused(closed_app: RunningApp) -> None:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api:
        event = await make_event(api)
        path = f"/events/{event['id']}/mails/{CONFIRMED}"
        first = await api.put(path, json=WORDS)
        await api.put(path, json=WORDS | {"subject": "Another"})
        stale = {"If-Match": first.headers["etag"]}
        refused = await api.put(path, json=WORDS, headers=stale)
        kept = await api.delete(path, headers=stale)

    subjects = await rows.read(closed_app.runtime.database, select(Wording.subject))
    assert [code(each) for each in (refused, kept)] == [(412, "precondition-failed")] * 2
    assert subjects == [("Another",)]


@pytest.mark.parametrize(
    ("changes", "expected", "field"),
    [
        ({"subject": "{{event.__class__}}"}, "invalid-template", "subject"),
        ({"body": "{{password}}"}, "invalid-template", "body"),
        ({"body": "{{name"}, "invalid-template", "body"),
        ({"subject": "Two\r\nBcc: lines"}, "validation-error", "subject"),
        ({"subject": ""}, "validation-error", "subject"),
        ({"body": "x" * 5_001}, "validation-error", "body"),
    ],
)
async def test_words_that_cannot_be_sent_are_neither_kept_nor_shown(
    closed_app: RunningApp, changes: dict[str, str], expected: str, field: str
) -> None:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api:
        event = await make_event(api)
        path = f"/events/{event['id']}/mails/{CONFIRMED}"
        kept = await api.put(path, json=WORDS | changes)
        shown = await api.post(f"{path}/preview", json=WORDS | changes)

    for refused in (kept, shown):
        assert code(refused) == (422, expected)
        assert [each["field"] for each in refused.json()["errors"]] == [field]
    assert await rows.count(closed_app.runtime.database, Wording) == 0


@pytest.mark.parametrize("kind", ["event-cancelled", "reset-password", "nothing"])
async def test_words_for_a_kind_that_has_none_lead_nowhere(
    closed_app: RunningApp, kind: str
) -> None:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api:
        event = await make_event(api)
        path = f"/events/{event['id']}/mails/{kind}"
        answers = [
            await api.put(path, json=WORDS),
            await api.post(f"{path}/preview", json=WORDS),
            await api.delete(path),
        ]

    assert [code(each) for each in answers] == [(404, "not-found")] * 3


async def test_preview_is_the_mail_with_a_sample_name_and_keeps_nothing(
    closed_app: RunningApp,
) -> None:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api:
        event = await make_event(api, name="Clocks <b>&</b> Calendars")
        path = f"/events/{event['id']}/mails"
        previews: dict[str, Any] = {}
        for kind in (CONFIRMED, "registration-waitlisted", "event-reminder"):
            body = WORDS if kind != "registration-waitlisted" else WORDS | {"body": "Hi {{name}}"}
            answer = await api.post(f"{path}/{kind}/preview", json=body)
            assert answer.status_code == 200, answer.text
            previews[kind] = answer.json()

    mail = previews[CONFIRMED]
    assert {each["subject"] for each in previews.values()} == {
        "See you at Clocks <b>&</b> Calendars"
    }
    assert "Dear Ada Lovelace," in mail["text"]
    assert "<strong>bring</strong>" in mail["html"]
    assert "<b>&</b>" not in mail["html"]
    assert "Hi Ada Lovelace" in previews["registration-waitlisted"]["text"]
    assert await rows.count(closed_app.runtime.database, Wording) == 0
