"""Programs that tests start come up, say what went wrong, and never stay behind."""

import http.client
import os
import signal
import socket
import sys

import pytest
from tests.support import processes
from tests.support.processes import LOOPBACK, DidNotStart, DidNotStop, Server, free_port, is_running

# A program that serves 200 and says its variables, in the ways that the tests ask for.
PROGRAM = """
import http.server, os, signal, subprocess, sys, time
mode, port = sys.argv[1], int(sys.argv[2])
print("mode", mode, os.environ.get("TURNOUT_GREETING"), os.environ.get("TURNOUT_LEAK"), flush=True)
if mode == "fails":
    sys.exit("cannot go on")
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "polite":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
if mode == "parent":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("child", child.pid, flush=True)
if mode == "silent":
    time.sleep(600)

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 503)
        self.end_headers()
        self.wfile.write(b"here")

http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


def program(mode: str, *, timeout_seconds: float = 30.0, path: str = "/ready") -> Server:
    port = free_port()
    return Server(
        [sys.executable, "-c", PROGRAM, mode, str(port)],
        port=port,
        path=path,
        env={"TURNOUT_GREETING": "hello"},
        timeout_seconds=timeout_seconds,
    )


def test_free_port_is_one_that_can_be_bound_and_no_client_is_given() -> None:
    port = free_port()

    with socket.socket() as listener:
        listener.bind((LOOPBACK, port))
        assert listener.getsockname() == (LOOPBACK, port)
    assert port in processes._PORTS


def test_server_when_ready_answers_on_its_port() -> None:
    with program("polite") as server:
        connection = http.client.HTTPConnection(LOOPBACK, server.port, timeout=10)
        connection.request("GET", "/ready")
        body = connection.getresponse().read()
        connection.close()

    assert body == b"here"


def test_server_gets_its_variables_and_no_other_of_the_product(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TURNOUT_LEAK", "from the developer's shell")

    with program("polite") as server:
        first_line = server.output().splitlines()[0]

    assert first_line == "mode polite hello None"


def test_stop_gives_the_exit_code_of_the_program() -> None:
    with program("polite") as server:
        code = server.stop()

    assert code == 3


def test_stop_of_a_program_that_does_not_listen_kills_it_and_says_so() -> None:
    with program("deaf") as server:
        with pytest.raises(DidNotStop, match="mode deaf"):
            server.stop(timeout_seconds=0.2)

        assert not is_running(server.pid)


def test_kill_ends_the_children_too() -> None:
    with program("parent") as server:
        child = int(server.output().split("child ")[1].split()[0])
        ran_before = is_running(child)

        server.kill()

        assert ran_before
        assert not is_running(child)


def test_server_that_ends_at_once_raises_with_its_output() -> None:
    with pytest.raises(DidNotStart, match="cannot go on"), program("fails"):
        raise AssertionError("a program that failed must not count as ready")


@pytest.mark.parametrize(("mode", "path"), [("silent", "/ready"), ("polite", "/other")])
def test_server_that_never_says_200_raises_after_the_time_out(mode: str, path: str) -> None:
    started = program(mode, path=path, timeout_seconds=0.5)

    with pytest.raises(DidNotStart, match="gave no 200"), started:
        raise AssertionError("a program without an answer must not count as ready")
    assert not is_running(started.pid)


def test_kill_after_stop_is_harmless() -> None:
    with program("polite") as server:
        server.stop()

        server.kill()

        with pytest.raises(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
