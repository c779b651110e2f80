"""The cover of an event: who sets it, what is kept, and that a flood of pictures stays small."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.events.pictures import SECRETS, a_picture, opened, png_of_size, telling
from tests.factories import make_event
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import Person

from turnout.audit.models import AuditEntry
from turnout.events import darkroom, pictures
from turnout.events.models import Cover, Event
from turnout.outbox.models import OutboxMessage
from turnout.outbox.topics import Topic

NOBODYS_ID = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"


@dataclass(frozen=True, slots=True)
class Scene:
    """Olive's event, without a cover."""

    app: RunningApp
    olive: Person
    event: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/events/{self.event['id']}/cover"

    async def call(self, method: str, who: Person | None = None, **more: Any) -> httpx2.Response:
        """The answer to a call about the cover, as that person, else as Olive."""
        async with (who or self.olive).api(self.app) as api:
            return await api.request(method, self.path, **more)

    async def put(self, content: Any = None, **more: Any) -> httpx2.Response:
        return await self.call("PUT", content=content or a_picture(), **more)

    async def told(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """What the audit has of covers, and the messages about changed events."""
        entries = select(
            AuditEntry.action, AuditEntry.actor_id, AuditEntry.event_id, AuditEntry.changes
        ).where(AuditEntry.action.startswith("event.cover"))
        messages = select(OutboxMessage.event_id, OutboxMessage.payload).where(
            OutboxMessage.topic == Topic.EVENT_CHANGED
        )
        database = self.app.runtime.database
        return (
            await rows.read(database, entries.order_by(AuditEntry.id)),
            await rows.read(database, messages.order_by(OutboxMessage.id)),
        )

    async def stored(self) -> tuple[Any, ...]:
        """The event's version, when it was changed, its sequence and its cover."""
        query = select(Event.version, Event.updated_at, Event.sequence, Event.cover)
        [found] = await rows.read(self.app.runtime.database, query)
        return found


@pytest.fixture
async def scene(closed_app: RunningApp) -> Scene:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api:
        return Scene(closed_app, olive, await make_event(api))


def told(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_cover_that_is_set_is_answered_and_shown(scene: Scene, kind: str) -> None:
    answer = await scene.put(telling(kind))

    made = answer.json()
    async with scene.app.client() as nobody:
        shown = await nobody.get(made["url"])
    assert (answer.status_code, shown.status_code) == (200, 200)
    assert made == {
        "url": made["url"],
        "width": 40,
        "height": 20,
        "media_type": "image/webp",
    }
    assert made["url"].startswith(f"{scene.path}?v=")
    assert (opened(shown.content).format, opened(shown.content).size) == ("WEBP", (40, 20))
    assert [secret for secret in SECRETS if secret in shown.content] == []


async def test_cover_is_kept_for_a_year_under_its_hash_and_asked_for_again_without(
    scene: Scene,
) -> None:
    url = (await scene.put()).json()["url"]

    async with scene.app.client() as nobody:
        by_hash, plain = await nobody.get(url), await nobody.get(scene.path)
        other = await nobody.get(f"{scene.path}?v=0")
        tag = plain.headers["etag"]
        unchanged = await nobody.get(scene.path, headers={"If-None-Match": tag})
        head = await nobody.head(scene.path)

    kept = [each.headers["cache-control"] for each in (by_hash, plain, other)]
    assert kept == ["private, max-age=31536000, immutable", *["private, no-cache"] * 2]
    assert tag == f'"{url.partition("?v=")[2]}"'
    assert by_hash.headers["content-type"] == "image/webp"
    assert by_hash.headers["content-disposition"] == "inline"
    assert by_hash.headers["x-content-type-options"] == "nosniff"
    assert (
        by_hash.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    )
    assert (unchanged.status_code, unchanged.content, head.content) == (304, b"", b"")


async def test_set_and_removed_cover_change_the_event_and_are_told(scene: Scene) -> None:
    before = await scene.stored()

    made = (await scene.put()).json()
    with_cover = await scene.stored()
    removed = await scene.call("DELETE")
    without = await scene.stored()

    event_id, named = UUID(scene.event["id"]), made["url"].partition("?v=")[2]
    assert (removed.status_code, removed.content) == (204, b"")
    assert [before[0], with_cover[0], without[0]] == [1, 2, 3]
    assert before[1] < with_cover[1] < without[1]
    assert before[2] == with_cover[2] == without[2], "calendars show no cover"
    assert with_cover[3] == {
        "hash": named, "media_type": "image/webp", "width": 40, "height": 20,
    }  # fmt: skip
    assert without[3] is None
    payload = {"event_id": str(event_id), "fields": ["cover"], "sequence": 0, "before": {}}
    assert await scene.told() == (
        [
            ("event.cover-set", scene.olive.id, event_id, {"hash": named}),
            ("event.cover-removed", scene.olive.id, event_id, None),
        ],
        [(event_id, payload)] * 2,
    )
    assert await rows.count(scene.app.runtime.database, Cover) == 0


async def test_same_picture_again_changes_nothing(scene: Scene) -> None:
    first = await scene.put()
    stored = await scene.stored()

    again = await scene.put()

    assert again.json() == first.json()
    assert await scene.stored() == stored
    assert len((await scene.told())[0]) == 1


async def test_another_picture_takes_the_place_of_the_first(scene: Scene) -> None:
    first = (await scene.put()).json()

    second = (await scene.put(a_picture(size=(30, 30)))).json()

    assert second["url"] != first["url"]
    assert opened((await scene.call("GET")).content).size == (30, 30)
    assert await rows.count(scene.app.runtime.database, Cover) == 1


async def test_nobody_hears_of_the_cover_of_a_draft(scene: Scene) -> None:
    async with scene.olive.api(scene.app) as api:
        draft = await make_event(api, draft=True)
        answer = await api.put(f"/events/{draft['id']}/cover", content=a_picture())

    entries, messages = await scene.told()
    assert (answer.status_code, len(entries), messages) == (200, 1, [])


async def test_cover_goes_with_its_event(scene: Scene) -> None:
    await scene.put()

    async with scene.olive.api(scene.app) as api:
        deleted = await api.delete(f"/events/{scene.event['id']}")

    assert deleted.status_code == 204
    assert await rows.count(scene.app.runtime.database, Cover) == 0


async def test_editor_sets_the_cover_and_the_door_does_not(scene: Scene) -> None:
    grace, don = [await cast.join(scene.app, name) for name in ("Grace", "Don")]
    async with scene.olive.api(scene.app) as api:
        for person, role in ((grace, "editor"), (don, "door")):
            body = {"email": person.email, "role": role}
            await api.post(f"/events/{scene.event['id']}/team", json=body)

    by_grace = await scene.put(who=grace)
    by_don = await scene.put(a_picture(size=(9, 9)), who=don)
    by_mallory = await scene.call("DELETE", await cast.mallory(scene.app))

    assert by_grace.status_code == 200
    assert [told(by_don), told(by_mallory)] == [(403, "not-allowed")] * 2
    assert (await scene.call("GET")).status_code == 200


async def test_cover_of_a_draft_is_not_there_for_others(scene: Scene) -> None:
    mallory = await cast.mallory(scene.app)
    async with scene.olive.api(scene.app) as api, mallory.api(scene.app) as other:
        draft = await make_event(api, draft=True)
        path = f"/events/{draft['id']}/cover"
        url = (await api.put(path, content=a_picture())).json()["url"]

        seen = [await each.get(url) for each in (api, other)]
        refused = [await other.request(method, path) for method in ("PUT", "DELETE")]

    assert [answer.status_code for answer in seen] == [200, 404]
    assert [told(answer) for answer in refused] == [(404, "not-found")] * 2


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_cover_that_is_not_there_is_not_found(scene: Scene, method: str) -> None:
    assert told(await scene.call(method)) == (404, "not-found")


async def test_change_names_the_state_that_it_is_about(scene: Scene) -> None:
    async with scene.olive.api(scene.app) as api:
        first_tag = (await api.get(f"/events/{scene.event['id']}")).headers["etag"]

    put = await scene.put(headers={"If-Match": first_tag})
    late = [
        await scene.put(a_picture(size=(9, 9)), headers={"If-Match": first_tag}),
        await scene.call("DELETE", headers={"If-Match": first_tag}),
        await scene.put(headers={"If-Match": "no tag"}),
    ]
    removed = await scene.call("DELETE", headers={"If-Match": put.headers["etag"]})

    assert (put.status_code, removed.status_code) == (200, 204)
    assert [told(answer) for answer in late] == [
        (412, "precondition-failed"),
        (412, "precondition-failed"),
        (400, "precondition-malformed"),
    ]


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"GIF89a" + b"\0" * 30, (415, "unsupported-media-type")),
        (b"<svg onload='alert(1)'/>", (415, "unsupported-media-type")),
        (b"<!doctype html>", (415, "unsupported-media-type")),
        (a_picture()[:60], (422, "invalid-picture")),
        (png_of_size(50_000, 50_000), (422, "invalid-picture")),
        (b" " * (pictures.MAX_BYTES + 1), (413, "payload-too-large")),
    ],
)
async def test_what_is_no_picture_is_refused_whatever_it_is_called(
    scene: Scene, content: bytes, refusal: tuple[int, str]
) -> None:
    answer = await scene.put(content, headers={"Content-Type": "image/png"})

    assert told(answer) == refusal
    assert (await scene.stored())[0] == 1


