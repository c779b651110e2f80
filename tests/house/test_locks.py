"""The check of the locks accepts the lock that is there and names each thing that can be wrong."""

import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from scripts import check_locks
from tests.house import tree

HASH = "--hash=sha256:" + "0a" * 32
TWO_PLATFORMS = f"""\
thing==1.0 ; sys_platform == 'win32' \\
    {HASH}
    # via turnout (pyproject.toml)
thing==2.1 ; sys_platform != 'win32' \\
    {HASH} \\
    {HASH}
"""
CASES = [
    ("thing>=1", TWO_PLATFORMS, []),
    ("Thing[extra]", f"thing[extra]==1.0 \\\n    {HASH}\n", []),
    ("th_ing==1.0", f"th-ing==1.0 {HASH}", []),
    ("other==1.0", f"thing==1.0 {HASH}", ["other==1.0 is not in the lock"]),
    ("thing==2.1", TWO_PLATFORMS, ["thing==2.1 is locked at 1.0"]),
    ("thing", f"thing>=1.0 {HASH}", ["thing is not pinned with =="]),
    ("thing", f"thing==1.* {HASH}", ["thing is not pinned with =="]),
    ("thing", "thing==1.0", ["thing has no sha256 hash, or a hash of another kind"]),
    (
        "thing",
        f"thing==1.0 {HASH} --hash=md5:" + "0a" * 16,
        ["thing has no sha256 hash, or a hash of another kind"],
    ),
]


@pytest.mark.parametrize(("wanted", "lock", "expected"), CASES)
def test_complaints_about_a_lock_are_these_alone(
    wanted: str, lock: str, expected: list[str]
) -> None:
    entries = check_locks.read_lock(lock)

    assert list(check_locks.complaints([Requirement(wanted)], entries)) == expected


def test_requirements_of_the_project_are_its_own_and_those_for_development() -> None:
    text = '[project]\ndependencies = ["a==1"]\n[dependency-groups]\ndev = ["b"]\nother = ["c"]\n'

    wanted = check_locks.requirements(tomllib.loads(text))

    assert [str(requirement) for requirement in wanted] == ["a==1", "b"]


def test_check_locks_over_the_tree_has_no_complaint() -> None:
    result = subprocess.run(
        [sys.executable, "scripts/check_locks.py"],
        cwd=tree.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
