"""Where pictures are written anew: few may be inside, one at a time is worked on. Knows no event.

The body of a picture may have 5 MiB where all others have 256 KiB, so whoever sends one comes in
before their body is read, and waits inside with it: what a flood of pictures takes is bounded by
the places in here, not by the number of connections.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from turnout.events import pictures
from turnout.events.errors import PicturesBusy
from turnout.events.pictures import Picture

MOST_INSIDE = 4


class Darkroom:
    """One for each process."""

    def __init__(self) -> None:
        self._inside = 0
        self._worker = asyncio.Lock()

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place inside, to be taken before the picture is read. Raises PicturesBusy."""
        if self._inside >= MOST_INSIDE:
            raise PicturesBusy
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def develop(self, content: bytes) -> Picture:
        """The picture, written anew in a thread once it is its turn. Raises InvalidPicture."""
        async with self._worker:
            return await asyncio.to_thread(_develop, content)


def _develop(content: bytes) -> Picture:
    try:
        return pictures.rewritten(content)
    finally:
        _return_memory()


def _return_memory() -> None:
    """Let the C library give back what a picture took, some 80 MiB of which it would keep."""
    # Imported here: only a process that writes pictures has a use for it.
    import ctypes

    with suppress(AttributeError):  # a C library that keeps nothing has no such call
        ctypes.CDLL(None).malloc_trim(0)
