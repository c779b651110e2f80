"""A small HTTP server for tests of what talks to servers; it knows nothing of the product."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class SmallServer:
    """A server that answers what `answer` says of each request; None hangs up."""

    port: int = 0
    seen: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def small_server(
    answer: Callable[[bytes], bytes | None], *, piecewise: bool = False
) -> AsyncIterator[SmallServer]:
    here = SmallServer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await read_request(reader)
                here.seen.append(request)
                told = answer(request)
                if told is None:
                    break
                for piece in [told[:9], told[9:30], told[30:]] if piecewise else [told]:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.001 if piecewise else 0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    async with server:
        yield here


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)
