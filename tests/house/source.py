"""Reads Python source for the house rules: names, functions, comments; it judges nothing."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Breach:
    """One place where a rule is broken: the file, the line counted from 1, and what is wrong."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file; SyntaxError when it is none."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(path: Path) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield node


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each comment; what only looks like one within a string is none."""
    text = io.StringIO(path.read_text(encoding="utf-8"))
    for token in tokenize.generate_tokens(text.readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def imported(path: Path) -> Iterator[tuple[ast.stmt, str, str]]:
    """Each import as its statement, the local name, and the dotted name that was imported."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield node, name.asname or name.name, name.name
            case ast.ImportFrom(names=names, module=module, level=level):
                base = "." * level + (module or "")
                for name in names:
                    yield node, name.asname or name.name, f"{base}.{name.name}"


def references(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name (imports resolved) of each name or attribute that is read."""
    # `import a.b` binds only `a`, so there the first part already is what it stands for.
    origins = {local: full for _, local, full in imported(path) if "." not in local}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name | ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            origin = origins.get(first, first)
            yield node.lineno, f"{origin}.{rest}" if rest else origin


def bound_names(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of each variable, parameter and import alias that the file makes."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.arg(arg=name, lineno=line):
                yield line, name
            case ast.Name(id=name, ctx=ast.Store(), lineno=line):
                yield line, name
            case ast.Attribute(attr=name, ctx=ast.Store(), lineno=line):
                yield line, name
            case ast.alias(asname=str(name), lineno=line):
                yield line, name
            case ast.ExceptHandler(name=str(name), lineno=line):
                yield line, name
            case ast.MatchAs(name=str(name), lineno=line):
                yield line, name
            case _:
                pass


def line_of(text: str, found: re.Match[str]) -> int:
    """The line, counted from 1, on which a match starts."""
    return text.count("\n", 0, found.start()) + 1
