"""The guide to backups brings everything back that was there, and the same code on each ticket."""

import re
import subprocess
import sys
from pathlib import Path

import httpx2
from tests.factories import ADA, an_event
from tests.house import tree
from tests.support import processes, product

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_back_up_and_restore_as_the_guide_says(tmp_path: Path) -> None:
    page = (tree.ROOT / "docs" / "how-to" / "back-up.md").read_text("utf-8")
    back_up, restore, *_ = _BLOCK.findall(page)
    with product.served(tmp_path) as server:
        attendees = registered(server.url)
        type_in(back_up, tmp_path)
        httpx2.post(attendees.replace("attendees", "register"), json=GRACE).raise_for_status()
        before = httpx2.get(attendees).json()["items"]

    said = type_in(restore, tmp_path)
    with product.served(tmp_path) as server:
        after = httpx2.get(server.url + httpx2.URL(attendees).path).json()["items"]

    assert [person["name"] for person in before] == ["Ada Lovelace", "Grace Hopper"]
    assert after == before[:1]
    assert "ok    seats: " in said
    assert [line[:4] for line in said.splitlines()] == ["ok  "] * len(said.splitlines())


GRACE = {"name": "Grace Hopper", "email": "grace@example.com"}


def registered(url: str) -> str:
    """The address of the list of those who come to a new event, with Ada on it."""
    event = httpx2.post(f"{url}/events", json=an_event()).raise_for_status().json()
    httpx2.post(f"{url}/events/{event['id']}/register", json=ADA).raise_for_status()
    return f"{url}/events/{event['id']}/attendees"


def type_in(commands: str, folder: Path) -> str:
    """What the commands print, run in `folder` with this environment's programs."""
    programs = f"{Path(sys.executable).parent}/"
    done = subprocess.run(
        ["bash", "-euc", commands.replace(".venv/bin/", programs)],
        cwd=folder,
        env=processes.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
