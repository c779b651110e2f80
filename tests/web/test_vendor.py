"""The vendored files are the ones that the manifest lists, and a changed one is noticed."""

import json
import subprocess
import sys
from pathlib import Path

from scripts import vendor
from tests.house import tree


def planted(folder: Path) -> Path:
    (folder / "a").mkdir()
    (folder / "a" / "kept.js").write_bytes(b"kept")
    (folder / "a" / "changed.js").write_bytes(b"changed by someone")
    (folder / "a" / "extra.js").write_bytes(b"")
    hashes = {name: vendor.digest(name.partition(".")[0].encode()) for name in NAMES}
    package = {"name": "a", "version": "1", "licence": "MIT", "folder": "a", "files": hashes}
    (folder / "MANIFEST.json").write_text(json.dumps({"packages": [package]}))
    return folder


NAMES = ["kept.js", "changed.js", "missing.js"]


def test_vendored_files_are_those_of_the_manifest() -> None:
    script = tree.ROOT / "scripts" / "vendor.py"

    checked = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_vendored_packages_keep_their_licence() -> None:
    for package in vendor.packages(vendor.MANIFEST):
        assert package.licence
        assert "LICENSE" in package.files


def test_faults_of_a_changed_folder_are_named(tmp_path: Path) -> None:
    found = list(vendor.faults(planted(tmp_path)))

    assert found == [
        "a/changed.js: differs from the manifest",
        "a/missing.js: missing",
        "a/extra.js: not in the manifest",
    ]
