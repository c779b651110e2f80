"""The browser script finds a browser or says in one line why there is none, and never fails."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.house import tree

SKIPPED = "browser tests will be skipped: no Chromium on PATH, and "
NOTES_ITS_CALL = '#!/bin/sh\necho "$@" >> "$(dirname "$0")/called"\n'


def browser(folder: Path, **programs: str) -> str:
    """What the script prints when only these programs, the shell's and nobody else's exist."""
    for name in ("bash", "sh", "env", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or name)
    for name, text in programs.items():
        program = folder / name.replace("_", "-")
        program.write_text(text)
        program.chmod(0o755)
    result = subprocess.run(
        [folder / "bash", tree.ROOT / "scripts" / "browser.sh"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def as_user(number: int) -> str:
    return f"#!/bin/sh\necho {number}\n"


@pytest.mark.parametrize("name", ["chromium", "chromium_browser", "google_chrome"])
def test_browser_that_is_there_is_enough(name: str, tmp_path: Path) -> None:
    installer = {"apt_get": NOTES_ITS_CALL, "id": as_user(0)}

    said = browser(tmp_path, **{name: "#!/bin/sh\n"}, **installer)

    assert said == ""
    assert not (tmp_path / "called").exists()


def test_browser_without_apt_get_says_so(tmp_path: Path) -> None:
    said = browser(tmp_path)

    assert said == f"{SKIPPED}there is no apt-get to install one with\n"


def test_browser_without_the_right_to_install_says_so(tmp_path: Path) -> None:
    sudo = "#!/bin/sh\nexit 1\n"

    said = browser(tmp_path, apt_get=NOTES_ITS_CALL, id=as_user(1000), sudo=sudo)

    assert said == f"{SKIPPED}we are neither root nor allowed to use sudo without a password\n"
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        ("update", "apt-get update failed"),
        ("install", "apt-get could not install the package chromium"),
        ("nothing", "the package chromium brought none"),
    ],
)
def test_browser_that_cannot_be_installed_says_so(
    failing: str, reason: str, tmp_path: Path
) -> None:
    apt_get = f'#!/bin/sh\necho noise\ncase "$*" in *{failing}*) exit 100;; esac\n'

    said = browser(tmp_path, apt_get=apt_get, id=as_user(0))

    assert said == f"{SKIPPED}{reason}\n"


def test_browser_as_a_user_who_may_installs_chromium_quietly(tmp_path: Path) -> None:
    installs = (
        NOTES_ITS_CALL + 'echo "$DEBIAN_FRONTEND" >> "$(dirname "$0")/called"\n'
        f'case "$*" in *install*) {shutil.which("ln")} -s sh "$(dirname "$0")/chromium";; esac\n'
    )
    sudo = '#!/bin/sh\n[ "$1" = -n ] && shift && exec "$@"\n'
    true = "#!/bin/sh\n"

    said = browser(tmp_path, apt_get=installs, id=as_user(1000), sudo=sudo, true=true)

    update, front_end, install, _ = (tmp_path / "called").read_text().splitlines()
    assert said == ""
    assert front_end == "noninteractive"
    assert update.endswith(" update")
    assert install.endswith(" install -y --no-install-recommends chromium")
