"""Does a load in a process of its own, with `wrk` or with our client; knows no scenario."""

import json
import subprocess
import sys
from typing import Literal

from turnout.cli.bench import client, wrk
from turnout.cli.bench.measured import Measured
from turnout.cli.bench.wire import Load

Tool = Literal["wrk", "turnout"]


class LoadFailedError(Exception):
    """The client's process ended without a result."""


def tool_for(*loads: Load) -> Tool:
    """The one tool that all these loads, which are to be compared, can be done with."""
    return "wrk" if all(wrk.is_fit_for(load) for load in loads) else "turnout"


def do(load: Load, tool: Tool = "turnout") -> Measured:
    """Do the load and wait for its end; raises LoadFailedError or WrkFailedError."""
    if tool == "wrk":
        return wrk.run(load)
    done = subprocess.run(  # noqa: S603 - our own module, and no shell
        [sys.executable, "-m", client.__name__],
        input=load.to_json(),
        capture_output=True,
        text=True,
        check=False,
        timeout=load.seconds + client.DRAIN_SECONDS + 30,
    )
    if done.returncode != 0:
        raise LoadFailedError(done.stderr)
    return Measured(**json.loads(done.stdout))
