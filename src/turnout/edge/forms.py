"""Reads what a client sends: bytes, and forms as browsers and OAuth clients send them.

Knows no feature; JSON is the JSON door's.
"""

from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect, Request

from turnout.edge import field_errors
from turnout.edge.refusals import PayloadTooLarge, UnsupportedMediaType
from turnout.errors import FieldError, Invalid

F = TypeVar("F", bound="Form")

MOST_FIELDS = 50
_BODY = "turnout.body"


async def raw(request: Request) -> bytes:
    """The body's bytes, read from the client once and remembered with the request.

    Raises PayloadTooLarge or UnsupportedMediaType (from the edge), ClientDisconnect.
    """
    known: bytes | None = request.scope.get(_BODY)
    if known is not None:
        return known
    chunks: list[bytes] = []
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    request.scope[_BODY] = body
    return body


class Form(BaseModel):
    """What a form is read into; fields that are not named are left alone (RFC 6749, 3.2)."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


async def read(request: Request, model: type[F]) -> F:
    """The body, a form as browsers and OAuth clients send it, as a `model`.

    Raises UnsupportedMediaType for any other type, PayloadTooLarge for more than `MOST_FIELDS`,
    Invalid with its fields for a field that is wrong or sent twice.
    """
    body = await raw(request)
    if not _is_form(request.scope["headers"]):
        raise UnsupportedMediaType("Send a form: application/x-www-form-urlencoded, in UTF-8.")
    if body.count(b"&") >= MOST_FIELDS:
        raise PayloadTooLarge("A form may have 50 fields.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise Invalid("The form is not UTF-8.") from None
    names = [name for name, _ in pairs]
    twice = sorted({name for name in model.model_fields if names.count(name) > 1})
    if twice:
        fields = tuple(FieldError(name, "sent-twice", "Send this field once.") for name in twice)
        raise Invalid("A field was sent more than once.", fields=fields)
    try:
        return model.model_validate({name: value for name, value in pairs if value})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    raise field_errors.invalid(field_errors.of(found))


def _is_form(headers: list[tuple[bytes, bytes]]) -> bool:
    given = [value for name, value in headers if name == b"content-type"]
    if len(given) != 1:
        return False
    media_type, *parameters = given[0].lower().replace(b" ", b"").replace(b'"', b"").split(b";")
    is_urlencoded = media_type == b"application/x-www-form-urlencoded"
    return is_urlencoded and parameters in ([], [b"charset=utf-8"])
