"""Whether names stand in the reference and are used; it does not know which names those are."""

import ast
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.house import source


def unmentioned(names: Iterable[str], page: Path) -> list[str]:
    """The names that `page` does not hold as whole words; FileNotFoundError without the page.

    A hyphen or a dot belongs to the word: `event-not-found` does not mention `not-found`.
    """
    text = page.read_text(encoding="utf-8")
    return [
        name
        for name in names
        if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text)
    ]


def unread(names: Iterable[str], files: Sequence[Path]) -> list[str]:
    """The names that no file reads as an attribute (`settings.base_url`)."""
    read = {
        node.attr
        for path in files
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    return [name for name in names if name not in read]
