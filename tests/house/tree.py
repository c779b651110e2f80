"""Which files the house rules look at; it does not know the rules."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSES = ("src", "tests", "benchmarks", "scripts")
VENDORED = "vendor"
CODE_ENDINGS = (".py", ".sh", ".html", ".css", ".js", ".mako")


@cache
def every_file() -> tuple[Path, ...]:
    """All files that git tracks or would track, as they are in the working tree."""
    # Whoever owns the checkout: in containers it is often another user than the one who tests.
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(
        [*git, "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = sorted(set(filter(None, listed.stdout.split("\0"))))
    return tuple(path for name in names if (path := ROOT / name).is_file())


def text_files() -> list[Path]:
    """The files that can be read as UTF-8 and hold no NUL."""
    return [path for path in every_file() if _is_text(path)]


def code() -> list[Path]:
    """Our own programs, pages and styles; what others wrote is vendored and not ours to judge."""
    return [path for path in under(*HOUSES) if path.suffix in CODE_ENDINGS]


def modules() -> list[Path]:
    """Every Python file of the four houses."""
    return [path for path in code() if path.suffix == ".py"]


def product(*, but: str | None = None) -> list[Path]:
    """The Python files of the product, without those below the folder or file `but`."""
    return [
        path
        for path in under("src")
        if path.suffix == ".py"
        and (but is None or not path.is_relative_to(ROOT / "src" / "turnout" / but))
    ]


def under(*folders: str) -> list[Path]:
    """Our own files below the folders of the root that are named."""
    return [
        path
        for path in every_file()
        if path.relative_to(ROOT).parts[0] in folders and VENDORED not in path.parts
    ]


def _is_text(path: Path) -> bool:
    try:
        return "\0" not in path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
