"""The cells of events in full: values as JSON has them to text and back; it knows no rule."""

import json
import re

import orjson

NUMBERS = ("maxCapacity", "latitude", "longitude")
FLAGS = ("waitlistEnabled", "online")
LISTS = ("topics", "slots")

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}\.[0-9]+|-?[0-9.]{1,20}e[+-]?[0-9]{1,3}")
_SAID = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def value(field: str, given: object) -> object:
    """What the text in a cell stands for; itself where it stands for nothing of the field's kind.

    What JSON brought along as another kind than text is left alone.
    """
    if not isinstance(given, str):
        return given
    text = given.strip()
    if field in NUMBERS:
        return _number(text)
    if field in FLAGS:
        return _SAID.get(text.lower(), text)
    if field in LISTS:
        return _list(text, field)
    return given


def text(value: object) -> str:
    """The value as a cell: lists of plain words with `;` between, other lists as JSON."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return _joined(value)
        case _:
            return str(value)


def _number(text: str) -> object:
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        return float(text) if _DECIMAL.fullmatch(text) else text
    except ValueError:
        return text


def _list(text: str, field: str) -> object:
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    if field == "topics":
        return [each.strip() for each in text.split(";") if each.strip()]
    return text


def _joined(values: list[object]) -> str:
    are_plain = all(isinstance(each, str) and ";" not in each for each in values)
    joined = ";".join(map(str, values))
    return joined if are_plain and not joined.startswith("[") else orjson.dumps(values).decode()
