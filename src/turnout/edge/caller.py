"""Who is calling: turns a request's credential into an Actor. Knows no route."""

from starlette.requests import Request

from turnout.accounts.actor import Actor
from turnout.errors import NotSignedIn
from turnout.runtime import Runtime


class InvalidToken(NotSignedIn):
    """A credential was sent, but it does not count."""

    code = "invalid-token"
    title = "The credential does not count"
    explanation = (
        "The Authorization header holds no credential that this server gave out, or one that has "
        "expired or was revoked. Sign in again, or leave the header out where none is needed."
    )


def runtime_of(request: Request) -> Runtime:
    """What the process holds, as its lifespan put it there."""
    runtime: Runtime = request.scope["state"]["runtime"]
    return runtime


def actor_of(request: Request) -> Actor:
    """The caller. Raises InvalidToken for a credential that does not count."""
    for name, _ in request.scope["headers"]:
        if name == b"authorization":
            # Accounts and their tokens are not here yet: no credential can be a good one.
            raise InvalidToken
    return runtime_of(request).default_actor
