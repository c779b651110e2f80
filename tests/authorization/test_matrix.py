"""Every route answers every caller as the matrix says, and nobody is told what is hidden."""

import re
from collections import defaultdict
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from tests.authorization import matrix
from tests.authorization.matrix import CALLERS, calls
from tests.authorization.walk import (
    BY_COOKIE,
    BY_OTHER_SCOPES,
    BY_TOKEN,
    Answer,
    Step,
    every_cell,
)

from turnout.accounts.actor import Scope
from turnout.api import router as api
from turnout.main import create_app
from turnout.settings import Settings
from turnout.web import router as web

REFUSALS = (401, 403, 404)


def framework_of(app: Any) -> FastAPI:
    """What is inside the layers."""
    while not isinstance(app, FastAPI):
        app = app._app
    return app


def routes_of(app: FastAPI) -> list[tuple[str, str, Any]]:
    """Method, path and pattern of each route, in the order in which they are tried; HEAD is GET."""
    return [
        (method, template_of(route), route.path_regex)
        for route in iter_route_contexts(app.routes)
        for method in sorted((route.methods or {"GET"}) - {"HEAD"})
    ]


def template_of(route: Any) -> str:
    """Its path as people read it, without what converters add."""
    return re.sub(r":\w+}", "}", str(route.path))


def test_matrix_has_every_route_and_no_other() -> None:
    found = routes_of(framework_of(create_app(Settings(_env_file=None))))

    served = {(method, path) for method, path, _ in found}
    of_doors = {
        (method, template_of(route))
        for route in (*api.ROUTES, *web.ROUTES)
        for method in getattr(route, "methods", None) or ()
    }
    assert sorted({call.route for call in calls()}) == sorted(served)
    assert of_doors <= served, "the doors have routes that the application does not serve"


def test_cells_lead_to_the_routes_they_are_about() -> None:
    routes = routes_of(framework_of(create_app(Settings(_env_file=None))))

    astray = []
    for call, cell in every_cell():
        address = cell.address.partition("?")[0].replace("{", "").replace("}", "")
        takers = [
            (method, path)
            for method, path, pattern in routes
            if method == call.method and pattern.match(address)
        ]
        if takers[:1] != [call.route]:
            astray.append((call.name, cell.address))

    assert astray == []


def test_each_route_with_an_id_is_also_walked_with_one_that_nothing_has() -> None:
    gaps = {
        (call.route, part)
        for call in calls()
        for part, segment in _segments(call.path)
        if segment.startswith("{") and segment.endswith("_id}")
    }
    walked = {
        (call.route, part)
        for call, cell in every_cell()
        for part, segment in _segments(cell.address)
        if segment == "{missing}"
    }

    assert gaps - walked == set()


def _segments(path: str) -> list[tuple[int, str]]:
    return list(enumerate(path.partition("?")[0].split("/")))


def test_scopes_of_the_matrix_are_those_there_are() -> None:
    named = {call.scope for call in calls()} - {"none", "ignored"}

    assert named == {scope.value for scope in Scope}


def test_every_cell_answers_as_the_matrix_says(steps: list[Step]) -> None:
    every_name = {call.name for call in calls()}

    mismatches = [
        f"{step}: {step.answer.status} instead of {step.expected} {step.answer.body[:300]!r}"
        for step in steps
        if step.answer.status != step.expected
    ]

    assert mismatches == []
    assert sum(step.way.name == BY_TOKEN for step in steps) == len(every_cell()) * len(CALLERS)
    assert {step.call.name for step in steps if step.way.name == BY_COOKIE} == every_name


def test_refusal_says_what_it_is(steps: list[Step]) -> None:
    """By its body, and 401 by the header that a client needs; pages refuse by pages."""
    wrong = [str(step) for step in steps if not _is_told(step)]

    assert wrong == []


def _is_told(step: Step) -> bool:
    answer = step.answer
    if answer.status < 400:
        return True
    needs_credential = answer.status == 401
    if needs_credential != (answer.headers.get("www-authenticate") == "Bearer"):
        return False
    if answer.headers["content-type"].startswith("text/html"):
        return f">{answer.status}<".encode() in answer.body or b"<h1>" in answer.body
    return b'"status":%d' % answer.status in answer.body


def test_token_that_is_for_less_is_told_which_scope_it_lacks(steps: list[Step]) -> None:
    lacking = [step for step in steps if step.way.name == BY_OTHER_SCOPES]
    told = [step for step in lacking if step.call.scope != "ignored"]

    wrong = [str(step) for step in told if not _names_scope(step)]

    assert wrong == []
    assert len(told) > len(Scope)


def _names_scope(step: Step) -> bool:
    scope = b"null" if step.call.scope == "none" else b'"%s"' % step.call.scope.encode()
    return (
        b'"code":"insufficient-scope"' in step.answer.body
        and b'"scope":%s' % scope in step.answer.body
    )


def test_what_may_not_be_known_answers_to_the_byte_as_what_is_not_there(steps: list[Step]) -> None:
    """All refusals of one status by one call to one caller are the same, whatever the id."""
    refusals: dict[tuple[str, str, int], list[Answer]] = defaultdict(list)
    for step in steps:
        if step.answer.status in REFUSALS:
            key = str(step.way), step.call.name, step.answer.status
            refusals[key].append(step.answer)

    differing = [key for key, found in refusals.items() if any(a != found[0] for a in found)]

    assert differing == []
    assert sum(len(found) > 1 for found in refusals.values()) > 100, "nothing was compared"


def test_head_answers_as_get_without_its_body(steps: list[Step]) -> None:
    asked = [(step, step.head) for step in steps if step.head is not None]

    wrong = [
        (str(step), head.status, len(head.body), head.headers.items() ^ step.answer.headers.items())
        for step, head in asked
        if (head.status, head.body) != (step.answer.status, b"")
        or head.headers != step.answer.headers
    ]

    assert wrong == []
    assert {step.call.method for step, _ in asked} == {matrix.SAFE}


@pytest.mark.parametrize("call", [call for call in calls() if call.why], ids=lambda call: call.name)
def test_difference_from_the_table_is_a_sentence(call: matrix.Call) -> None:
    assert call.why.endswith(".")
    assert len(call.why.split()) >= 3
