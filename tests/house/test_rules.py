"""The tree keeps the rules of the house, and each rule notices when it is broken."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.house import rules, tree
from tests.house.source import Breach

Rule = Callable[[Sequence[Path]], Iterator[Breach]]

CLOCK = tree.ROOT / "src" / "turnout" / "clock.py"


def everywhere_but_the_clock() -> list[Path]:
    return [path for path in tree.modules() if path != CLOCK]


def outside_the_database_floor() -> list[Path]:
    return tree.product(but="db")


def requirements() -> list[Path]:
    return tree.under("requirements")


SCOPES: list[tuple[Rule, Callable[[], list[Path]]]] = [
    (rules.long_files, tree.code),
    (rules.long_functions, tree.modules),
    (rules.undescribed_modules, tree.modules),
    (rules.filled_package_files, tree.modules),
    (rules.commits, outside_the_database_floor),
    (rules.wall_clocks, everywhere_but_the_clock),
    (rules.unexplained_ignores, tree.modules),
    (rules.late_imports, tree.product),
    (rules.mocks, tree.modules),
    (rules.unfinished, tree.code),
    (rules.machine_paths, tree.text_files),
    (rules.registry_hosts, tree.text_files),
    (rules.addresses, requirements),
    (rules.bare_sessions, tree.product),
]

SAID = '"""A module that says what it is for."""\n'
MARK = "TO" + "DO"
BREAKING: list[tuple[Rule, str]] = [
    (rules.long_files, "x = 1\n" * 401),
    (rules.long_functions, "def long():\n" + "    x = 1\n" * 40),
    (rules.long_functions, "class A:\n    async def long(self):\n" + "        x = 1\n" * 40),
    (rules.undescribed_modules, "x = 1\n"),
    (rules.undescribed_modules, '"""Helpers"""\n'),
    (rules.undescribed_modules, '"""rules."""\n'),
    (rules.commits, "async def f(db):\n    await db.commit()\n"),
    (rules.commits, "def f(db):\n    db.connection.commit()\n"),
    (rules.commits, "def f(db):\n    db.execute('commit;')\n"),
    (rules.wall_clocks, "import datetime\nx = datetime.datetime.now(datetime.UTC)\n"),
    (rules.wall_clocks, "import datetime as dt\nx = dt.datetime.utcnow()\n"),
    (rules.wall_clocks, "from datetime import datetime\nx = dict(default=datetime.now)\n"),
    (rules.wall_clocks, "from datetime import date as day\nx = day.today()\n"),
    (rules.wall_clocks, "import time\nx = time.time()\n"),
    (rules.wall_clocks, "from time import time as t\nx = t()\n"),
    (rules.unexplained_ignores, "x = 1  # noqa\n"),
    (rules.unexplained_ignores, "x = 1  # noqa: S101, E501\n"),
    (rules.unexplained_ignores, "# ruff: noqa: S101\n"),
    (rules.unexplained_ignores, "x = 1  # type: ignore[arg-type]\n"),
    (rules.unexplained_ignores, "x = 1  # type: ignore  # noqa: S101 - why\n"),
    (rules.late_imports, "def f():\n    from turnout import clock\n"),
    (rules.late_imports, "async def f():\n    if 1:\n        import turnout.clock\n"),
    (rules.late_imports, "class A:\n    def f(self):\n        from . import clock\n"),
    (rules.mocks, "from unittest import mock\n"),
    (rules.mocks, "from unittest.mock import patch\n"),
    (rules.mocks, "import unittest.mock as m\n"),
    (rules.unfinished, f"x = 1  # {MARK}: later\n"),
    (rules.unfinished, "x = 1  # " + "FIX" + "ME\n"),
    (rules.machine_paths, "x = '/" + "wo" + "rk/main/x'\n"),
    (rules.machine_paths, "see /" + "tmp/bo" + "ot/x\n"),
    (rules.machine_paths, "PATH=/" + "home" + "/ada/bin\n"),
    (rules.registry_hosts, "--index-url https://" + "py" + "pi.org/simple\n"),
    (rules.registry_hosts, "https://files." + "python" + "hosted.org/x\n"),
    (rules.addresses, "wheel @ https://example.org/wheel.whl\n"),
    (rules.bare_sessions, "def f(session): ...\n"),
    (rules.bare_sessions, "with open('x') as session: ...\n"),
    (rules.bare_sessions, "class A:\n    def f(self):\n        self.session = 1\n"),
    (rules.bare_sessions, "from turnout import db as session\n"),
    (rules.bare_sessions, "x = lambda *, session=None: 1\n"),
    (rules.bare_sessions, "for session in (): ...\n"),
]

KEEPING: list[tuple[Rule, str]] = [
    (rules.long_files, "x = 1\n" * 400),
    (rules.long_functions, "def long():\n" + "    x = 1\n" * 39),
    (rules.undescribed_modules, SAID),
    (rules.filled_package_files, "x = 1\n"),
    (rules.commits, "def f(db):\n    x = 'we commit to it'\n    return committed()\n"),
    (rules.wall_clocks, "import time\nx = time.monotonic() + time.perf_counter()\n"),
    (rules.wall_clocks, "from turnout import clock\nx = clock.now()\n"),
    (rules.unexplained_ignores, "x = 1  # noqa: S101 - a loopback port\n"),
    (rules.unexplained_ignores, "x = 1  # type: ignore[arg-type]  # the stub is too narrow\n"),
    (rules.unexplained_ignores, "x = '# noqa'\n"),
    (rules.late_imports, "import turnout.clock\ndef f():\n    import json\n"),
    (rules.mocks, "import unittest\nfrom turnout import mockery\n"),
    (rules.unfinished, "x = 'todos and methods'\n"),
    (rules.machine_paths, "see src/turnout/, ~/" + "wo" + "rk/x and /events/home/\n"),
    (rules.registry_hosts, "https://example.org/happypi.organic\n"),
    (rules.addresses, "aiosqlite==0.22.1 # via turnout\n"),
    (rules.bare_sessions, "from turnout.db import session\nx = session.Session\n"),
]


def rule_name(value: object) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize(("rule", "scope"), SCOPES, ids=rule_name)
def test_tree_keeps_the_rule(rule: Rule, scope: Callable[[], list[Path]]) -> None:
    files = scope()

    breaches = [str(breach) for breach in rule(files)]

    assert files, "a rule over no files proves nothing"
    assert breaches == []


@pytest.mark.parametrize(("rule", "text"), BREAKING, ids=rule_name)
def test_rule_with_a_breach_planted_finds_that_one(rule: Rule, text: str, tmp_path: Path) -> None:
    planted, sound = tmp_path / "planted.py", tmp_path / "sound.py"
    planted.write_text(text)
    sound.write_text(SAID)

    breaches = list(rule([sound, planted]))

    assert [breach.path for breach in breaches] == [planted]


@pytest.mark.parametrize(("rule", "text"), KEEPING, ids=rule_name)
def test_rule_with_what_only_looks_like_a_breach_is_silent(
    rule: Rule, text: str, tmp_path: Path
) -> None:
    sound = tmp_path / "sound.py"
    sound.write_text(text)

    assert list(rule([sound])) == []


def test_every_rule_has_a_scope_a_breach_and_a_look_alike() -> None:
    scoped = {rule for rule, _ in SCOPES}
    defined = {
        value
        for name, value in vars(rules).items()
        if getattr(value, "__module__", "") == rules.__name__ and not name.startswith("_")
    }

    assert scoped == defined - {rules.drawers}
    assert {rule for rule, _ in BREAKING} == scoped - {rules.filled_package_files}
    assert {rule for rule, _ in KEEPING} == scoped


def test_package_file_with_a_line_in_it_is_found(tmp_path: Path) -> None:
    filled = tmp_path / "__init__.py"
    filled.write_text("from turnout.clock import now\n")

    breaches = list(rules.filled_package_files([filled]))

    assert [breach.path for breach in breaches] == [filled]


def test_tree_has_no_file_or_folder_named_after_nothing() -> None:
    breaches = [str(breach) for breach in rules.drawers(tree.every_file(), tree.ROOT)]

    assert breaches == []


@pytest.mark.parametrize("name", ["utils.py", "common/x.py", "events/helpers.py", "Manager.js"])
def test_drawer_with_such_a_name_planted_is_found(name: str, tmp_path: Path) -> None:
    planted, sound = tmp_path / name, tmp_path / "commonplace.py"

    breaches = list(rules.drawers([planted, sound], tmp_path))

    assert [breach.path for breach in breaches] == [planted]


def test_product_but_a_folder_leaves_out_that_folder_alone() -> None:
    left_out = set(tree.product()) - set(tree.product(but="db"))

    assert left_out
    assert {path.parent.name for path in left_out} == {"db"}
