"""A wrong setting is one clear line that names it; the secret key is made once and kept."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from turnout import settings as settings_
from turnout.cli import user_errors
from turnout.settings import Settings, SettingsError

SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a developer has set, or left in a file here, must not decide."""
    for name in os.environ:
        if name.startswith(settings_.PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


WRONG = [
    ("DATABASE_URL", "mysql://x/y", "must start with sqlite:/// or postgresql://"),
    ("DATABASE_URL", "turnout.db", "must start with sqlite:/// or postgresql://"),
    *(
        ("DATABASE_URL", url, "is not postgresql://user:password@host:port/name")
        for url in (
            f"postgresql://u:{SECRET}@host:port/x",
            f"postgresql://u:{SECRET}@host",
            f"postgresql://u:{SECRET}/x@host/db",
            "postgresql:///x",
            f"postgresql://u:{SECRET}@host:99999/x",
            f"postgresql://u:{SECRET}@[::1/x",
        )
    ),
    ("PGBOUNCER", "perhaps", "Input should be a valid boolean"),
    ("BASE_URL", "example.org", "must start with http:// or https://"),
    ("DEFAULT_TIMEZONE", "IST", "is not an IANA time zone such as Asia/Kolkata"),
    ("DEFAULT_TIMEZONE", "localtime", "is not an IANA time zone such as Asia/Kolkata"),
    ("OPEN_ACCESS", "2", "Input should be a valid boolean"),
    ("OPEN_ACCESS_ANYWHERE", "", "Input should be a valid boolean"),
    ("SECRET_KEY", SECRET, "must have at least 32 characters"),
    ("GEOCODER", "maps", "Input should be 'offline', 'google', 'nominatim' or 'photon'"),
    ("GEOCODER_URL", SECRET, "must start with https:// or http://"),
    ("GEOCODER_PER_MINUTE", "1", "Input should be greater than or equal to 2"),
    ("GEOCODER_PER_MINUTE", "many", "Input should be a valid integer"),
    ("RATE_LIMITS", "maybe", "Input should be 'on' or 'off'"),
    ("TRUSTED_PROXIES", "10.0.0.0/8, nonsense", "'nonsense' does not appear to be"),
    ("LOG_FORMAT", "xml", "Input should be 'auto', 'json' or 'human'"),
    ("COLOUR", "red", "there is no such setting"),
    ("SECRETKEY", SECRET, "there is no such setting"),
]


@pytest.mark.parametrize(("name", "value", "reason"), WRONG)
def test_setting_with_a_wrong_value_is_one_line_and_exit_status_two(
    name: str,
    value: str,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(f"TURNOUT_{name}", value)

    with pytest.raises(SystemExit) as ended:
        user_errors.settings_or_fail()

    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert said.err.startswith(f"turnout: TURNOUT_{name}: {reason}")
    assert said.err.count("\n") == 1
    assert SECRET not in said.err


def test_settings_with_several_wrong_values_name_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNOUT_LOG_FORMAT", "xml")
    monkeypatch.setenv("TURNOUT_BASE_URL", "x")

    with pytest.raises(SettingsError) as error:
        settings_.load()

    names = [part.split(":")[0] for part in str(error.value).split("; ")]
    assert sorted(names) == ["TURNOUT_BASE_URL", "TURNOUT_LOG_FORMAT"]


@pytest.mark.parametrize(
    "given",
    [
        {"geocoder": "google"},
        {"geocoder_key": SECRET},
        {"geocoder": "photon", "geocoder_key": SECRET},
        {"geocoder_url": "https://maps.example"},
    ],
)
def test_settings_of_a_geocoder_that_do_not_belong_together_are_refused(
    given: dict[str, str],
) -> None:
    with pytest.raises(SettingsError, match="TURNOUT_GEOCODER") as raised:
        settings_.load(**given)

    assert SECRET not in str(raised.value)


def test_settings_come_from_the_environment_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("TURNOUT_BASE_URL=http://file/\nTURNOUT_RATE_LIMITS=off\n")
    monkeypatch.setenv("TURNOUT_BASE_URL", "https://environment/")
    monkeypatch.setenv("TURNOUT_TRUSTED_PROXIES", "10.0.0.1, 10.1.0.0/16,")
    monkeypatch.setenv("TURNOUT_TEST_ANYTHING", "is for tests")

    loaded = settings_.load()

    assert (loaded.base_url, loaded.rate_limits) == ("https://environment", "off")
    assert loaded.trusted_proxies == ("10.0.0.1/32", "10.1.0.0/16")


def test_settings_alone_are_a_file_in_the_data_folder(tmp_path: Path) -> None:
    loaded = settings_.load(data_dir=Path("var"))

    assert loaded.database_url == f"sqlite:///{tmp_path / 'var' / 'turnout.db'}"
    assert (loaded.open_access, loaded.default_timezone) == (False, "Asia/Kolkata")


def test_settings_show_no_secret_when_they_are_printed() -> None:
    loaded = settings_.load(
        secret_key=SECRET * 3,
        admin_email="root@example.com",
        admin_password=SECRET,
        oidc_client_secret=SECRET,
        redis_url=f"redis://:{SECRET}@localhost",
        geocoder="google",
        geocoder_key=SECRET,
    )

    assert SECRET not in f"{loaded!r} {loaded}"


def test_secret_key_that_is_set_is_used_and_no_file_is_made(tmp_path: Path) -> None:
    given = Settings(_env_file=None, data_dir=tmp_path / "data", secret_key="k" * 32)

    assert settings_.secret_key(given) == b"k" * 32
    assert not (tmp_path / "data").exists()


def test_secret_key_that_is_not_set_is_made_for_its_owner_alone_and_kept(tmp_path: Path) -> None:
    alone = Settings(_env_file=None, data_dir=tmp_path / "data")

    first, second = settings_.secret_key(alone), settings_.secret_key(alone)

    path = tmp_path / "data" / "secret.key"
    other = settings_.secret_key(Settings(_env_file=None, data_dir=tmp_path / "other"))
    assert first == second == path.read_bytes()
    assert (len(first), first == other) == (64, False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["secret.key"]


def test_secret_key_that_was_cut_short_is_refused_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("short")

    with pytest.raises(SettingsError, match="restore it from a backup"):
        settings_.secret_key(Settings(_env_file=None, data_dir=tmp_path))

    assert (tmp_path / "secret.key").read_text() == "short"


MAKE = """
import sys
from pathlib import Path
from turnout import settings
mine = settings.Settings(data_dir=Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(settings.secret_key(mine).decode())
"""


async def test_secret_key_of_processes_that_start_at_once_is_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(tmp_path / "data")]
    pipe = subprocess.PIPE

    running = [
        await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe) for _ in range(3)
    ]
    for process in running:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    said = await asyncio.gather(*(process.communicate(b"go\n") for process in running))

    keys = {out.decode().strip() for out, _ in said}
    assert keys == {(tmp_path / "data" / "secret.key").read_text()}
