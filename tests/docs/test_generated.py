"""What the docs say of the product is what the product says, and no link leads nowhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import generate_docs
from tests.house import tree

DOCS = tree.ROOT / "docs"
_LINK = re.compile(r"\]\((?P<path>[^)\s#]*)(?:#(?P<anchor>[\w-]+))?\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"`((?:src|tests|scripts|benchmarks)/[\w/.-]+\.py)`")
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "Check"]


def pages() -> list[Path]:
    return [*sorted(DOCS.rglob("*.md")), *sorted(tree.ROOT.glob("*.md"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(tree.ROOT))


def broken_links(page: Path) -> list[str]:
    """The links to files of ours, or to headings in them, that are not there."""
    broken = []
    for link in _LINK.finditer(_CODE.sub("", page.read_text("utf-8"))):
        if "://" in link["path"]:
            continue
        target = page.parent / link["path"] if link["path"] else page
        if not target.exists() or (link["anchor"] and link["anchor"] not in anchors(target)):
            broken.append(link[0])
    return broken


def anchors(page: Path) -> list[str]:
    """The names of a page's headings, as they stand in addresses."""
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]


@pytest.mark.parametrize("name", ["generate_docs.py", "generate_postman.py"])
def test_generated_pages_are_current(name: str) -> None:
    script = tree.ROOT / "scripts" / name

    checked = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_stale_page_is_named(tmp_path: Path) -> None:
    for name, make in generate_docs.PAGES.items():
        (tmp_path / name).write_text(make(), "utf-8")
    (tmp_path / "cli.md").write_text("# Command line\n")
    (tmp_path / "schema.sql").unlink()

    assert generate_docs.stale(tmp_path) == ["schema.sql", "cli.md"]


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_page_has_no_broken_link(page: Path) -> None:
    assert broken_links(page) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# One thing\n")
    page = tmp_path / "page.md"
    page.write_text("[a](other.md#one-thing) [b](none.md) [c](other.md#two) `[d](none.md)` [e](#x)")

    assert broken_links(page) == ["](none.md)", "](other.md#two)", "](#x)"]


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_page_names_only_files_that_exist(page: Path) -> None:
    named = _NAMED.findall(page.read_text("utf-8"))

    assert [path for path in named if not (tree.ROOT / path).is_file()] == []


def test_decisions_are_numbered_short_and_of_one_form() -> None:
    records = sorted((DOCS / "decisions").glob("*.md"))

    assert [path.name[:4] for path in records] == [f"{n + 1:04}" for n in range(len(records))]
    for path in records:
        text = path.read_text("utf-8")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS, path.name
        assert text.startswith(f"# {path.name[:4]}: ")
        assert len(text.splitlines()) <= 40, path.name
        assert len(re.findall(r"\*\*.+?\*\*", text, re.DOTALL)) == 1, path.name