async def test_empty_body_is_no_picture(scene: Scene) -> None:
    assert told(await scene.call("PUT")) == (415, "unsupported-media-type")


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "image/jpeg"])
async def test_picture_is_known_by_its_bytes(scene: Scene, kind: str) -> None:
    answer = await scene.put(headers={"Content-Type": kind})

    assert answer.status_code == 200


async def test_picture_of_five_mebibytes_is_read(scene: Scene) -> None:
    """What is behind the picture in the file is not looked at, but it counts."""
    picture = a_picture("JPEG")
    whole = picture + b"\0" * (pictures.MAX_BYTES - len(picture))

    assert (await scene.put(whole)).status_code == 200


async def chunks(size: int, chunk: int = 65_536) -> AsyncIterator[bytes]:
    """A body of unknown length that begins as a picture does."""
    yield b"\xff\xd8\xff"
    for _ in range(size // chunk):
        yield b"\0" * chunk


@pytest.mark.parametrize(
    ("mebibytes", "refusal"), [(4, (422, "invalid-picture")), (6, (413, "payload-too-large"))]
)
async def test_body_in_chunks_is_read_up_to_the_limit(
    scene: Scene, mebibytes: int, refusal: tuple[int, str]
) -> None:
    headers = {"Transfer-Encoding": "chunked"}

    answer = await scene.put(chunks(mebibytes * 1_048_576), headers=headers)

    assert told(answer) == refusal


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/events"),
        ("POST", "/events/{id}/register"),
        ("PATCH", "/events/{id}"),
        ("PUT", "/events/{id}/cover/x"),
        ("PUT", "/events/{id}/x/cover"),
    ],
)
async def test_no_other_body_may_be_so_large(scene: Scene, method: str, path: str) -> None:
    async with scene.olive.api(scene.app) as api:
        answer = await api.request(
            method, path.format(id=scene.event["id"]), content=b" " * 262_145
        )

    assert answer.status_code in {413, 404}
    assert (answer.status_code == 404) == (method == "PUT")


