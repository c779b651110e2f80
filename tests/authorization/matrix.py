"""Reads matrix.toml; it knows how a cell is written, and sends nothing."""

import base64
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CALLERS = ("AN", "AT", "AO", "GU", "CS", "CO", "OO", "OX", "AD")
SAFE = "GET"
_FILE = Path(__file__).with_name("matrix.toml")


@dataclass(frozen=True, slots=True)
class Cell:
    """One address of a call, with gaps for ids, and the status for each caller."""

    address: str
    statuses: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Call:
    """One route with one kind of body."""

    name: str
    method: str
    path: str
    row: int | str
    scope: str
    is_page: bool
    body: Mapping[str, Any] | None
    form: Mapping[str, str] | None
    content: bytes | None
    why: str
    cells: tuple[Cell, ...]

    @property
    def route(self) -> tuple[str, str]:
        """What the application knows it by."""
        return self.method, self.path

    @property
    def needs_scope(self) -> bool:
        """Whether an API token has to be for something to be let in."""
        return self.scope not in {"none", "ignored"}

    @property
    def looks_at_callers(self) -> bool:
        """Whether it makes any difference which credential is sent."""
        return self.is_page or self.scope != "ignored"

    @property
    def is_change(self) -> bool:
        """Whether it may change something."""
        return self.method != SAFE


@cache
def calls() -> tuple[Call, ...]:
    """All entries of the file, in its order."""
    entries = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(_call(name, entry) for name, entry in entries.items())


def _call(name: str, entry: Mapping[str, Any]) -> Call:
    known = {"row", "scope", "page", "body", "form", "content", "why", "cells"}
    assert set(entry) <= known, (name, set(entry) - known)
    method, path = name.split(" ")[:2]
    return Call(
        name, method, path, entry["row"], entry["scope"], entry.get("page", False),
        entry.get("body"), entry.get("form"), _decoded(entry.get("content")), entry.get("why", ""),
        tuple(_cell(address, statuses) for address, statuses in entry["cells"]),
    )  # fmt: skip


def _decoded(content: str | None) -> bytes | None:
    return None if content is None else base64.b64decode(content)


def _cell(address: str, statuses: str) -> Cell:
    pairs = zip(CALLERS, map(int, statuses.split()), strict=True)
    return Cell(address, dict(pairs))
