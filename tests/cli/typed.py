"""Commands as someone types them, in this process; it knows nothing of what they do."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from typer.testing import CliRunner, Result

from turnout import settings
from turnout.cli.main import app
from turnout.db.session import Database

T = TypeVar("T")


def typed(*arguments: str | Path, stdin: bytes | None = None, **env: str | Path) -> Result:
    """What a command with these settings, and no others, printed and how it ended."""
    own: dict[str, str | None] = {
        name: None for name in os.environ if name.startswith(settings.PREFIX)
    }
    variables = own | {
        f"{settings.PREFIX}{name.upper()}": str(value) for name, value in env.items()
    }
    return CliRunner().invoke(app, [str(each) for each in arguments], input=stdin, env=variables)


def on(url: str, work: Callable[[Database], Awaitable[T]]) -> T:
    """What `work` finds in a database, from outside of any event loop."""

    async def opened() -> T:
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.aclose()

    return asyncio.run(opened())
