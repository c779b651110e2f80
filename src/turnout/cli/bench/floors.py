"""The floors: bare FastAPI routes that do nothing but answer; they know nothing of the product.

What the framework and the server cost by themselves, on the same server program and with as many
workers as the product: a figure is the product's rate divided by the rate here. The POST floor
checks its body with a plain model. It does not look at the address the way the product does,
since that would slow the floor down and so flatter the figure.
"""

import os
import sys
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from turnout.cli.serve import SERVER

BYTES_VARIABLE = "BENCH_FLOOR_BYTES"
"""Environment variable: how many bytes the GET floor answers, as long as the real answer."""

GET_PATH = "/constant"
POST_PATH = "/constant"

_CREATED = b'{"status":"confirmed"}'


class Wanted(BaseModel):
    """The body of a registration."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]


def constant(length: int) -> bytes:
    """A JSON text of this many bytes (at least two)."""
    return b'"' + b"x" * max(0, length - 2) + b'"'


def create_app() -> FastAPI:
    """The floors as an application."""
    app = FastAPI(openapi_url=None)
    answer = constant(int(os.environ.get(BYTES_VARIABLE, "1000")))

    @app.get(GET_PATH)
    async def get_constant() -> Response:
        """The same bytes for everyone."""
        return Response(answer, media_type="application/json")

    @app.post(POST_PATH)
    async def post_constant(wanted: Wanted) -> Response:
        """Created, whatever was wanted."""
        del wanted
        return Response(_CREATED, status_code=201, media_type="application/json")

    return app


def main(port: int, workers: int) -> None:
    """Serve the floors on the loopback address until told to stop."""
    uvicorn.run(
        "turnout.cli.bench.floors:create_app",
        factory=True,
        host="127.0.0.1",
        port=port,
        workers=workers,
        http="httptools",
        **SERVER,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
