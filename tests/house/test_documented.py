"""Every setting, error code and outbox topic is in the reference, and every setting is used."""

from pathlib import Path

from tests.house import documented, tree

import turnout.main
from turnout import errors
from turnout.outbox.topics import Topic
from turnout.settings import Settings

REFERENCE = tree.ROOT / "docs" / "reference"


def test_settings_reference_names_every_setting() -> None:
    variables = [f"TURNOUT_{name.upper()}" for name in Settings.model_fields]

    assert variables
    assert documented.unmentioned(variables, REFERENCE / "settings.md") == []


def test_product_reads_every_setting() -> None:
    assert documented.unread(Settings.model_fields, tree.product()) == []


def test_problems_reference_names_every_error_code() -> None:
    # The door must have been imported, so that every feature's errors are known; errors that
    # other tests define for themselves are not the product's.
    root = turnout.main.__name__.partition(".")[0]
    codes = [e.code for e in errors.every_error() if e.__module__.partition(".")[0] == root]

    assert codes
    assert documented.unmentioned(codes, REFERENCE / "problems.md") == []


def test_messages_reference_names_every_topic() -> None:
    topics = [topic.value for topic in Topic]

    assert topics
    assert documented.unmentioned(topics, REFERENCE / "messages.md") == []


def test_unmentioned_with_a_name_within_a_longer_one_reports_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("## `event-not-found`\nTURNOUT_BASE_URL, `seat.taken` and full.\n")
    names = ["event-not-found", "not-found", "TURNOUT_BASE", "seat.taken", "seat", "full"]

    missing = documented.unmentioned(names, page)

    assert missing == ["not-found", "TURNOUT_BASE", "seat"]


def test_unread_with_a_name_that_is_only_assigned_reports_it(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("x.stored = settings.base_url\nmail_host = 'mail_port'\n")

    missing = documented.unread(["base_url", "stored", "mail_host", "mail_port"], [module])

    assert missing == ["stored", "mail_host", "mail_port"]
