"""Log lines: one JSON object a line, or a readable form for a terminal. Knows nothing of HTTP.

What may be secret never comes here: callers pass paths without their query, and neither bodies
nor headers. Tracebacks are written without the values of local variables for the same reason.
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

import orjson

from turnout import clock
from turnout.structured import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered; every line written meanwhile carries it."""

LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_LIBRARY_LEVELS = {
    "uvicorn": logging.INFO,
    "uvicorn.error": logging.INFO,
    "alembic": logging.INFO,
    # Below WARNING it writes statements with their parameters, which hold addresses and hashes.
    "sqlalchemy": logging.WARNING,
    "sqlalchemy.engine": logging.WARNING,
    # Below WARNING it writes whole addresses: a geocoder's have a key and what people look for.
    "httpx2": logging.WARNING,
}
_JSON = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


class _Output:
    """Where lines go, and in which form; replaced as a whole by `configure`."""

    def __init__(self, stream: BinaryIO | None, *, human: bool, level: int) -> None:
        self.stream = stream
        self.human = human
        self.level = level

    def write(self, line: bytes) -> None:
        """Hand one line over at once, so that a crash loses none."""
        if self.stream is not None:
            self.stream.write(line)
            self.stream.flush()


_output = _Output(None, human=False, level=logging.INFO)


def to_stderr(log_format: str) -> None:
    """Lines to the standard error stream: `json`, `human`, or `auto`, human on a terminal alone."""
    human = sys.stderr.isatty() if log_format == "auto" else log_format == "human"
    configure(human=human, stream=sys.stderr.buffer)


def configure(*, human: bool, stream: BinaryIO, level: str = "info") -> None:
    """Send every line of this process to `stream`: structlog's and the standard library's.

    `stream` takes bytes (`sys.stderr.buffer`); `level` is a key of `LEVELS`. May be called again:
    the last call counts. Handlers of others on the root logger stay.
    """
    global _output  # noqa: PLW0603 - one process has one log, and no caller holds a handle to it
    _output = _Output(stream, human=human, level=LEVELS[level])
    colors = human and stream.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _with_time_and_request,
            *(_human_steps(colors=colors) if human else _json_steps()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_output.level),
        logger_factory=_Lines,
        # Off, so that a second call reaches the loggers that modules already hold.
        cache_logger_on_first_use=False,
    )
    _route_standard_library()


def silence() -> None:
    """Undo `configure`: write nothing any more, and leave the standard library alone."""
    global _output  # noqa: PLW0603 - as in configure
    _output = _Output(None, human=False, level=logging.INFO)
    structlog.reset_defaults()
    _remove_own_handler()


def request_line(
    *, method: str, path: str, status: int, duration_ms: float, sent_bytes: int
) -> None:
    """Write the one line of a finished request; `path` without its query, `status` 0 if unsent.

    This is on the path of every request, so it goes past structlog where the form is JSON.
    """
    level = "error" if status >= 500 else "info"
    if LEVELS[level] < _output.level:
        return
    line: dict[str, object] = {
        "time": clock.now(),
        "level": level,
        "message": "request",
        "request_id": request_id.get(),
        "method": method,
        "path": path,
        "status": status,
        "duration_ms": duration_ms,
        "bytes": sent_bytes,
    }
    if _output.human:
        _write_human(line)
    else:
        _output.write(_as_json(line))


def _write_human(line: dict[str, object]) -> None:
    kept = {key: line[key] for key in ("method", "path", "status", "duration_ms", "bytes")}
    structlog.get_logger().log(LEVELS[str(line["level"])], str(line["message"]), **kept)


def _with_time_and_request(_: "WrappedLogger", __: str, event: "EventDict") -> "EventDict":
    event["time"] = clock.now()
    if current := request_id.get():
        event.setdefault("request_id", current)
    return event


def _json_steps() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.ExceptionRenderer(),
        structlog.processors.EventRenamer("message"),
        _ordered_json,
    ]


def _human_steps(*, colors: bool) -> list[structlog.typing.Processor]:
    # Imported here: it brings a library for terminals along, which a server has no use for.
    from structlog.dev import ConsoleRenderer, plain_traceback

    # `plain_traceback`: the rich one would print local variables, and with them passwords.
    # `repr_native_str`: a path may hold escape codes, which a terminal would obey.
    console = ConsoleRenderer(
        colors=colors,
        exception_formatter=plain_traceback,
        repr_native_str=True,
        timestamp_key="time",
    )

    def render(logger: "WrappedLogger", name: str, event: "EventDict") -> bytes:
        event["time"] = event["time"].isoformat(timespec="milliseconds")
        return f"{console(logger, name, event)}\n".encode(errors="backslashreplace")

    return [render]


def _ordered_json(_: "WrappedLogger", __: str, event: "EventDict") -> bytes:
    first = {key: event.pop(key) for key in ("time", "level", "message") if key in event}
    return _as_json({**first, **event})


def _as_json(line: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(line, default=repr, option=_JSON)
    except TypeError:
        # A lone surrogate, or an integer of more than 64 bits: rare, and no reason to lose a line.
        return json.dumps(line, default=_as_text).encode() + b"\n"


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)


class _Lines:
    """What structlog calls last: takes a finished line under the name of any level."""

    def __init__(self, *_: object) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = self.msg

    def msg(self, line: bytes) -> None:
        """Write `line`, which ends in a newline."""
        _output.write(line)


class _FromStandardLibrary(logging.Handler):
    """Turns a record of `logging` into a line like all others."""

    def emit(self, record: logging.LogRecord) -> None:
        level = max(logging.DEBUG, min(record.levelno, logging.ERROR))
        try:
            structlog.get_logger().log(
                level // 10 * 10, record.getMessage(), logger=record.name, exc_info=record.exc_info
            )
        except Exception:  # noqa: BLE001 - a handler may not raise into the code that logs
            self.handleError(record)


def _route_standard_library() -> None:
    _remove_own_handler()
    logging.getLogger().addHandler(_FromStandardLibrary())
    for name, level in _LIBRARY_LEVELS.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(level)
    # The request line replaces it, and it would write query strings.
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False


def _remove_own_handler() -> None:
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _FromStandardLibrary)]:
        root.removeHandler(handler)
