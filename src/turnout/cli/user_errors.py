"""What goes wrong in the hands of a user: one clear line and exit status 2."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

from turnout.cli import event_loop
from turnout.db.errors import is_away
from turnout.db.session import NotDurableError
from turnout.settings import Settings, SettingsError, load

T = TypeVar("T")


def fail(message: str) -> NoReturn:
    """Print one line and end with status 2."""
    print(f"turnout: {message}", file=sys.stderr)
    raise SystemExit(2)


def settings_or_fail(**overrides: object) -> Settings:
    """The settings; a wrong value is one clear line."""
    try:
        return load(**overrides)
    except SettingsError as error:
        fail(str(error))


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run `work` to its end; a database that is away is one clear line."""

    async def whole() -> T:
        return await work()

    try:
        with asyncio.Runner(loop_factory=event_loop.new) as runner:
            return runner.run(whole())
    except (SettingsError, NotDurableError) as error:
        fail(str(error))
    except Exception as error:
        if is_away(error):
            fail(f"the database cannot be reached: {_first_line(error)}")
        raise


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).split("\n")[0] or type(error).__name__
