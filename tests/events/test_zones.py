"""Which names of time zones are accepted, what they are kept as, and whose database answers."""

import importlib
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest

import turnout.clock as _clock  # noqa: F401 - the product always runs with its search path
from turnout.errors import FieldError
from turnout.events import zones
from turnout.events.errors import InvalidTimezone

PLACES = [
    "Africa/Cairo",
    "America/Argentina/Buenos_Aires",
    "America/Vancouver",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Atlantic/Reykjavik",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Oslo",
    "Europe/Stockholm",
    "Pacific/Kiritimati",
    "UTC",
]

ALIASES = [
    ("Asia/Calcutta", "Asia/Kolkata"),
    ("Asia/Katmandu", "Asia/Kathmandu"),
    ("Asia/Saigon", "Asia/Ho_Chi_Minh"),
    ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("America/Montreal", "America/Toronto"),
    ("Canada/Pacific", "America/Vancouver"),
    ("Etc/UTC", "UTC"),
    ("Europe/Kiev", "Europe/Kyiv"),
    ("Europe/Belfast", "Europe/London"),
    ("GB", "Europe/London"),
    ("Iceland", "Atlantic/Reykjavik"),
    ("NZ", "Pacific/Auckland"),
    ("US/Eastern", "America/New_York"),
]

REFUSED: list[object] = [
    *("", " ", "Europe", "Europe/", "Mars/X", "europe/berlin", "Europe/Berlin ", " Europe/Berlin"),
    *("Europe/Berlin\n", "Europe/Berlin\0", "\0", "Europe\0/Berlin", "Europe\\Berlin", "\ud800"),
    *("../../etc/passwd", "/etc/localtime", "./Europe/Berlin", "Europe/../Europe/Berlin"),
    *("localtime", "posixrules", "posix/Europe/Berlin", "right/UTC", "Factory", "leapseconds"),
    *("zone.tab", "zone1970.tab", "iso3166.tab", "tzdata.zi", "__init__.py", "tzdata"),
    *("EST", "CET", "MET", "HST", "MST", "WET", "EET", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"),
    *("IST", "PST", "GMT", "GMT0", "GMT+0", "UCT", "Zulu", "utc", "Z", "+05:30", "UTC+2"),
    *("Etc/GMT", "Etc/GMT+5", "Etc/GMT-14", "Etc/GMT0", "CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3"),
    *("x" * 5_000, "Europe/Berlin" * 400),
    *(None, 0, 5.5, True, b"Europe/Berlin", ["Europe/Berlin"], {"Europe/Berlin": 1}, ("UTC",)),
]


@pytest.mark.parametrize("name", PLACES)
def test_zone_of_a_place_is_kept_as_it_is(name: str) -> None:
    kept = zones.canonical_zone(name)

    assert kept == name


@pytest.mark.parametrize(("alias", "canonical"), ALIASES)
def test_alias_is_kept_under_its_canonical_name(alias: str, canonical: str) -> None:
    kept = zones.canonical_zone(alias)

    assert kept == canonical


@pytest.mark.parametrize("name", REFUSED, ids=lambda name: ascii(name)[:40])
def test_anything_but_the_name_of_a_place_is_refused_without_an_echo(name: object) -> None:
    with pytest.raises(InvalidTimezone) as refused:
        zones.canonical_zone(name, field="display_timezone")

    (field,) = refused.value.fields
    suggested = "Europe/Berlin" if name == "europe/berlin" else "Asia/Kolkata or Europe/Berlin"
    suggested = "UTC" if name == "utc" else suggested
    message = f"Send the IANA name of a time zone, such as {suggested}."
    assert field == FieldError("display_timezone", "invalid-timezone", message)
    assert refused.value.detail == f"This is not the name of a time zone. {message}"


def test_field_of_a_refused_zone_is_timezone_unless_said_otherwise() -> None:
    with pytest.raises(InvalidTimezone) as refused:
        zones.canonical_zone("localtime")

    assert [error.field for error in refused.value.fields] == ["timezone"]


def test_all_zones_are_canonical_sorted_and_loadable() -> None:
    names = zones.all_zones()

    assert list(names) == sorted(set(names))
    assert [zones.canonical_zone(name) for name in names] == list(names)
    assert [zones.zone(name).key for name in names] == list(names)
    assert set(PLACES) <= set(names)
    assert not {"Asia/Calcutta", "Etc/UTC", "EST", "Etc/GMT+5", "localtime"} & set(names)


@pytest.mark.parametrize(("alias", "home"), sorted(zones.SAME_PLACE.items()))
def test_alias_kept_in_its_own_country_has_the_clocks_of_the_linked_zone(
    alias: str, home: str
) -> None:
    linked = resources.files("tzdata").joinpath("zoneinfo", *alias.split("/")).read_bytes()
    kept = resources.files("tzdata").joinpath("zoneinfo", *home.split("/")).read_bytes()

    assert zones.canonical_zone(alias) == home
    assert linked == kept


def test_zone_under_a_name_that_was_canonical_once_still_loads() -> None:
    rules = zones.zone("Europe/Kiev")

    assert rules.key == "Europe/Kyiv"


@pytest.mark.parametrize("name", ["localtime", "../../etc/passwd", "Europe", "EST", "a\0b"])
def test_zone_of_a_refused_name_never_reaches_the_disk(name: str) -> None:
    with pytest.raises(InvalidTimezone):
        zones.zone(name)


def test_tzdata_version_is_the_release_that_the_package_names() -> None:
    named = importlib.import_module("tzdata").IANA_VERSION

    assert zones.tzdata_version() == named


def test_vancouver_has_stayed_on_summer_time_since_2026() -> None:
    winter = datetime(2027, 1, 15, 20, tzinfo=UTC).astimezone(zones.zone("America/Vancouver"))

    assert winter.utcoffset() == timedelta(hours=-7)


def test_machine_with_another_database_gets_the_pinned_answer(tmp_path: Path) -> None:
    """Neither an old copy on the machine nor one already loaded counts, with no clock imported."""
    india = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Kolkata")
    (tmp_path / "America").mkdir()
    with resources.as_file(india) as source:
        shutil.copy(source, tmp_path / "America" / "Vancouver")
    code = """
from datetime import datetime
from zoneinfo import ZoneInfo
wrong = ZoneInfo("America/Vancouver")
print(datetime(2027, 1, 15, tzinfo=wrong).isoformat())
from turnout.events import zones
print(datetime(2027, 1, 15, tzinfo=zones.zone("America/Vancouver")).isoformat())
"""

    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ran.stdout.split() == ["2027-01-15T00:00:00+05:30", "2027-01-15T00:00:00-07:00"]
