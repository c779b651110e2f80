"""The rules of the house as functions: files in, breaches out; which files, the tests decide."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.house import source
from tests.house.source import Breach

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40

WALL_CLOCKS = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
}
DRAWERS = {"util", "utils", "helper", "helpers", "common", "manager", "managers"}
MOCKS = ("unittest.mock", "mock", "pytest_mock")

# Put together from pieces, so that this file does not break the rules that it states.
_MARKS = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")
_UNFINISHED = re.compile(rf"\b({'|'.join(_MARKS)})\b")
_FOLDERS = ("wo" + "rk", "tmp/bo" + "ot", "ro" + "ot", r"home/\w+", r"Users/\w+")
_MACHINE_PATH = re.compile(rf"(?<![\w.~$}}-])/({'|'.join(_FOLDERS)})/")
_HOSTS = (
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("registry", "npmjs", "org"),
    ("registry", "yarnpkg", "com"),
    ("proxy", "golang", "org"),
    ("crates", "io"),
)
_ANY_HOST = "|".join(re.escape(".".join(parts)) for parts in _HOSTS)
_REGISTRIES = re.compile(rf"(?<![\w-])(?:{_ANY_HOST})\b")
_CODES = r":\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*"
_DIRECTIVE = re.compile(
    rf"#*\s*(?:(?:ruff|flake8):\s*)?(?:noqa|type:\s*ignore)\b(?:{_CODES}|\[[^\]]*\])?"
)
_REASON = re.compile(r"\w+\W+\w+")
_SENTENCE = re.compile(r"\w+\W+\w+.*[.!?]", re.DOTALL)


def long_files(files: Sequence[Path]) -> Iterator[Breach]:
    """Files of more than MAX_FILE_LINES lines."""
    for path in files:
        count = len(path.read_text(encoding="utf-8").splitlines())
        if count > MAX_FILE_LINES:
            yield Breach(path, count, f"{count} lines")


def long_functions(files: Sequence[Path]) -> Iterator[Breach]:
    """Functions of more than MAX_FUNCTION_LINES lines from `def` to the end, docstring included."""
    for path in files:
        for function in source.functions(path):
            count = (function.end_lineno or function.lineno) - function.lineno + 1
            if count > MAX_FUNCTION_LINES:
                yield Breach(path, function.lineno, f"{function.name} has {count} lines")


def undescribed_modules(files: Sequence[Path]) -> Iterator[Breach]:
    """Modules without a sentence that says what they are for."""
    for path in files:
        if path.name != "__init__.py":
            text = ast.get_docstring(source.tree(path)) or ""
            if not _SENTENCE.search(text):
                yield Breach(path, 1, "no sentence at the top says what this is for")


def filled_package_files(files: Sequence[Path]) -> Iterator[Breach]:
    """`__init__.py` files with anything in them: names live in the file that is called so."""
    for path in files:
        if path.name == "__init__.py" and path.read_text(encoding="utf-8").strip():
            yield Breach(path, 1, "not empty")


def commits(files: Sequence[Path]) -> Iterator[Breach]:
    """Calls of anything named commit, and the statement itself in a string."""
    for path in files:
        for node in ast.walk(source.tree(path)):
            match node:
                case ast.Call(func=ast.Attribute(attr="commit") | ast.Name(id="commit")):
                    yield Breach(path, node.lineno, "commits")
                case ast.Constant(value=str(text)) if text.strip(" ;").upper() == "COMMIT":
                    yield Breach(path, node.lineno, "commits")
                case _:
                    pass


def wall_clocks(files: Sequence[Path]) -> Iterator[Breach]:
    """Uses of the wall clock, under whatever name it was imported."""
    for path in files:
        for line, name in source.references(path):
            if name in WALL_CLOCKS:
                yield Breach(path, line, f"asks {name} for the time")


def unexplained_ignores(files: Sequence[Path]) -> Iterator[Breach]:
    """Silenced checks without a reason of two words or more in the same comment."""
    for path in files:
        for line, comment in source.comments(path):
            rest, silenced = _DIRECTIVE.subn("", comment)
            if silenced and not _REASON.search(rest):
                yield Breach(path, line, f"no reason: {comment}")


def late_imports(files: Sequence[Path]) -> Iterator[Breach]:
    """Imports of the product's own modules inside a function, where no contract sees a cycle."""
    for path in files:
        inner = {id(node) for function in source.functions(path) for node in ast.walk(function)}
        for node, _, name in source.imported(path):
            if id(node) in inner and name.partition(".")[0] in {"turnout", ""}:
                yield Breach(path, node.lineno, f"imports {name} inside a function")


def mocks(files: Sequence[Path]) -> Iterator[Breach]:
    """Imports of a mocking library."""
    for path in files:
        for node, _, name in source.imported(path):
            if any(name == mock or name.startswith(f"{mock}.") for mock in MOCKS):
                yield Breach(path, node.lineno, f"imports {name}")


def unfinished(files: Sequence[Path]) -> Iterator[Breach]:
    """Marks of work that was put off."""
    yield from _matches(files, _UNFINISHED, "put off")


def machine_paths(files: Sequence[Path]) -> Iterator[Breach]:
    """Absolute paths that exist on the writer's machine alone."""
    yield from _matches(files, _MACHINE_PATH, "a path of one machine")


def registry_hosts(files: Sequence[Path]) -> Iterator[Breach]:
    """Hosts of package registries: whoever installs decides where packages come from."""
    yield from _matches(files, _REGISTRIES, "a registry's host")


def addresses(files: Sequence[Path]) -> Iterator[Breach]:
    """Addresses of any kind, for files that must name none."""
    yield from _matches(files, re.compile("://"), "an address")


def drawers(files: Sequence[Path], root: Path) -> Iterator[Breach]:
    """Folders and files, below `root`, whose name says nothing about what is in them."""
    for path in files:
        names = [part.partition(".")[0].lower() for part in path.relative_to(root).parts]
        for name in DRAWERS.intersection(names):
            yield Breach(path, 1, f"named {name}")


def bare_sessions(files: Sequence[Path]) -> Iterator[Breach]:
    """Variables and parameters named with the one word that has three meanings."""
    for path in files:
        for line, name in source.bound_names(path):
            if name == "session":
                yield Breach(path, line, "session: say db, sign_in or slot")


def _matches(files: Sequence[Path], pattern: re.Pattern[str], what: str) -> Iterator[Breach]:
    for path in files:
        text = path.read_text(encoding="utf-8")
        for found in pattern.finditer(text):
            yield Breach(path, source.line_of(text, found), f"{what}: {found[0]}")
