"""The event loop of every command that has one."""

import asyncio


def new() -> asyncio.AbstractEventLoop:
    """The quickest event loop there is here: uvloop's, or the standard one where it is missing."""
    try:
        import uvloop
    except ImportError:  # not made for every platform
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
