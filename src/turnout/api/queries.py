"""Reads query strings into models, and describes them in the API document. Knows no feature."""

from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from turnout.db.paging import DEFAULT_LIMIT, MAX_LIMIT
from turnout.edge import field_errors
from turnout.errors import FieldError, Invalid

M = TypeVar("M", bound=BaseModel)


class Query(BaseModel):
    """What a query string is read into; parameters that are not named are left alone."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True)


class PageQuery(Query):
    """Which page of a list."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Items a page.")
    cursor: Annotated[str, Field(max_length=1000)] | None = Field(
        None, description="`next_cursor` of the page before."
    )


class ZoneQuery(Query):
    """In which zone times are shown."""

    tz: Annotated[str, Field(max_length=64, examples=["America/New_York"])] | None = Field(
        None, description="IANA time zone in which all times of the answer are shown."
    )


def read(request: Request, model: type[M]) -> M:
    """The query as a `model`. Raises Invalid naming each parameter that is wrong or sent twice."""
    raw: bytes = request.scope["query_string"]
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True) if raw else []
    given = dict(pairs)
    if len(given) != len(pairs):
        _refuse_twice([name for name, _ in pairs], model)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    raise field_errors.invalid(field_errors.of(found))


def _refuse_twice(names: list[str], model: type[BaseModel]) -> None:
    wrong = tuple(
        FieldError(name, "sent-twice", "Send this parameter once.")
        for name in (field.alias or name for name, field in model.model_fields.items())
        if names.count(name) > 1
    )
    if wrong:
        raise Invalid("A parameter was sent more than once.", fields=wrong)


def query_of(model: type[BaseModel]) -> list[dict[str, Any]]:
    """The parameters of `model` as OpenAPI describes them, definitions where they are used."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": described.pop("description", ""),
            "schema": _inlined(_without_null(described), definitions),
        }
        for name, described in schema["properties"].items()
    ]


def _inlined(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    return {**definitions.get(name, {}), **rest}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the value where it is sent: leaving it out is what null stands for."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "title"}}
    if rest.get("default", ...) is None:
        del rest["default"]
    return {**rest, **kinds[0]} if kinds else rest
