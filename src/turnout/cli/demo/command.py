"""`turnout demo`: the product with real conferences in it, on a database of its own."""

import os
import sys
from typing import Annotated

import typer

from turnout.cli import serve, user_errors
from turnout.cli.demo import filling
from turnout.cli.demo.filling import Made
from turnout.settings import PREFIX

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve open mode with 6,007 real conferences, their dates moved so that hundreds lie ahead.

    Their database is the folder `demo` of the data folder; a second start finds it there.
    """
    settings = user_errors.settings_or_fail()
    serve.check_port(serve.HOST, port)
    folder = (settings.data_dir / "demo").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "turnout.db"
    made = user_errors.run(lambda: filling.prepare(path, _say))
    # Through the environment, as `serve` reads it: whatever else is set, these are the demo's.
    os.environ[f"{PREFIX}DATA_DIR"] = str(folder)
    os.environ[f"{PREFIX}DATABASE_URL"] = f"sqlite:///{path}"
    _greet(made, port)
    serve.serve(host=serve.HOST, port=port, open_access=True)


def _greet(made: Made, port: int) -> None:
    url = f"http://{serve.HOST}:{port}"
    _say(f"The demo has {made.ahead:,} events ahead, and thousands that are over.")
    _say(f"Look at {url}/events?limit=3 and {url}/docs; the soonest ones have people in them.")


def _say(line: str) -> None:
    print(line, file=sys.stderr)
