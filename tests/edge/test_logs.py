"""Every line of the process has one form, wherever it comes from."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from turnout.observability import logs

log = structlog.get_logger()


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    written = io.BytesIO()
    logs.configure(human=False, stream=written)
    token = logs.request_id.set("")
    yield written
    logs.request_id.reset(token)
    logs.silence()


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def without_time(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [{key: line[key] for key in line if key != "time"} for line in lines(stream)]


def test_line_carries_the_request_it_belongs_to(stream: io.BytesIO) -> None:
    log.info("before")
    logs.request_id.set("ada-1234")
    log.warning("during", seats=3)

    assert without_time(stream) == [
        {"level": "info", "message": "before"},
        {"level": "warning", "message": "during", "seats": 3, "request_id": "ada-1234"},
    ]
    assert [list(line)[:3] for line in lines(stream)] == [["time", "level", "message"]] * 2


def test_line_of_the_standard_library_has_the_same_form(stream: io.BytesIO) -> None:
    logging.getLogger("uvicorn.error").info("started %d", 1)
    logging.getLogger("elsewhere").info("too low")
    logging.getLogger("elsewhere").critical("high")

    assert without_time(stream) == [
        {"level": "info", "message": "started 1", "logger": "uvicorn.error"},
        {"level": "error", "message": "high", "logger": "elsewhere"},
    ]


def test_statement_of_the_database_is_not_written(stream: io.BytesIO) -> None:
    logging.getLogger("sqlalchemy.engine.Engine").info("[generated in 0.1s] ('canary',)")
    logging.getLogger("uvicorn.access").info("GET /?token=canary")

    assert stream.getvalue() == b""


def test_traceback_is_text_without_local_values(stream: io.BytesIO) -> None:
    def fail(password: str) -> int:
        return len(password) // 0

    try:
        fail("canary-" + "1" * 3)
    except ZeroDivisionError:
        log.exception("broke")
        logging.getLogger("elsewhere").exception("broke too")

    assert [line["message"] for line in lines(stream)] == ["broke", "broke too"]
    assert ["ZeroDivisionError" in line["exception"] for line in lines(stream)] == [True, True]
    assert b"canary-111" not in stream.getvalue()


def test_value_that_json_has_not_is_written_all_the_same(stream: io.BytesIO) -> None:
    log.info("odd", surrogate="\ud800", number=2**70, thing={1, 2})

    (line,) = lines(stream)
    assert (line["surrogate"], line["number"], line["thing"]) == ("\ud800", 2**70, "{1, 2}")


def test_line_below_the_level_is_not_written() -> None:
    written = io.BytesIO()
    logs.configure(human=False, stream=written, level="warning")

    log.info("too low")
    logs.request_line(method="GET", path="/", status=200, duration_ms=1.0, sent_bytes=0)
    logs.request_line(method="GET", path="/", status=500, duration_ms=1.0, sent_bytes=0)
    logs.silence()

    assert [(line["level"], line["status"]) for line in lines(written)] == [("error", 500)]


def test_human_form_is_one_readable_line_that_no_path_can_break() -> None:
    written = io.BytesIO()
    logs.configure(human=True, stream=written)

    logs.request_line(
        method="GET", path="/a\x1b[2J\nfake", status=200, duration_ms=1.5, sent_bytes=7
    )
    logs.silence()

    (line,) = written.getvalue().decode().splitlines()
    assert "\x1b" not in line
    assert line.split(" ", 1)[1].split() == [
        "[info",
        "]",
        "request",
        "bytes=7",
        "duration_ms=1.5",
        "method='GET'",
        r"path='/a\x1b[2J\nfake'",
        "status=200",
    ]


def test_configure_twice_writes_each_line_once(stream: io.BytesIO) -> None:
    second = io.BytesIO()
    logs.configure(human=False, stream=second)

    logging.getLogger("elsewhere").warning("once")

    assert (stream.getvalue(), len(lines(second))) == (b"", 1)


def test_silence_leaves_no_handler(stream: io.BytesIO) -> None:
    before = list(logging.getLogger().handlers)

    logs.silence()
    logs.request_line(method="GET", path="/", status=200, duration_ms=1.0, sent_bytes=0)

    after = logging.getLogger().handlers
    assert (len(before) - len(after), stream.getvalue()) == (1, b"")
