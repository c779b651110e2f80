"""Which fields each caller may see and write: a new one fails until it is listed in fields.toml."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
from pydantic import BaseModel
from tests.authorization.conftest import Prepared
from tests.authorization.matrix import Call, calls
from tests.authorization.walk import Step, by_token, send
from tests.authorization.world import World

from turnout.api import bodies
from turnout.edge.forms import Form
from turnout.web import router as web

FIELDS: Mapping[str, Any] = tomllib.loads(
    Path(__file__).with_name("fields.toml").read_text(encoding="utf-8")
)
OPEN_ENDED = frozenset(("answers", "changes", "data"))
"""What organizers ask, what was changed, and what a message says: their keys are data."""
DOCUMENT = "/openapi.json"


def paths_of(content: Any, prefix: str = "") -> Iterator[str]:
    """The keys of an answer, those of inner objects behind a dot; lists are overlooked."""
    if isinstance(content, list):
        for each in content:
            yield from paths_of(each, prefix)
    elif isinstance(content, dict):
        for name, value in content.items():
            yield f"{prefix}{name}"
            if name not in OPEN_ENDED:
                yield from paths_of(value, f"{prefix}{name}.")


PAGE = "page of "


def listed_as(step: Step) -> str:
    """The call in the file: its own entry where it answers differently, else that of its route."""
    name = step.call.name
    return name if name in FIELDS["seen"] else f"{step.call.method} {step.call.path}"


def shape_of(step: Step) -> tuple[str, set[str]]:
    """The name of what the caller sees, and the fields that came."""
    seen: Mapping[str, str] = FIELDS["seen"][listed_as(step)]
    name = seen.get(step.way.caller, seen["everyone"])
    if not name.startswith(PAGE):
        return name, set(paths_of(step.json))
    assert set(step.json) == {"items", "next_cursor"}
    return name.removeprefix(PAGE), set(paths_of(step.json["items"]))


def test_answers_have_the_fields_that_their_caller_may_see_and_no_other(steps: list[Step]) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for step in steps:
        if step.json is not None and step.call.path != DOCUMENT:
            name, fields = shape_of(step)
            found[name] |= fields

    assert {name: sorted(fields) for name, fields in found.items()} == {
        name: sorted(fields) for name, fields in FIELDS["shapes"].items()
    }


def test_calls_that_answer_json_are_those_with_a_list_of_fields(steps: list[Step]) -> None:
    answering = {
        listed_as(step) for step in steps if step.json is not None and step.call.path != DOCUMENT
    }

    assert answering == set(FIELDS["seen"])


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The names that a request may hold, those of inner models behind a dot."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{field.alias or name}"
        for inner in _models_in(field.annotation):
            yield from fields_of(inner, f"{prefix}{name}.")


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        if _is_ours(each):
            yield each
        yield from _below(each)


def _is_ours(model: type[BaseModel]) -> bool:
    """Whether it is the product's, and not one that another test has made for itself."""
    return model.__module__.startswith("turnout.")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in getattr(annotation, "__args__", ()):
        yield from _models_in(each)


def test_requests_may_write_the_listed_fields_and_no_other() -> None:
    assert web.ROUTES, "the forms of pages are known once their routes are"
    models = [*filter(_is_ours, bodies.body_models()), *_below(Form)]

    written = {model.__name__: sorted(fields_of(model)) for model in models}

    assert written == {name: sorted(fields) for name, fields in FIELDS["written"].items()}


def with_bodies() -> list[Call]:
    """The calls that read JSON, each route once."""
    return list({call.route: call for call in calls() if call.body is not None}.values())


async def test_field_that_no_client_writes_is_refused_by_its_name(prepared: Prepared) -> None:
    """Even from an administrator, who may do everything else that each call is for."""
    async with prepared.app(rate_limits="off") as app, app.client() as client:
        refused = {
            (call.name, name): await _refusal(client, prepared.world, call, name)
            for call in with_bodies()
            for name in protected_from(call)
        }

    assert {key: told for key, told in refused.items() if told != (422, [key[1]])} == {}
    assert {name for _, name in refused} == set(FIELDS["protected"])


def protected_from(call: Call) -> list[str]:
    """The fields that this call's body must not hold."""
    writable = FIELDS["written"][FIELDS["bodies"][f"{call.method} {call.path}"]]
    return sorted(set(FIELDS["protected"]) - set(writable))


async def _refusal(
    client: httpx2.AsyncClient, world: World, call: Call, name: str
) -> tuple[int, list[str]]:
    """The status of a valid body with one field more, and the fields that are said to be wrong."""
    headers, facts = by_token(world, "AD").headers(call), world.facts["AD"]
    answer = await send(client, call, call.cells[0], facts, headers, more={name: "x"})
    return answer.status_code, [each["field"] for each in answer.json().get("errors", ())]


def test_bodies_are_named_for_each_call_that_reads_one() -> None:
    assert sorted(FIELDS["bodies"]) == sorted(
        f"{call.method} {call.path}" for call in with_bodies()
    )
