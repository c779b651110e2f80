"""The server as a process of its own: who has asked is answered, also when it is told to stop."""

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import httpx2
import pytest
from tests.accounts.calls import sign_in
from tests.cli.typed import typed
from tests.db import rows
from tests.factories import a_person, make_event
from tests.support.cast import PASSWORD
from tests.support.processes import LOOPBACK, Server, free_port

from turnout.db.session import Database

TURNOUT = Path(sys.executable).with_name("turnout")
CLIENTS = 8
BECOME = "There is no administrator yet. Become it within a day, by this link: "


def serving(folder: Path, database_url: str, *options: str, **env: str) -> Server:
    """A server in open mode."""
    return closed(folder, database_url, "--open", *options, **env)


def closed(folder: Path, database_url: str, *options: str, **env: str) -> Server:
    """A server for which who sends no credential is nobody."""
    port = free_port()
    command = [str(TURNOUT), "serve", "--port", str(port), *options]
    where = {"TURNOUT_DATA_DIR": str(folder / "data"), "TURNOUT_DATABASE_URL": database_url}
    return Server(command, port=port, path="/health/ready", env=where | env, cwd=folder)


def lines_with(written: str, start: str) -> list[str]:
    """What follows `start` in each line that begins so."""
    lines = written.splitlines()
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


def send_register(port: int, event_id: str, n: int) -> socket.socket:
    """A connection on which a registration has been sent."""
    body = json.dumps(a_person(n)).encode()
    head = (
        f"POST /events/{event_id}/register HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection((LOOPBACK, port), timeout=30)
    connection.sendall(head.encode() + body)
    return connection


def answer_on(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


async def test_serve_told_to_stop_answers_who_has_asked(database_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, database_url) as server:
        async with httpx2.AsyncClient(base_url=server.url) as api:
            event = await make_event(api)
            async with rows.held(database_url, event["id"]):
                sent = [send_register(server.port, event["id"], n) for n in range(CLIENTS)]
                # Answered on the loop that reads all connections: what came before was read.
                for _ in range(3):
                    assert (await api.get("/health/live")).status_code == 200
                os.kill(server.pid, signal.SIGTERM)
                await rows.until(lambda: not is_listening(server.port))
        answers = [await asyncio.to_thread(answer_on, connection) for connection in sent]
        status = await asyncio.to_thread(server.stop)
        written = server.output()

    database = Database(database_url)
    drifts = await rows.drifts(database)
    await database.aclose()
    heads = [answer.split(b"\r\n", 1)[0] for answer in answers]
    bodies = [json.loads(answer.split(b"\r\n\r\n", 1)[1]) for answer in answers]
    assert heads == [b"HTTP/1.1 201 Created"] * CLIENTS
    assert [body["email"] for body in bodies] == [a_person(n)["email"] for n in range(CLIENTS)]
    assert (status, drifts) == (0, [])
    assert "Traceback" not in written


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_serve_after_clients_that_gave_up_logs_no_defect(
    database_url: str, tmp_path: Path
) -> None:
    """One is held up by the lock; those behind it leave, and are found to have left."""
    with serving(tmp_path, database_url) as server:
        async with httpx2.AsyncClient(base_url=server.url) as api:
            event = await make_event(api, max_capacity=1)
            async with rows.held(database_url, event["id"]):
                first = send_register(server.port, event["id"], 0)
                await api.get("/health/live")
                gone = [send_register(server.port, event["id"], n) for n in range(1, 4)]
                await api.get("/health/live")
                for connection in gone:
                    connection.close()
                await asyncio.sleep(0.6)  # longer than the desk's patience
            answer = await asyncio.to_thread(answer_on, first)
            event = (await api.get(f"/events/{event['id']}")).json()
        status = await asyncio.to_thread(server.stop)
        written = server.output()

    assert (answer[:12], event["seats_taken"], status) == (b"HTTP/1.1 201", 1, 0)
    assert "Traceback" not in written
    assert '"level":"error"' not in written


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_serve_says_where_it_is_and_no_password(database_url: str, tmp_path: Path) -> None:
    password = database_url.partition("@")[0].rpartition(":")[2]

    with serving(tmp_path, database_url, "--workers", "2") as server:
        async with httpx2.AsyncClient(base_url=server.url) as api:
            await make_event(api)
        status = await asyncio.to_thread(server.stop)
        written = server.output()

    assert f"Turnout is at {server.url}" in written
    assert f"Database: postgresql://{database_url.rpartition('@')[2]}" in written
    assert "Open access: whoever reaches this address" in written
    assert lines_with(written, "Sign in at ") == [f"{server.url}/login"]
    assert len(lines_with(written, BECOME)) == 1
    assert password not in written
    assert (status, "Traceback" in written) == (0, False)


async def test_serve_prints_how_to_become_the_administrator_until_somebody_is(
    database_url: str, tmp_path: Path
) -> None:
    written = []
    with closed(tmp_path, database_url) as server:
        written.append(server.output())
    with closed(tmp_path, database_url, "--workers", "2") as server:
        written.append(server.output())
        tokens = [lines_with(each, BECOME)[0].partition("?token=")[2] for each in written]
        async with httpx2.AsyncClient(base_url=server.url) as api:
            bodies = [{"token": token, "password": PASSWORD} for token in tokens]
            used = [await api.post("/auth/reset-password", json=body) for body in bodies]
            inside = await sign_in(api, "admin@turnout.invalid")
    with closed(tmp_path, database_url) as server:
        written.append(server.output())

    assert [len(lines_with(each, BECOME)) for each in written] == [1, 1, 0]
    assert [len(lines_with(each, "Sign in at ")) for each in written] == [1, 1, 1]
    assert [answer.status_code for answer in (*used, inside)] == [404, 204, 200]


async def test_serve_makes_the_administrator_of_its_settings(
    database_url: str, tmp_path: Path
) -> None:
    named = {"TURNOUT_ADMIN_EMAIL": "root@example.com", "TURNOUT_ADMIN_PASSWORD": PASSWORD}

    with closed(tmp_path, database_url, **named) as server:
        async with httpx2.AsyncClient(base_url=server.url) as api:
            inside = await sign_in(api, "root@example.com")
        status = await asyncio.to_thread(server.stop)
        written = server.output()

    assert (inside.status_code, status) == (200, 0)
    assert lines_with(written, "The administrator is ") == [
        "root@example.com, with the password of TURNOUT_ADMIN_PASSWORD."
    ]
    assert (lines_with(written, BECOME), PASSWORD in written) == ([], False)


def test_serve_with_an_administrator_who_cannot_be_is_one_line(
    database_url: str, tmp_path: Path
) -> None:
    said = typed(
        "serve", "--port", str(free_port()), base_url="http://127.0.0.1",
        database_url=database_url, data_dir=tmp_path / "data",
        admin_email="root@example.com", admin_password="hunter2",
    )  # fmt: skip

    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr == (
        "turnout: TURNOUT_ADMIN_PASSWORD cannot be used: Must have at least 12 characters.\n"
    )