async def test_body_is_read_only_of_those_who_have_a_place(scene: Scene) -> None:
    """As many as have a place wait inside with their bodies; the next one's is never begun."""
    asked, full, go = list[int](), asyncio.Event(), asyncio.Event()

    async def body(number: int) -> AsyncIterator[bytes]:
        asked.append(number)
        if len(asked) == darkroom.MOST_INSIDE:
            full.set()
        await go.wait()
        yield a_picture()

    def put(number: int) -> asyncio.Task[httpx2.Response]:
        headers = {"Transfer-Encoding": "chunked"}
        return asyncio.create_task(scene.put(body(number), headers=headers))

    inside = [put(number) for number in range(darkroom.MOST_INSIDE)]
    await full.wait()
    refused = await put(darkroom.MOST_INSIDE)
    go.set()
    answers = await asyncio.gather(*inside)
    afterwards = await scene.put()

    assert (told(refused), refused.headers["retry-after"]) == ((503, "pictures-busy"), "5")
    assert sorted(asked) == list(range(darkroom.MOST_INSIDE))
    assert {answer.status_code for answer in answers} == {200}
    assert afterwards.status_code == 200


async def test_strangers_take_no_place(scene: Scene) -> None:
    asked: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        asked.append(1)
        yield a_picture()

    headers = {"Transfer-Encoding": "chunked"}
    mallory = await cast.mallory(scene.app)
    async with scene.app.client() as nobody, mallory.api(scene.app) as other:
        answers = [
            await api.put(scene.path, content=body(), headers=headers) for api in (nobody, other)
        ]

    assert [told(answer) for answer in answers] == [(401, "unauthenticated"), (403, "not-allowed")]
    assert asked == []


async def test_two_pictures_at_once_leave_the_facts_of_the_one_that_is_kept(scene: Scene) -> None:
    wanted = [a_picture(size=(size, size)) for size in range(10, 10 + darkroom.MOST_INSIDE)]

    answers = await asyncio.gather(*(scene.put(content) for content in wanted))

    _, _, _, cover = await scene.stored()
    shown = opened((await scene.call("GET")).content)
    assert {answer.status_code for answer in answers} == {200}
    assert shown.size == (cover["width"], cover["height"])
    assert (await scene.stored())[0] == 1 + len(wanted)
