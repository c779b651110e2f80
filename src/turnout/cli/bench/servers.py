"""Servers for the time of a measurement: started, waited for, weighed and stopped; no HTTP load."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from typing import IO

from turnout.cli.bench import floors
from turnout.cli.bench.calls import Address, Caller

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.005


class NotStartedError(Exception):
    """A server ended, or was not ready in time; the message ends with what it wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: its address, its process group, and how long it took to be ready."""

    address: Address
    group: int
    ready_seconds: float


@dataclass(frozen=True, slots=True)
class Memory:
    """One process: resident MiB, and the same with shared pages divided by who shares them."""

    pid: int
    rss_mib: float
    pss_mib: float


def turnout_command(*arguments: str) -> list[str]:
    """The product's own command, of this installation."""
    beside = Path(sys.executable).with_name("turnout")
    return [str(beside) if beside.exists() else "turnout", *arguments]


@contextmanager
def product(environment: Mapping[str, str], *options: str, workers: int = 1) -> Iterator[Server]:
    """The product as a user starts it, open to everyone, until the block ends."""
    port = free_port()
    command = turnout_command("serve", "--host", "127.0.0.1", "--port", str(port), "--open")
    command += ["--workers", str(workers), *options]
    with started(command, environment, Address(port), "/health/ready") as server:
        yield server


@contextmanager
def floor(length: int, *, workers: int = 1) -> Iterator[Server]:
    """The floors, whose GET answers `length` bytes, on the server program the product uses."""
    port = free_port()
    command = [sys.executable, "-m", floors.__name__, str(port), str(workers)]
    environment = {floors.BYTES_VARIABLE: str(length)}
    with started(command, environment, Address(port), floors.GET_PATH) as server:
        yield server


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], address: Address, ready_path: str
) -> Iterator[Server]:
    """A server in a process group of its own; raises NotStartedError. Always stopped again."""
    # In an empty folder, so that no `.env` of the place where the benchmark is called counts.
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        before = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - commands of this file only, and no shell
            command,
            cwd=folder,
            env={**surroundings(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_ready(process, address, ready_path, log)
            yield Server(address, process.pid, time.perf_counter() - before)
        finally:
            _stop(process)


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Lets SIGTERM end this process as Ctrl-C does, so that its servers do not outlive it."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def surroundings() -> dict[str, str]:
    """The environment without the product's own settings: what is measured is the default."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TURNOUT_")}


def memory_of(server: Server) -> list[Memory]:
    """The memory of each process of the server; empty where there is no /proc to read it from."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if _group(folder) == server.group:
                found.append(_memory(folder))
        except OSError:  # ended while it was looked at
            continue
    return found


def _wait_until_ready(
    process: subprocess.Popen[bytes], address: Address, path: str, log: IO[bytes]
) -> None:
    deadline = time.perf_counter() + READY_SECONDS
    while time.perf_counter() < deadline and process.poll() is None:
        if _answers(address, path):
            return
        time.sleep(POLL_SECONDS)
    log.seek(0)
    written = log.read()[-4000:].decode("utf-8", "replace")
    why = "was not ready in time" if process.poll() is None else f"ended with {process.returncode}"
    message = f"{process.args!r} {why}:\n{written}"
    raise NotStartedError(message)


def _answers(address: Address, path: str) -> bool:
    try:
        with Caller(address) as caller:
            return caller.call("GET", path).status == 200
    except (OSError, HTTPException):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: politely, then for good, workers that outlived the first included."""
    _signal(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal(process.pid, signal.SIGKILL)
        process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _group(folder: Path) -> int:
    # "pid (command) state parent group ...": the command may hold blanks and brackets itself.
    return int((folder / "stat").read_text().rpartition(")")[2].split()[2])


def _memory(folder: Path) -> Memory:
    fields = {}
    for line in (folder / "smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        fields[name] = int(rest.split()[0]) / 1024
    return Memory(int(folder.name), fields["Rss"], fields["Pss"])
