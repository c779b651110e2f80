"""Joins what is written to a connection in one turn of the loop. Knows bytes alone.

uvicorn writes the head of an answer and its body by two calls, and each is a system call and a
packet. One call instead of two is a tenth of what a small answer costs, and the client wakes once.
"""

from asyncio import AbstractEventLoop, Transport
from typing import Any


class JoinedWrites:
    """A transport that hands over at the end of the turn all that was written in it.

    Whatever else is asked of it goes to the transport itself; what was written comes first.
    """

    __slots__ = ("_loop", "_pieces", "_transport")

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write `data` at the end of this turn of the loop."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)

    def close(self) -> None:
        """Close the connection after what was written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))
