"""Brings the files of others that the pages need, or checks the committed ones against a list.

`vendor.py` packs each package of MANIFEST.json with npm in a temporary folder and copies the files
that are listed, if their hashes are the listed ones. `vendor.py --check` asks no network.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "src" / "turnout" / "web" / "static" / "vendor"
MANIFEST = VENDOR / "MANIFEST.json"


@dataclass(frozen=True, slots=True)
class Package:
    """One npm package and those of its files that are kept: name to SHA-256, in hexadecimal."""

    name: str
    version: str
    licence: str
    folder: str
    files: dict[str, str]


def packages(manifest: Path) -> list[Package]:
    """What the manifest lists."""
    return [Package(**entry) for entry in json.loads(manifest.read_text("utf-8"))["packages"]]


def faults(vendor: Path) -> Iterator[str]:
    """A line for each file below `vendor` that is missing, changed, or not in its manifest."""
    listed = {Path("MANIFEST.json")}
    for package in packages(vendor / "MANIFEST.json"):
        for name, wanted in package.files.items():
            path = Path(package.folder) / name
            listed.add(path)
            if not (vendor / path).is_file():
                yield f"{path}: missing"
            elif digest((vendor / path).read_bytes()) != wanted:
                yield f"{path}: differs from the manifest"
    for found in sorted(vendor.rglob("*")):
        if found.is_file() and found.relative_to(vendor) not in listed:
            yield f"{found.relative_to(vendor)}: not in the manifest"


def digest(content: bytes) -> str:
    """The SHA-256 of `content`, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def bring(package: Package, vendor: Path) -> None:
    """Copy the package's listed files below `vendor`; ends the program where a hash differs."""
    for name, content in _packed(package).items():
        if digest(content) != package.files[name]:
            sys.exit(f"{package.name} {package.version}: {name} is not the file that was listed")
        path = vendor / package.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _packed(package: Package) -> dict[str, bytes]:
    """The listed files as npm has them."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        [archive] = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            return {name: _member(tar, f"package/{name}") for name in package.files}


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        sys.exit(f"{name} is no file in the package")
    return file.read()


def main() -> None:
    """Bring everything, unless `--check` was said; then check either way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only look, without a network")
    if not parser.parse_args().check:
        for package in packages(MANIFEST):
            bring(package, VENDOR)
    found = list(faults(VENDOR))
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
