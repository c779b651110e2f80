"""Writes the parts of docs/reference that the product knows; `--check` says what is stale."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from typer import _click
from typer.core import TyperArgument, TyperGroup, TyperOption

import turnout.main
from turnout.cli.main import app
from turnout.edge.answers import status_of
from turnout.edge.refusals import every_problem
from turnout.errors import TurnoutError
from turnout.migrations import schema
from turnout.settings import PREFIX, Settings

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
GENERATED = "<!-- Written by scripts/generate_docs.py: change the product, then run that. -->"
PRODUCT = turnout.main.__name__.partition(".")[0]
"""Errors are known once their modules are imported, which the doors do; tests have more of them."""


def settings() -> str:
    """docs/reference/settings.md: every variable with its default."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_cell(field.description or '')} |"
        for name, field in Settings.model_fields.items()
    ]
    head = f"""# Settings

{GENERATED}

Settings are environment variables, or lines `NAME=value` of a file `.env` in the folder in which
Turnout is started; a variable wins over the file. They are read once, at the start. A wrong value,
or a variable that begins with `{PREFIX}` and is none of these, ends the program with one line that
says so. `turnout serve --open` sets `{PREFIX}OPEN_ACCESS`, and without `{PREFIX}BASE_URL` it takes
the address it listens on.

| variable | default | meaning |
|---|---|---|
"""
    return head + "\n".join(rows) + "\n"


def problems() -> str:
    """docs/reference/problems.md: every code with its status and what to do."""
    known = [error for error in every_problem() if error.__module__.startswith(f"{PRODUCT}.")]
    known.sort(key=lambda error: (status_of(error), error.code))
    head = f"""# Problems

{GENERATED}

A refusal is a problem (RFC 9457) of the type `application/problem+json`: `type`, `title`,
`status`, `detail` (what happened this time), `instance` (the request id, under which the log has
it) and `code`, which never changes. Invalid input also has `errors`, a list of `field`, `code` and
`message`. `type` is a page of the server itself that says the same as this list.

| status | code | title |
|---|---|---|
"""
    rows = [f"| {status_of(e)} | [`{e.code}`](#{e.code}) | {_cell(e.title)} |" for e in known]
    return head + "\n".join(rows) + "\n" + "".join(_problem(error) for error in known)


def _problem(error: type[TurnoutError]) -> str:
    return f"\n## {error.code}\n\n**{status_of(error)}: {error.title}.** {error.explanation}\n"


def sql() -> str:
    """docs/reference/schema.sql: all tables, for both databases."""
    parts = [
        "-- Written by scripts/generate_docs.py, from the models that the migrations lead to.\n"
    ]
    for name, dialect in (("SQLite", "sqlite"), ("PostgreSQL", "postgresql")):
        parts.append(f"\n-- ---- {name}: what `turnout schema sql` prints there ----\n\n")
        parts.append(schema.statements(dialect))
    return "".join(parts)


def cli() -> str:
    """docs/reference/cli.md: every command with its options."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)  # noqa: S101 - narrows: an app with several commands is one
    head = f"""# Command line

{GENERATED}

`turnout COMMAND --help` says the same. All commands read the [settings](settings.md). What goes
wrong in the hands of a user is one line on the error stream and exit status 2.
"""
    return head + "".join(_commands("turnout", group))


def _commands(path: str, group: TyperGroup) -> Iterator[str]:
    context = _click.Context(group)
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        assert command is not None  # noqa: S101 - narrows: the name is the group's own
        if isinstance(command, TyperGroup):
            yield from _commands(f"{path} {name}", command)
            continue
        text = " ".join((command.help or "").split())
        yield f"\n## {path} {name}\n\n{text}\n"
        rows = [_parameter(each) for each in command.params if each.name != "help"]
        if rows:
            yield "\n| option | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _parameter(parameter: object) -> str:
    assert isinstance(parameter, TyperOption | TyperArgument)  # noqa: S101 - narrows: typer has no others
    names = ", ".join(f"`{name}`" for name in parameter.opts)
    if isinstance(parameter, TyperArgument):
        names = f"`{(parameter.name or '').upper()}`"
    default = "" if parameter.default in (None, False, ...) else f"`{parameter.default}`"
    return f"| {names} | {default} | {_cell(parameter.help or '')} |"


def _default(field: FieldInfo) -> str:
    value = field.default
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    match plain:
        case bool():
            return "`true`" if plain else "`false`"
        case "" | ():
            return ""
        case _:
            return f"`{plain}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings,
    "problems.md": problems,
    "schema.sql": sql,
    "cli.md": cli,
}


def stale(folder: Path) -> list[str]:
    """The names of pages in `folder` that say anything else than the product."""
    return [
        name
        for name, make in PAGES.items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != make()
    ]


def main() -> None:
    """Write all pages, or with `--check` only say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    if parser.parse_args().check:
        found = stale(REFERENCE)
        if found:
            sys.exit(f"stale: {', '.join(found)}; run scripts/generate_docs.py")
        return
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make(), "utf-8")


if __name__ == "__main__":
    main()
