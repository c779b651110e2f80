"""The import contracts are alive: an import that points up the floors fails the check."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.house import tree


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts over the copy below `root`, and not over the installed product."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_lint_imports_with_an_upward_import_planted_names_it(tmp_path: Path) -> None:
    shutil.copy(tree.ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(tree.ROOT / "src", tmp_path / "src")
    lowest = tmp_path / "src" / "turnout" / "ids.py"
    lowest.write_text(lowest.read_text() + "\nimport turnout.cli\n")

    result = lint_imports(tmp_path)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "turnout.ids -> turnout.cli" in result.stdout
