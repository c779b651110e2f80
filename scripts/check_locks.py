"""Says whether the lock holds every requirement of pyproject.toml, pinned and hashed; no more."""

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
GROUP = "dev"
_HASH = re.compile(r"\s--hash=(\S+)")
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One package of a lock: its name as PyPA normalizes it, the pin, and the hashes as written.

    `version` is None when the entry is not pinned with `==`. A universal lock may hold several
    entries of one name, for different platforms.
    """

    name: str
    version: Version | None
    hashes: tuple[str, ...]


def read_lock(text: str) -> list[Entry]:
    """The entries of a requirements file; InvalidRequirement for a line that is none."""
    joined = re.sub(r"\\\n", " ", text)
    lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines()]
    return [_entry(line) for line in lines if line]


def _entry(line: str) -> Entry:
    requirement = Requirement(_HASH.sub("", line).strip())
    pinned = re.fullmatch(r"==([^*]+)", str(requirement.specifier))
    return Entry(
        canonicalize_name(requirement.name),
        Version(pinned[1]) if pinned else None,
        tuple(_HASH.findall(line)),
    )


def requirements(project: Mapping[str, Any], group: str = GROUP) -> list[Requirement]:
    """What a parsed pyproject.toml asks for: its dependencies and those of one group.

    KeyError when it has no such table.
    """
    wanted = (*project["project"]["dependencies"], *project["dependency-groups"][group])
    return [Requirement(line) for line in wanted]


def complaints(wanted: Sequence[Requirement], lock: Sequence[Entry]) -> Iterator[str]:
    """One sentence for everything that is wrong with the lock."""
    held: dict[str, list[Entry]] = defaultdict(list)
    for entry in lock:
        held[entry.name].append(entry)
        if entry.version is None:
            yield f"{entry.name} is not pinned with =="
        if not entry.hashes or not all(map(_SHA256.fullmatch, entry.hashes)):
            yield f"{entry.name} has no sha256 hash, or a hash of another kind"
    for requirement in wanted:
        entries = held[canonicalize_name(requirement.name)]
        if not entries:
            yield f"{requirement} is not in the lock"
        for entry in entries:
            if entry.version and not _satisfies(entry.version, requirement.specifier):
                yield f"{requirement} is locked at {entry.version}"


def _satisfies(version: Version, specifier: SpecifierSet) -> bool:
    return specifier.contains(version, prereleases=True)


def main() -> None:
    """Exit with 1 and the complaints when the lock does not fit, silently with 0 when it does."""
    lock = ROOT / "requirements" / f"{GROUP}.lock"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    try:
        found = list(complaints(requirements(project), read_lock(lock.read_text(encoding="utf-8"))))
    except InvalidRequirement as error:
        found = [f"not a requirement: {error}"]
    for line in found:
        print(f"{lock.name}: {line}", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
