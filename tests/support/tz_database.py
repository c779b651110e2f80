"""A tz database of a later day, for another process: some zones have other rules there."""

import shutil
import struct
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

VERSION = "2199z"


def later(folder: Path, rules: Mapping[str, str], *, version: str = VERSION) -> dict[str, str]:
    """The environment of a process that uses it instead of the installed one.

    `rules` are POSIX TZ strings by zone: `CET-1` has no summer time. They hold for all times.
    """
    with resources.as_file(resources.files("tzdata")) as installed:
        shutil.copytree(installed, folder / "tzdata", ignore=shutil.ignore_patterns("*.pyc"))
    zones = folder / "tzdata" / "zoneinfo"
    for name, rule in rules.items():
        (zones / name).write_bytes(compiled(rule))
    source = zones / "tzdata.zi"
    _, _, rest = source.read_text(encoding="utf-8").partition("\n")
    source.write_text(f"# version {version}\n{rest}", encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def compiled(rule: str) -> bytes:
    """A TZif file (RFC 9636) without any transition, so that its footer says everything."""
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    header = b"TZif2" + bytes(15) + counts
    block = struct.pack(">lbb", 0, 0, 0) + b"LMT\0"
    return header + block + header + block + b"\n" + rule.encode() + b"\n"
