"""What the transport refuses before any feature is asked. Knows statuses, but no framework.

The classes carry the same code, title and explanation as the errors of features, so that one list
feeds the problem pages, the API document and the answers.
"""

from collections.abc import Iterator
from typing import ClassVar

from turnout.errors import NotFound, TurnoutError, every_error


class Refusal(TurnoutError):
    """A request that no feature gets to see; `status` is the HTTP status of its answer."""

    status: ClassVar[int]


class BadRequest(Refusal):
    """The message is not one that HTTP allows (RFC 9112)."""

    status = 400
    code = "bad-request"
    title = "The request is not well formed"
    explanation = (
        "The HTTP message itself breaks a rule. One valid Host header is needed, and either "
        "Content-Length or Transfer-Encoding, not both (400). Path and query together may have "
        "8 KiB (414). 100 headers are read, and 16 KiB of them in all (431): a browser that sends "
        "more should clear its cookies."
    )


class UriTooLong(BadRequest):
    """Path and query together are longer than 8 KiB."""

    status = 414


class HeadersTooLarge(BadRequest):
    """More than 100 headers, or more than 16 KiB of them (RFC 6585)."""

    status = 431


class MalformedJson(Refusal):
    """The body is not JSON (RFC 8259)."""

    status = 400
    code = "malformed-json"
    title = "The body is not valid JSON"
    explanation = (
        "The body could not be read as JSON in UTF-8. Common causes: an empty body, a trailing "
        "comma, NaN or Infinity, a byte order mark, another encoding, nesting without end."
    )


class MethodNotAllowed(Refusal):
    """The path exists, but not for this method; the member `allow` becomes the header Allow."""

    status = 405
    code = "method-not-allowed"
    title = "This address does not take that method"
    explanation = "The header Allow of the answer lists the methods that this address takes."


class PayloadTooLarge(Refusal):
    """The body is longer than this path takes."""

    status = 413
    code = "payload-too-large"
    title = "The body is too large"
    explanation = (
        "A JSON body may have 256 KiB, a cover picture 5 MiB, an imported file 10 MiB. Send less, "
        "or send it in parts."
    )


class UnsupportedMediaType(Refusal):
    """The body is of a type or an encoding that this path does not read."""

    status = 415
    code = "unsupported-media-type"
    title = "The body has a type that is not read here"
    explanation = (
        "Send the header `Content-Type: application/json`, the body in UTF-8, and no "
        "Content-Encoding: compressed bodies are not read."
    )


class PreconditionFailed(Refusal):
    """If-Match names another state than the present one (RFC 9110, 13.1.1)."""

    status = 412
    code = "precondition-failed"
    title = "It has changed since you read it"
    explanation = (
        "The header If-Match of the request names an ETag that is not the present one: somebody "
        "else was faster. Nothing was changed. Read it again, look at what is new, and repeat the "
        "change with the new ETag."
    )


class MalformedPrecondition(BadRequest):
    """If-Match holds no entity tag."""

    code = "precondition-malformed"
    title = "If-Match holds no ETag"
    explanation = (
        "The header If-Match is `*` or a list of entity tags in double quotes, as the header ETag "
        "of an answer gives them (RFC 9110, 13.1.1)."
    )


class InternalError(Refusal):
    """A defect of the server; the log has its cause under the request id."""

    status = 500
    code = "internal-error"
    title = "Something went wrong on our side"
    explanation = (
        "The server met a defect, and its cause is in the log. Try once more; if it stays, tell "
        "the operator the request id, which the answer and its header X-Request-Id carry."
    )


class Unavailable(Refusal):
    """The database cannot be reached for the moment."""

    status = 503
    code = "unavailable"
    title = "The service is not available for the moment"
    explanation = (
        "The database cannot be reached, or too much is asked at once. Nothing was changed. "
        "Wait for the seconds that the header Retry-After names, and send the request again."
    )
    retry_after_seconds: ClassVar[int] = 5


_BY_STATUS: dict[int, type[TurnoutError]] = {
    400: BadRequest,
    404: NotFound,
    405: MethodNotAllowed,
    412: PreconditionFailed,
    413: PayloadTooLarge,
    414: UriTooLong,
    415: UnsupportedMediaType,
    431: HeadersTooLarge,
    503: Unavailable,
}


def of_status(status: int) -> type[TurnoutError]:
    """The error that stands for a bare status of 400 or more, as a framework raises it."""
    return _BY_STATUS.get(status, InternalError if status >= 500 else BadRequest)


def every_problem() -> Iterator[type[TurnoutError]]:
    """Each error an answer may carry, of features and of the transport; each code once."""
    yield from every_error()
    waiting: list[type[Refusal]] = [Refusal]
    seen: set[str] = set()
    while waiting:
        refusal = waiting.pop(0)
        waiting.extend(refusal.__subclasses__())
        if "code" in vars(refusal) and refusal.code not in seen:
            seen.add(refusal.code)
            yield refusal
