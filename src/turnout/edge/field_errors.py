"""Turns what pydantic found into our own field errors. Never repeats what was sent.

Pydantic's sentences quote the input in places (an id that cannot be parsed, the text of a
ValueError), and its error types change with its versions; codes and sentences here are ours.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

from turnout.errors import FieldError, Invalid, every_error

MAX_FIELD_ERRORS = 50
"""More are left out of an answer: 256 KiB hold 40,000 unknown fields."""

_BUILT_IN = frozenset(get_args(ErrorType))
# A name that is safe to repeat: an unknown field, or a key, is what the client sent.
_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

_SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("missing", "Is required."),
    "extra_forbidden": ("unknown-field", "Is not a field of this request."),
    "string_type": ("wrong-type", "Must be a text."),
    "string_too_long": ("too-long", "May have at most {max_length} characters."),
    "string_too_short": ("too-short", "Must have at least {min_length} characters."),
    "string_pattern_mismatch": (
        "invalid",
        "Holds characters that are not allowed here, or nothing that can be seen.",
    ),
    "too_long": ("too-long", "May have at most {max_length} items."),
    "too_short": ("too-short", "Must have at least {min_length} items."),
    "greater_than": ("too-small", "Must be greater than {gt}."),
    "greater_than_equal": ("too-small", "Must be {ge} or more."),
    "less_than": ("too-large", "Must be less than {lt}."),
    "less_than_equal": ("too-large", "Must be {le} or less."),
    "literal_error": ("not-allowed-value", "Must be one of {expected}."),
    "enum": ("not-allowed-value", "Must be one of {expected}."),
    "int_type": ("wrong-type", "Must be an integer."),
    "int_parsing": ("wrong-type", "Must be an integer."),
    "int_from_float": ("wrong-type", "Must be an integer."),
    "int_parsing_size": ("too-large", "Has too many digits."),
    "float_type": ("wrong-type", "Must be a number."),
    "float_parsing": ("wrong-type", "Must be a number."),
    "finite_number": ("invalid", "Must be a finite number."),
    "bool_type": ("wrong-type", "Must be true or false."),
    "bool_parsing": ("wrong-type", "Must be true or false."),
    "list_type": ("wrong-type", "Must be a list."),
    "dict_type": ("wrong-type", "Must be an object."),
    "model_type": ("wrong-type", "Must be an object."),
    "model_attributes_type": ("wrong-type", "Must be an object."),
    "uuid_parsing": ("invalid", "Must be an id."),
}


def of(found: Iterable[Mapping[str, Any]]) -> tuple[FieldError, ...]:
    """The field errors for pydantic's error details, in order, each once, at most 50.

    A detail has `type`, `loc` and perhaps `ctx`, as `ValidationError.errors()` gives it. The field
    is its dotted path; an error of the whole body has the field `body`. An error that our own
    code raised (`PydanticCustomError("weak-password", "...")`) keeps its code and sentence; the
    text of a ValueError is not shown, since it may quote what was sent.
    """
    errors: dict[FieldError, None] = {}
    for detail in found:
        code, message = _sentence(detail)
        errors[FieldError(_path(detail["loc"]), code, message)] = None
        if len(errors) == MAX_FIELD_ERRORS:
            break
    return tuple(errors)


def invalid(fields: tuple[FieldError, ...]) -> Invalid:
    """The error to raise for `fields`: the class of their common code if it has one, or Invalid."""
    codes = {one.code for one in fields}
    kinds = (kind for kind in every_error() if issubclass(kind, Invalid) and codes == {kind.code})
    names = ", ".join(one.field for one in fields[:5])
    detail = f"Refused: {names}{' and more' if len(fields) > 5 else ''}."
    if len(fields) == 1:
        detail = f"{fields[0].field}: {fields[0].message}"
    return next(kinds, Invalid)(detail, fields=fields)


def _sentence(detail: Mapping[str, Any]) -> tuple[str, str]:
    kind: str = detail["type"]
    if kind in _SENTENCES:
        code, template = _SENTENCES[kind]
        return code, template.format_map(detail.get("ctx") or {})
    if kind not in _BUILT_IN:
        return kind.replace("_", "-"), str(detail["msg"])
    if kind.endswith("_type"):
        return "wrong-type", "Has the wrong type."
    return "invalid", "Is not valid."


def _path(location: tuple[str | int, ...]) -> str:
    parts = [str(part) for part in location]
    return ".".join(part if _SAFE_NAME.fullmatch(part) else "?" for part in parts) or "body"
