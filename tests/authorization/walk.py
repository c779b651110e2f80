"""Walks the matrix: sends every call as every caller, and keeps what came back. Judges nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from tests.authorization.matrix import CALLERS, Call, Cell, calls
from tests.authorization.world import Facts, World, authenticator_code
from tests.support.app import RunningApp

Headers = dict[str, str]
NO_COOKIE = ("AN", "GU")
"""A browser has nothing to send for them."""
BY_TOKEN, BY_COOKIE, BY_OTHER_SCOPES = "by token", "by cookie", "by all other scopes"
_OF_ONE_REQUEST = ("x-request-id", "ratelimit", "ratelimit-policy", "date")


@dataclass(frozen=True, slots=True)
class Way:
    """A caller with one kind of credential: which to send, and which status it must bring."""

    name: str
    caller: str
    headers: Callable[[Call], Headers]
    expected: Callable[[Call, Cell], int]

    def __str__(self) -> str:
        return f"{self.caller} {self.name}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, and all that is the same for the same request again."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, response: httpx2.Response) -> "Answer":
        """The answer without what is one request's alone."""
        request_id = response.headers["x-request-id"].encode()
        kept = {k: v for k, v in response.headers.items() if k not in _OF_ONE_REQUEST}
        return cls(response.status_code, kept, response.content.replace(request_id, b""))


@dataclass(frozen=True, slots=True)
class Step:
    """One cell, one way: what was expected and what came; `head` is the answer to HEAD."""

    way: Way
    call: Call
    cell: Cell
    expected: int
    answer: Answer
    head: Answer | None
    json: Any

    def __str__(self) -> str:
        return f"{self.way}: {self.call.name} at {self.cell.address}"


def ways(world: World) -> Iterator[Way]:
    """All callers, by token and by cookie, and by API tokens of several scopes."""
    yield from (by_token(world, caller) for caller in CALLERS)
    yield from (by_cookie(world, caller) for caller in CALLERS if caller not in NO_COOKIE)
    yield _by_scope_alone(world)
    yield _by_all_other_scopes(world)
    yield _by_all_scopes(world)


def by_token(world: World, caller: str) -> Way:
    """A program; to pages it is nobody."""
    return Way(BY_TOKEN, caller, lambda _: world.bearer(caller), _program(caller))


def by_cookie(world: World, caller: str) -> Way:
    """A browser, on a page of ours."""
    page = world.people[caller].page
    return Way(BY_COOKIE, caller, lambda _: page, lambda _, cell: cell.statuses[caller])


def _by_scope_alone(world: World) -> Way:
    """Root with an API token that is for this call and nothing else."""
    allowed = _program("AD")

    def headers(call: Call) -> Headers:
        return world.by_token(f"only {call.scope}" if call.needs_scope else "all")

    def expected(call: Call, cell: Cell) -> int:
        return 403 if call.scope == "none" else allowed(call, cell)

    return Way("by the scope alone", "AD", headers, expected)


def _by_all_other_scopes(world: World) -> Way:
    """Root with an API token that is for everything but this call."""
    allowed = _program("AD")

    def headers(call: Call) -> Headers:
        return world.by_token(f"all but {call.scope}" if call.needs_scope else "all")

    def expected(call: Call, cell: Cell) -> int:
        return allowed(call, cell) if call.scope == "ignored" else 403

    return Way(BY_OTHER_SCOPES, "AD", headers, expected)


def _by_all_scopes(world: World) -> Way:
    """Ada with an API token for everything: scopes allow no more than the account may."""
    allowed = _program("AT")

    def expected(call: Call, cell: Cell) -> int:
        return 403 if call.scope == "none" else allowed(call, cell)

    return Way("by all scopes", "AT", lambda _: world.by_token("AT"), expected)


def _program(caller: str) -> Callable[[Call, Cell], int]:
    def expected(call: Call, cell: Cell) -> int:
        return cell.statuses["AN" if call.is_page else caller]

    return expected


Chosen = Callable[[Way, Call, Cell], bool]


def makes_a_difference(way: Way, call: Call, _: Cell) -> bool:
    """All by token; by other credentials what looks at them, and as Ada the rest all the same."""
    return way.name == BY_TOKEN or call.looks_at_callers or str(way) == f"AT {BY_COOKIE}"


async def walk(app: RunningApp, world: World, way: Way, chosen: Chosen) -> list[Step]:
    """The steps of one way in the order of the matrix, those alone that are `chosen`."""
    facts, steps = dict(world.facts[way.caller]), list[Step]()
    async with app.client() as client:
        for call, cell in every_cell():
            if chosen(way, call, cell):
                steps.append(await _step(client, way, call, cell, facts))
    return steps


def every_cell() -> Sequence[tuple[Call, Cell]]:
    """All cells of the matrix, in its order."""
    return [(call, cell) for call in calls() for cell in call.cells]


async def _step(client: httpx2.AsyncClient, way: Way, call: Call, cell: Cell, facts: Facts) -> Step:
    response = await send(client, call, cell, facts, way.headers(call))
    head = None
    if way.name == BY_TOKEN and not call.is_change:
        head = Answer.of(await send(client, call, cell, facts, way.headers(call), method="HEAD"))
    content = _json(response)
    _learn(content, facts)
    expected = way.expected(call, cell)
    return Step(way, call, cell, expected, Answer.of(response), head, content)


async def send(
    client: httpx2.AsyncClient,
    call: Call,
    cell: Cell,
    facts: Facts,
    headers: Mapping[str, str],
    *,
    method: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> httpx2.Response:
    """The answer to the call at one cell's address; `more` goes into its body."""
    body: dict[str, Any] = {}
    if call.body is not None:
        body = {"json": filled(call.body, facts) | (more or {})}
    elif call.form is not None:
        body = {"data": filled(call.form, facts)}
    elif call.content is not None:
        body = {"content": call.content}
    address = filled(cell.address, facts)
    client.cookies.clear()  # what a page has set is nobody else's to send
    return await client.request(method or call.method, address, headers=headers, **body)


def filled(value: Any, facts: Facts) -> Any:
    """The value of the file with its gaps filled."""
    match value:
        case str():
            return value.format_map(facts)
        case dict():
            return {name: filled(each, facts) for name, each in value.items()}
        case list():
            return [filled(each, facts) for each in value]
        case _:
            return value


def _json(response: httpx2.Response) -> Any:
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return response.json() if is_json else None


def _learn(content: Any, facts: Facts) -> None:
    """Remember what is told once and needed by the next calls: the second factor's secrets."""
    if not isinstance(content, dict):
        return
    if "secret" in content and "qr_svg" in content:
        facts["authenticator_code"] = authenticator_code(content["secret"])
    if "recovery_codes" in content:
        facts["recovery_code"] = content["recovery_codes"][0]
