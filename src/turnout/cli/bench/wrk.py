"""The same kind of figures from `wrk`, where it is installed; knows only its command line.

For requests that never change. Measured against a server that answers constant bytes, `wrk` and
the client beside this file cost about the same for each request (10 microseconds of a core for a
GET; for a numbered POST 11 with a generated Lua script, 13.5 with ours), so what has to be
numbered, and counted by status, goes through ours: no script to generate, and one less tool.
"""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from turnout.cli.bench.measured import Measured
from turnout.cli.bench.wire import Load

# Runs once, after the load: wrk's own table has neither the 95th percentile nor microseconds.
SCRIPT = """\
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'turnout {"requests":%d,"us":%d,"p50":%d,"p95":%d,"p99":%d,"max":%d,' ..
    '"refused":%d,"broken":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95),
    latency:percentile(99), latency.max, e.status, e.connect + e.read + e.write + e.timeout))
end
"""

_LINE = re.compile(r"^turnout (\{.*\})$", re.MULTILINE)


class WrkFailedError(Exception):
    """`wrk` did not print what was asked of it."""


def is_fit_for(load: Load) -> bool:
    """Whether `wrk` is installed and this load is one constant request, as fast as it goes."""
    one = len(load.requests) == 1 and load.requests[0].is_constant
    plain = one and load.requests[0].method == "GET" and load.rate is None and load.count is None
    # wrk takes whole seconds and cannot tell a 200 from a 304.
    return plain and load.seconds == int(load.seconds) > 0 and shutil.which("wrk") is not None


def run(load: Load) -> Measured:
    """Do the load with `wrk`, on one thread; raises WrkFailedError."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "figures.lua"
        script.write_text(SCRIPT)
        done = subprocess.run(  # noqa: S603 - a fixed program, and no shell
            command_line(load, script), capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        raise WrkFailedError(done.stdout + done.stderr)
    return parse(done.stdout)


def command_line(load: Load, script: Path) -> list[str]:
    """The program and its arguments; one thread, as the client has one too."""
    request = load.requests[0]
    line = [shutil.which("wrk") or "wrk", "-t1", f"-c{load.connections}", f"-d{load.seconds:.0f}s"]
    line += ["--latency", "--timeout", "10s", "-s", str(script)]
    for name, value in request.headers:
        line += ["-H", f"{name}: {value}"]
    return [*line, f"http://{load.host}:{load.port}{request.path}"]


def parse(output: str) -> Measured:
    """What `wrk` printed with our script, as a result; raises WrkFailedError."""
    line = _LINE.search(output)
    if line is None:
        raise WrkFailedError(output)
    told: dict[str, int] = json.loads(line[1])
    seconds = told["us"] / 1_000_000
    statuses = {"ok": told["requests"] - told["refused"], "refused": told["refused"]}
    return Measured(
        tool="wrk",
        requests=told["requests"],
        seconds=seconds,
        per_second=told["requests"] / seconds,
        p50_ms=told["p50"] / 1000,
        p95_ms=told["p95"] / 1000,
        p99_ms=told["p99"] / 1000,
        max_ms=told["max"] / 1000,
        statuses={name: count for name, count in statuses.items() if count},
        errors=told["refused"] + told["broken"],
    )
