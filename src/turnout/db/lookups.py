"""Answers many small questions by few statements: natural batching of reads. Knows no table.

Whoever asks while a statement is in flight goes into the next one, which begins after they asked:
the answer is as new as if each had asked alone, and a busy server pays for one statement a turn of
the loop instead of one a request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

from turnout.db.held import Asked
from turnout.db.session import Database

K = TypeVar("K")
V = TypeVar("V")
LARGEST_SET = 256


class Lookups(Generic[K, V]):
    """One kind of question; `load` answers a set of them, leaving out what is not there."""

    def __init__(
        self, database: Database, load: Callable[[Asked, Collection[K]], Awaitable[Mapping[K, V]]]
    ) -> None:
        self._database = database
        self._load = load
        self._asked: dict[K, asyncio.Future[V | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The answer as it stands after this call began. Raises what the driver raises."""
        future = self._asked.get(key)
        if future is None:
            future = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._serve())
        # Shielded: others may wait for the same answer.
        return await asyncio.shield(future)

    async def _serve(self) -> None:
        try:
            while self._asked:
                taken = [*self._asked][:LARGEST_SET]
                await self._answer({key: self._asked.pop(key) for key in taken})
        finally:
            self._task = None

    async def _answer(self, asked: Mapping[K, asyncio.Future[V | None]]) -> None:
        try:
            found = await self._load(self._database.held, asked.keys())
        except Exception as error:  # noqa: BLE001 - whatever went wrong belongs to those who wait
            for future in asked.values():
                future.set_exception(error)
                future.exception()  # all who waited may have gone: not a lost error
        else:
            for key, future in asked.items():
                future.set_result(found.get(key))
