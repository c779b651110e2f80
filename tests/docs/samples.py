"""Finds the samples in a page of the docs and runs them in a shell; it knows no page's content.

A block ```sh 201 409``` is run; the numbers are the statuses its curl calls must get. A block
```json``` after it is what its last call answers.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import processes

SHOWN_ADDRESS = "http://127.0.0.1:8000"
PATIENCE_SECONDS = 60
_BLOCK = re.compile(
    r"^```(?P<kind>\w+)(?P<told>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)

# Values that are others on each run; everything else in a shown answer must be what was answered.
VOLATILE = {
    *("id", "event_id", "slug", "instance", "ticket_code", "manage_token"),
    *("created_at", "updated_at", "next_cursor"),
}


@dataclass
class Sample:
    """One block of commands, the statuses its calls shall get, and the answer that is shown."""

    commands: str
    statuses: list[int]
    shown: Any = None


@dataclass(frozen=True)
class Call:
    """What one call of curl got."""

    status: int
    body: str


def samples_of(page: str) -> list[Sample]:
    """The samples of a page that are to be run, in order."""
    found: list[Sample] = []
    for block in _BLOCK.finditer(page):
        statuses = [int(word) for word in block["told"].split()]
        if block["kind"] == "sh" and statuses:
            found.append(Sample(block["text"], statuses))
        elif block["kind"] == "json" and found:
            found[-1].shown = json.loads(block["text"])
    return found


def unmarked(page: str) -> list[str]:
    """Blocks that call curl but would not be run."""
    return [
        block["text"]
        for block in _BLOCK.finditer(page)
        if "curl " in block["text"] and not block["told"].split()
    ]


def run(samples: list[Sample], url: str, folder: Path) -> list[Call]:
    """Every call that the samples make, all in one shell, against the server at `url`."""
    calls = folder / "calls"
    calls.mkdir()
    curl = folder / "curl"
    # Beside what curl says, keep the head and the body of each answer.
    curl.write_text(
        "#!/bin/bash\n"
        f'n=$(printf %03d $(ls "{calls}" | grep -c head))\n'
        f'"{shutil.which("curl")}" -D "{calls}/$n.head" "$@" | tee "{calls}/$n.body"\n'
    )
    curl.chmod(0o755)
    script = "\n".join(sample.commands for sample in samples).replace(SHOWN_ADDRESS, url)
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=processes.environment({"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}),
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    return [
        Call(int(head.read_text().split()[1]), head.with_suffix(".body").read_text())
        for head in sorted(calls.glob("*.head"))
    ]


def steady(value: Any, name: str = "") -> Any:
    """`value` with the type's name in place of whatever is another on each run."""
    if name in VOLATILE and value is not None:
        return type(value).__name__
    if isinstance(value, dict):
        return {key: steady(child, key) for key, child in value.items()}
    if isinstance(value, list):
        return [steady(child) for child in value]
    return value
