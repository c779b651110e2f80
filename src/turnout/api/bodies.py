"""Reads JSON bodies into models, strictly. Knows no feature.

FastAPI's own reading parses with the standard library (which takes NaN and lone surrogates), and
does so before the caller is known; here a handler reads when it has decided that it may.
"""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from turnout.edge import field_errors, forms
from turnout.edge.refusals import MalformedJson, UnsupportedMediaType
from turnout.errors import FieldError, TurnoutError

M = TypeVar("M", bound=BaseModel)
Location = tuple[str | int, ...]

_JSON_TYPES = frozenset((b"application/json", b"application/json; charset=utf-8"))
_INT_CHARACTERS = 20  # as many as the longest integer of 64 bits has, with its sign
_models: dict[str, type[BaseModel]] = {}


async def read(request: Request, model: type[M]) -> M:
    """The body as a `model`, which should be a `fields.Input`.

    Of a key that is sent twice the last value counts, as in Python and JavaScript: no part of
    Turnout reads a body with any other parser, so no two parts can see different values.

    Raises UnsupportedMediaType unless the type is application/json in UTF-8, MalformedJson where
    the bytes are no JSON (RFC 8259; NaN and Infinity are none), Invalid with its fields for the
    rest: lone surrogates and integers without end among them.
    """
    body = await forms.raw(request)
    if not _is_json(request.scope["headers"]):
        raise UnsupportedMediaType
    try:
        # The core takes NaN and Infinity, whatever the model says, in fields that may hold
        # anything; names may hold these letters too, so the second look decides.
        if b"NaN" in body or b"Infinity" in body:
            _parse_strictly(body)
        validated: M = model.__pydantic_validator__.validate_json(body)
    except ValidationError as error:
        refusal = _refusal(error, body)
    except (ValueError, RecursionError):
        refusal = MalformedJson()
    else:
        return validated
    raise refusal


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """What a route that calls `read(request, model)` passes as `openapi_extra`.

    Its schema is a reference to `#/components/schemas/<name of the model>`; the builder of the
    document adds those of `body_models()`. Raises ValueError for a second model of that name.
    """
    name = model.__name__
    if _models.setdefault(name, model) is not model:
        raise ValueError(f"two models for bodies are named {name}")
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def body_models() -> tuple[type[BaseModel], ...]:
    """The models that `body_of` has referred to, by name."""
    return tuple(_models[name] for name in sorted(_models))


def _is_json(headers: list[tuple[bytes, bytes]]) -> bool:
    given = [value for name, value in headers if name == b"content-type"]
    if len(given) != 1:
        return False
    if given[0] in _JSON_TYPES:
        return True
    media_type, *parameters = given[0].lower().replace(b" ", b"").replace(b'"', b"").split(b";")
    return media_type == b"application/json" and parameters in ([], [b"charset=utf-8"])


def _refusal(error: ValidationError, body: bytes) -> TurnoutError:
    found = error.errors(include_url=False, include_input=False)
    if found[0]["type"] != "json_invalid":
        return field_errors.invalid(field_errors.of(found))
    fields = _beyond_json(body)
    return field_errors.invalid(fields) if fields else MalformedJson()


class _Endless:
    """Stands for an integer of more digits than any field takes."""


def _parse_strictly(body: bytes) -> object:
    """The body by the standard library. Raises ValueError or RecursionError for what is no JSON."""
    return json.loads(body.decode(), parse_constant=_refuse_constant, parse_int=_parse_int)


def _refuse_constant(_: str) -> object:
    raise ValueError("JSON has no such number")


def _parse_int(digits: str) -> object:
    return int(digits) if len(digits) <= _INT_CHARACTERS else _Endless()


def _beyond_json(body: bytes) -> tuple[FieldError, ...]:
    """What in a body that the core cannot parse is JSON all the same, but fits no field.

    Lone surrogates are JSON by its grammar, but no text; integers may have any length there.
    """
    try:
        waiting: list[tuple[Location, object]] = [((), _parse_strictly(body))]
    except (ValueError, RecursionError):
        return ()
    found: list[dict[str, Any]] = []
    while waiting:
        path, value = waiting.pop()
        match value:
            case dict():
                waiting += [((*path, key), child) for key, child in value.items()]
                waiting += [(path, key) for key in value]
            case list():
                waiting += [((*path, index), child) for index, child in enumerate(value)]
            case _Endless():
                found.append({"type": "int_parsing_size", "loc": path})
            case str() if not _is_text(value):
                found.append({"type": "string_unicode", "loc": path})
            case _:
                pass
    return field_errors.of(found)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
