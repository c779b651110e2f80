"""Olive's webhooks, one of them of one event, and a delivery that was tried once."""

from uuid import UUID

from tests.support.app import RunningApp
from tests.support.cast import Person

from turnout import clock
from turnout.outbox.models import DeliveryAttempt


async def add(app: RunningApp, olive: Person, event_id: str) -> dict[str, str]:
    """The ids of what was made."""
    found = dict[str, str]()
    async with olive.api(app) as api:
        for name, event in (("olives_webhook", None), ("events_webhook", event_id)):
            body = {"url": "https://example.com/hook", "event_id": event}
            answer = await api.post("/webhooks", json=body)
            assert answer.status_code == 201, answer.text
            found[name] = answer.json()["id"]
        sent = await api.post(f"/webhooks/{found['olives_webhook']}/test")
    found["olives_delivery"] = sent.json()["id"]
    async with app.runtime.database.write() as db:
        delivery_id = UUID(found["olives_delivery"])
        db.add(DeliveryAttempt(delivery_id=delivery_id, number=1, at=clock.now(), milliseconds=9))
    return found
