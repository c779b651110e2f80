"""Events as bytes of JSON, each rendered once for every state it has and zone it is shown in.

What is kept belongs to no caller: the key names all that the bytes say, and whoever is given them
was found to see that event by a statement of their own.
"""

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

import orjson

from turnout.db.session import Database
from turnout.discovery import queries
from turnout.discovery.schemas import event_out
from turnout.discovery.search import Hit

MOST_BYTES = 3 * 1024 * 1024
_OVERHEAD_BYTES = 400

_NO_DISTANCE = b"null}"

Key = tuple[bytes | UUID, int, int, str, str | None]
"""Event, version, seats taken, the organizer's name, zone (None is the event's own)."""


class Rendered:
    """What was rendered last, as far as there is room."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._most_bytes = most_bytes
        self._bytes = 0

    @property
    def kept_bytes(self) -> int:
        """What is kept takes about this much."""
        return self._bytes

    async def of(
        self, database: Database, hits: Sequence[Hit], zone: str | None
    ) -> list[bytes | None]:
        """The JSON of each event, in order; None for one that is gone since it was found."""
        wanted = [(h.id, h.version, h.taken, h.organizer_name, zone) for h in hits]
        missing = [h for h, key in zip(hits, wanted, strict=True) if key not in self._kept]
        fresh = await self._render(database, missing, zone) if missing else {}
        found: list[bytes | None] = []
        for key in wanted:
            kept = self._kept.get(key)
            if kept is None:
                # It changed after it was found: then what it is now is as right.
                found.append(fresh.get(key[0]))
            else:
                self._kept.move_to_end(key)
                found.append(kept)
        self._make_room()
        return found

    @staticmethod
    def with_distance(body: bytes, km: float | None) -> bytes:
        """The JSON of an event with its distance, which is the last member."""
        return body if km is None else body.removesuffix(_NO_DISTANCE) + b"%.2f}" % km

    async def _render(
        self, database: Database, hits: Sequence[Hit], zone: str | None
    ) -> dict[bytes | UUID, bytes]:
        as_found = {hit.event_id: hit.id for hit in hits}
        views = await queries.shown(database.lists, list(as_found))
        fresh: dict[bytes | UUID, bytes] = {}
        for view in views:
            row = view.row
            # A copy: what the encoder gives keeps the room it wrote in, ten times of what it needs.
            body = bytes(memoryview(orjson.dumps(event_out(view, zone))))
            event_id = as_found[row.id]
            fresh[event_id] = body
            self._keep((event_id, row.version, row.taken, row.organizer_name, zone), body)
        return fresh

    def _keep(self, key: Key, body: bytes) -> None:
        before = self._kept.pop(key, None)
        self._bytes += len(body) + _OVERHEAD_BYTES
        self._bytes -= 0 if before is None else len(before) + _OVERHEAD_BYTES
        self._kept[key] = body

    def _make_room(self) -> None:
        while self._bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest) + _OVERHEAD_BYTES
