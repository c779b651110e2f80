"""The Idempotency-Key of a request that creates. Knows no feature."""

from collections.abc import Awaitable, Callable
from hashlib import sha256

from starlette.requests import Request

from turnout import clock
from turnout.accounts.actor import Actor
from turnout.db.session import Db
from turnout.edge.refusals import Refusal
from turnout.errors import TurnoutError
from turnout.idempotency import idempotency
from turnout.idempotency.idempotency import Answer, Claim
from turnout.runtime import Runtime

LONGEST_KEY = 255


class InvalidIdempotencyKey(Refusal):
    """The Idempotency-Key is empty, too long, or has other than visible ASCII characters."""

    status = 400
    code = "idempotency-key-invalid"
    title = "The Idempotency-Key cannot be used"
    explanation = (
        "An Idempotency-Key has 1 to 255 visible ASCII characters and is sent once. "
        "A random UUID is a good one."
    )


def claim_of(request: Request, actor: Actor, body: bytes) -> Claim | None:
    """What the request claims by its Idempotency-Key, or None without one.

    Raises InvalidIdempotencyKey.
    """
    keys = [value for name, value in request.scope["headers"] if name == b"idempotency-key"]
    if not keys:
        return None
    key = keys[0].decode("latin-1")
    visible = key.isascii() and key.isprintable() and " " not in key
    if len(keys) > 1 or not visible or not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidIdempotencyKey
    whose = actor.user_id if actor.is_account else actor.standing
    scope = f"{whose} {request.method} {request.scope['path']}"
    return Claim(scope, key, sha256(body).digest())


async def write(
    runtime: Runtime, claim: Claim | None, work: Callable[[Db], Awaitable[Answer]]
) -> Answer:
    """The answer of `work`, in one transaction; or the first one, for a repeated request.

    Raises what `work` raises, IdempotencyMismatch and IdempotencyInProgress.
    """
    async with runtime.database.write() as db:
        if claim is None:
            return await work(db)
        now = clock.now()
        found = (await idempotency.look_up(db, [claim], now))[0]
        if isinstance(found, TurnoutError):
            raise found
        if found is not None:
            return found
        answer = await work(db)
        idempotency.keep(db, [(claim, answer)], now)
        return answer
