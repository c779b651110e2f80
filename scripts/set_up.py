"""Makes the virtual environment from the hash-locked requirements, with nothing but python3."""

import subprocess
import sys
import venv
from pathlib import Path

OLDEST_PYTHON = (3, 11)


def main() -> None:
    """Create the environment named first, install the lock named second, then the product."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(
            f"Turnout needs Python 3.11 or newer; this is {sys.version.split()[0]}. "
            "Name another: make PYTHON=python3.12 ..."
        )
    folder, lock = Path(sys.argv[1]), Path(sys.argv[2])
    venv.EnvBuilder(with_pip=True, upgrade_deps=False, clear=folder.exists()).create(folder)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-e", "."], check=True)


if __name__ == "__main__":
    main()
