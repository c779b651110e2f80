"""Attacks the product on loopback with sqlmap and wapiti, over every parameter it has.

Both have to be on the PATH (`pip install sqlmap wapiti3` into an environment of their own): the
product does not depend on them. It takes some minutes, ends with 1 where anything was found, and
leaves the tools' reports in the folder that it names. `--part` runs one of the two alone.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support import product

ADMIN = {"username": "root@example.com", "password": "correct horse battery staple"}
SETTINGS = {
    "TURNOUT_ADMIN_EMAIL": ADMIN["username"],
    "TURNOUT_ADMIN_PASSWORD": ADMIN["password"],
    "TURNOUT_RATE_LIMITS": "off",
}
SAMPLES = {"integer": "20", "boolean": "true"}
WAPITI_MODULES = "all,-nikto,-wapp,-buster,-drupal_enum,-wp_enum,-csrf,-https_redirect"
"""All but lists of other products, and two that cannot be right here: `csrf` looks for a token in
forms, where we look at what browsers say of a request's origin (tests/edge/test_csrf.py), and the
server under attack speaks plain HTTP on loopback."""
NOTHING = "nothing"
VERDICTS = {
    "unable to connect": "NOT TRIED",
    "identified the following injection point": "FOUND",
    "all tested parameters do not appear to be injectable": NOTHING,
}
"""What it means that sqlmap says so; the first that it has said counts."""
LEFT_ALONE = ("/auth/revoke", "/users/me", "/users/{user_id}")
"""DELETE and POST there would end the account that the attack is made with."""


def main() -> None:
    """Start a server with something in it, attack it, and tell what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("sqlmap", "wapiti"), help="only that tool")
    part = parser.parse_args().part
    missing = [tool for tool in ("sqlmap", "wapiti") if part in (None, tool)]
    missing = [tool for tool in missing if shutil.which(tool) is None]
    if missing:
        sys.exit(f"not on the PATH: {', '.join(missing)}")
    folder = Path(tempfile.mkdtemp(prefix="turnout-attack-"))
    with product.served(folder, "--workers", "1", settings=SETTINGS) as server:
        token, ids = _furnish(server.url)
        document = httpx2.get(f"{server.url}/openapi.json").json()
        found = _sqlmap(server.url, document, ids, folder) if part != "wapiti" else []
        found += _wapiti(server.url, token, folder) if part != "sqlmap" else []
    print(f"reports are in {folder}")
    print("\n".join(found) or "nothing was found")
    sys.exit(1 if found else 0)


def _furnish(url: str) -> tuple[str, dict[str, str]]:
    """The administrator's token, and ids of things that there are."""
    token = _token(url)
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as api:
        event = {
            "name": "Attacked",
            "location": "Pune",
            "start_time": "2030-12-07T10:00:00",
            "end_time": "2030-12-07T18:00:00",
            "max_capacity": 1_000,
        }
        event_id = api.post("/events", json=event).json()["id"]
        person = {"name": "Ada", "email": "ada@example.com"}
        seat = api.post(f"/events/{event_id}/register", json=person).json()["id"]
        user = {"name": "Grace", "email": "grace@example.com", "role": "attendee"}
        user_id = api.post("/users", json=user).json()["id"]
    ids = {"event_id": event_id, "registration_id": seat, "user_id": user_id, "code": "not-found"}
    return token, ids


def _token(url: str) -> str:
    token: str = httpx2.post(f"{url}/auth/token", data=ADMIN).json()["access_token"]
    return token


