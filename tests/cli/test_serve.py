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
from tests.db import rows
from tests.factories import a_person, make_event
from tests.support.processes import LOOPBACK, Server, free_port

from turnout.db.session import Database

TURNOUT = Path(sys.executable).with_name("turnout")
CLIENTS = 8


def serving(folder: Path, database_url: str, *options: str) -> Server:
    port = free_port()
    command = [str(TURNOUT), "serve", "--open", "--port", str(port), *options]
    env = {"TURNOUT_DATA_DIR": str(folder / "data"), "TURNOUT_DATABASE_URL": database_url}
    return Server(command, port=port, path="/health/ready", env=env, cwd=folder)


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
    assert password not in written
    assert (status, "Traceback" in written) == (0, False)
