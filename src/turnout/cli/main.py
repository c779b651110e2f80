"""The command line: `turnout serve`, `schema`, `doctor` and the rest. Says no more than it does."""

import importlib

import typer
from typer import _click
from typer.core import TyperGroup

COMMANDS = {
    "serve": "turnout.cli.serve",
    "work": "turnout.cli.work",
    "demo": "turnout.cli.demo.command",
    "users": "turnout.cli.users",
    "data": "turnout.cli.data.command",
    "schema": "turnout.cli.schema",
    "doctor": "turnout.cli.doctor",
    "bench": "turnout.cli.bench.command",
}
"""Each command with the module whose `app` it is."""


class LazyGroup(TyperGroup):
    """Imports a command when it is asked for: a server need not hold what measures servers."""

    def list_commands(self, ctx: _click.Context) -> list[str]:
        """The names, in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: _click.Context, cmd_name: str) -> _click.Command | None:
        """The command of that name, or None."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found = typer.main.get_command(importlib.import_module(COMMANDS[cmd_name]).app)
        found.name = cmd_name
        return found


app = typer.Typer(
    name="turnout",
    help="Publish events, find them, take a seat. No seat is ever sold twice.",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def turnout() -> None:
    """Publish events, find them, take a seat. No seat is ever sold twice."""


def run() -> None:
    """The entry point of the program."""
    app()


if __name__ == "__main__":
    run()