def _sqlmap(url: str, document: dict[str, Any], ids: dict[str, str], folder: Path) -> list[str]:
    """The calls in whose parameters sqlmap could put SQL."""
    found: list[str] = []
    for n, (name, request) in enumerate(_requests(url, document, ids)):
        file = folder / f"{n:02}.request"
        # A fresh token for each: they run out sooner than all of it is done.
        file.write_bytes(request.replace(b"TOKEN", _token(url).encode()))
        command = [
            *("sqlmap", "-r", str(file), "--batch", "--level", "2", "--risk", "1"),
            *("--flush-session", "--output-dir", str(folder / "sqlmap")),
            *("--param-filter", "URI,GET,POST,(custom) POST", "--technique", "BEUSTQ"),
            *("--timeout", "20", "--retries", "1", "--ignore-code", "*", "--disable-coloring"),
        ]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1_800)
        (folder / f"{n:02}.sqlmap").write_text(ran.stdout + ran.stderr)
        verdict = next((said for sign, said in VERDICTS.items() if sign in ran.stdout), "NOT TRIED")
        print(f"sqlmap {name}: {verdict}", flush=True)
        if verdict != NOTHING:
            found.append(f"sqlmap: {name}: {verdict}, see {n:02}.sqlmap")
    return found


def _requests(
    url: str, document: dict[str, Any], ids: dict[str, str]
) -> Iterator[tuple[str, bytes]]:
    """Each call as the bytes of a request; a `*` marks what sqlmap shall try in a path."""
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            if method == "delete" or (method == "post" and path in LEFT_ALONE):
                continue
            target = path
            for name, value in ids.items():
                target = target.replace("{" + name + "}", f"{value}*")
            query = {
                each["name"]: _sample(each, ids)
                for each in call.get("parameters", ())
                if each["in"] == "query"
            }
            if "{" in target or not (query or "*" in target or "requestBody" in call):
                continue
            # Apart, for a cursor that is none hides what the others would do.
            cursor = {name: query.pop(name) for name in ("cursor",) if name in query}
            for part in (cursor, query) if cursor else (query,):
                whole = f"{target}?{urlencode(part)}" if part else target
                yield f"{method.upper()} {path}", _bytes(url, method, whole, call)


def _sample(parameter: dict[str, Any], ids: dict[str, str]) -> str:
    schema = parameter["schema"]
    if schema.get("format") == "uuid":
        return ids["event_id"]
    if "examples" in schema:
        return str(schema["examples"][0])
    if "enum" in schema:
        return str(schema["enum"][0])
    return SAMPLES.get(str(schema.get("type")), "a")


def _bytes(url: str, method: str, target: str, call: dict[str, Any]) -> bytes:
    host = url.removeprefix("http://")
    head = [f"{method.upper()} {target} HTTP/1.1", f"Host: {host}"]
    head.append("Authorization: Bearer TOKEN")
    body = ""
    for kind, media in call.get("requestBody", {}).get("content", {}).items():
        example = next(iter(media["examples"].values()))["value"]
        is_form = kind.endswith("urlencoded")
        body = urlencode(example) if is_form else json.dumps(example)
        head.append(f"Content-Type: {kind}")
    return "\r\n".join([*head, f"Content-Length: {len(body.encode())}", "", body]).encode()


def _wapiti(url: str, token: str, folder: Path) -> list[str]:
    """What wapiti has found, by class; with the token and without it."""
    found: list[str] = []
    for name, more in (("known", ["-H", f"Authorization: Bearer {token}"]), ("nobody", [])):
        report = folder / f"wapiti-{name}.json"
        command = [
            *("wapiti", "-u", f"{url}/", "--swagger", f"{url}/openapi.json", "--flush-session"),
            *("--scope", "domain", "-m", WAPITI_MODULES),
            *(
                "--max-scan-time",
                "900",
                "--max-attack-time",
                "120",
                "-f",
                "json",
                "-o",
                str(report),
            ),
            *("--no-bugreport", "--store-session", str(folder / "wapiti"), "-v", "0", *more),
        ]
        env = {**os.environ, "HOME": str(folder)}
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        (folder / f"wapiti-{name}.log").write_text(ran.stdout + ran.stderr)
        classes = json.loads(report.read_text())["vulnerabilities"] if report.exists() else {}
        found += [
            f"wapiti as {name}: {kind}: {len(each)}" for kind, each in classes.items() if each
        ]
        if not report.exists():
            found.append(f"wapiti as {name} has left no report, see wapiti-{name}.log")
    return found


if __name__ == "__main__":
    main()
