"""Accounts for a load, made with the product's own means: signed up, promoted, signed in."""

import subprocess
from dataclasses import dataclass

from turnout.cli.bench import load, servers
from turnout.cli.bench.bench import Bench
from turnout.cli.bench.calls import CannotMeasureError
from turnout.cli.bench.wire import Headers, Load, Request, form, post
from turnout.ids import new_id

PASSWORD = "lantern gravel otter mosaic"  # noqa: S105 - of accounts that nobody has a use for
_AT_ONCE = 8
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account, which has signed in nowhere yet."""

    email: str

    def sign_in(self) -> Request:
        """What gets this person tokens."""
        return form("/auth/token", {"username": self.email, "password": PASSWORD})


def attendees(bench: Bench, count: int) -> list[Account]:
    """New accounts, signed up as anyone may. Raises CannotMeasureError where that is refused."""
    people = [_someone() for _ in range(count)]
    done = load.do(_once_each(bench, [_sign_up(each) for each in people]))
    if done.answered(202) != count:
        told = "; ".join(body for status, body in done.samples.items() if status != "202")
        message = f"takes {count} new accounts (a server of yours needs TURNOUT_RATE_LIMITS=off)"
        raise CannotMeasureError(f"{message}: {told}")
    return people


def organizer(bench: Bench) -> Account:
    """A new account that may have events. Raises CannotMeasureError but on a server of our own."""
    if bench.environment is None:
        raise CannotMeasureError(
            "takes an organizer's account, which is made on a server of the benchmark's own: "
            "leave out --url"
        )
    account = _someone()
    subprocess.run(  # noqa: S603 - the product's own command, and no shell
        servers.turnout_command(
            *("users", "create", account.email, "--role", "organizer", "--password-stdin")
        ),
        env={**servers.surroundings(), **bench.environment},
        cwd=bench.environment["TURNOUT_DATA_DIR"],
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return account


def bearer(bench: Bench, account: Account) -> Headers:
    """The header that carries a new access token of the account, good for 15 minutes."""
    asked = account.sign_in()
    form = {"content-type": asked.content_type}
    with bench.calls() as caller:
        answer = caller.expect(200, asked.method, asked.path, asked.body.encode(), form)
    return (("authorization", f"Bearer {answer.json()['access_token']}"),)


def _someone() -> Account:
    return Account(f"bench.{new_id().hex}@example.org")


def _sign_up(account: Account) -> Request:
    return post("/auth/sign-up", {"email": account.email, "name": "Ada", "password": PASSWORD})


def _once_each(bench: Bench, requests: list[Request]) -> Load:
    return Load(
        port=bench.target.port,
        host=bench.target.host,
        requests=tuple(requests),
        connections=_AT_ONCE,
        seconds=_SECONDS,
        count=len(requests),
        expected=(202,),
    )
