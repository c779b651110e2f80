"""The command line: `turnout serve`, `schema`, `doctor` and the rest. Says no more than it does."""

import typer

from turnout.cli import doctor, schema, serve
from turnout.cli.bench import command
from turnout.cli.data import command as data
from turnout.cli.demo import command as demo

app = typer.Typer(
    name="turnout",
    help="Publish events, find them, take a seat. No seat is ever sold twice.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("doctor")(doctor.doctor)
app.command("bench")(command.bench)
app.command("demo")(demo.demo)
app.add_typer(schema.app, name="schema")
app.add_typer(data.app, name="data")


def run() -> None:
    """The entry point of the program."""
    app()
