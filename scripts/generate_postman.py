"""Writes the Postman collection from the product's own API document; `--check` says if it is stale.

The requests are in an order in which they can be run: what one makes, the next ones use.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from turnout.api.examples import IN_PATHS
from turnout.api.openapi import Call, calls_of
from turnout.main import create_app
from turnout.settings import Settings

FILE = Path(__file__).parents[1] / "docs" / "postman" / "turnout.postman_collection.json"
FORM = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
BASE_URL = "http://127.0.0.1:8000"
JSON = "application/json"
GUIDE = """The requests run from top to bottom; what one makes, the next ones use.

The first folder needs no account: `turnout serve --open`. For the others start the server with
`TURNOUT_ADMIN_EMAIL` and `TURNOUT_ADMIN_PASSWORD` as the variables `admin_email` and
`admin_password` have them. What only a mail or an authenticator shows goes into the variables
`verify_token`, `reset_token` and `otp`; without it those requests are refused, which their tests
allow.
"""
VARIABLES = {
    "base_url": BASE_URL,
    "email": "ada@example.com",
    "password": "four unrelated words here",
    "admin_email": "root@example.com",
    "admin_password": "correct horse battery staple",
    "verify_token": "of-the-mail",
    "reset_token": "of-the-mail",
    "otp": "000000",
    **IN_PATHS,
}
"""What is there before anything has run; a path's parameters have these names."""
ME, ROOT, GUEST = "Bearer {{access_token}}", "Bearer {{admin_token}}", "Ticket {{manage_token}}"


@dataclass(frozen=True)
class Step:
    """One request: an operation of the document, and what it is sent with here."""

    operation: str
    credential: str | None = None
    body: Mapping[str, str] | None = None
    """Instead of the document's example."""
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Variables to set, each to a member of the good answer."""
    refusals: tuple[int, ...] = ()
    """Statuses that are all right as well, without what only a mail or a device shows."""
    name: str | None = None
    """Instead of the summary, where an operation comes more than once."""


@dataclass(frozen=True)
class Folder:
    """Requests that belong together, in the order in which they run."""

    name: str
    description: str
    steps: tuple[Step, ...]


_MINE = {"username": "{{email}}", "password": "{{password}}"}
_ADMINS = {"username": "{{admin_email}}", "password": "{{admin_password}}"}
_TOKENS = {"access_token": "access_token", "refresh_token": "refresh_token"}
_BY_CODE = {"code": "{{recovery_code}}"}
FOLDERS = (
    Folder(
        "First steps",
        "An event, a seat, and who comes: no account is needed in open mode.",
        (
            Step("create_event", keeps={"event_id": "id"}),
            Step("list_events"),
            Step("register", keeps={"registration_id": "id", "manage_token": "manage_token"}),
            Step("list_attendees"),
            Step("read_event"),
        ),
    ),
    Folder(
        "A guest's seat",
        "By the token that came with the seat.",
        (
            Step("read_registration", GUEST),
            Step("change_registration", GUEST),
            Step("cancel_registration", GUEST),
        ),
    ),
    Folder(
        "An account of your own",
        "Get one, sign in, look after it.",
        (
            Step(
                "sign_up",
                body={"email": "{{email}}", "password": "{{password}}", "name": "Ada Lovelace"},
            ),
            Step("issue_tokens", body=_MINE, keeps=_TOKENS),
            Step(
                "issue_tokens",
                body={"grant_type": "refresh_token", "refresh_token": "{{refresh_token}}"},
                keeps=_TOKENS,
                name="Stay signed in",
            ),
            Step("read_profile", ME),
            Step("change_profile", ME),
            Step("list_own", ME),
            Step("create_token", ME, keeps={"token_id": "id"}),
            Step("list_tokens", ME),
            Step("revoke_api_token", ME),
            Step("issue_tokens", body=_MINE, name="Sign in somewhere else"),
            Step("list_sign_ins", ME, keeps={"sign_in_id": "items[0].id"}),
            Step("end_sign_in", ME),
        ),
    ),
    Folder(
        "Second factor",
        "An authenticator beside the password: put what it shows into the variable `otp`.",
        (
            Step("read_second_factor", ME),
            Step("begin_second_factor", ME, keeps={"secret": "secret"}),
            Step(
                "confirm_second_factor",
                ME,
                body={"code": "{{otp}}"},
                keeps={"recovery_code": "recovery_codes[0]"},
                refusals=(422,),
            ),
            Step(
                "renew_recovery_codes",
                ME,
                body=_BY_CODE,
                keeps={"recovery_code": "recovery_codes[0]"},
                refusals=(409,),
            ),
            Step("disable_second_factor", ME, body=_BY_CODE, refusals=(409,)),
        ),
    ),
    Folder(
        "By mail",
        "The tokens are those of the links in mails, or of `turnout users link`.",
        (
            Step("verify_email", body={"token": "{{verify_token}}"}, refusals=(404,)),
            Step("forgot_password", body={"email": "{{email}}"}),
            Step(
                "reset_password",
                body={"token": "{{reset_token}}", "password": "{{password}}"},
                refusals=(404,),
            ),
        ),
    ),
    Folder(
        "Administration",
        "Everybody's accounts, and who did what.",
        (
            Step(
                "issue_tokens",
                body=_ADMINS,
                keeps={"admin_token": "access_token"},
                name="Sign in as the administrator",
            ),
            Step("list_users", ROOT),
            Step(
                "create_user",
                ROOT,
                body={"email": "{{$guid}}@example.com", "name": "Grace Hopper", "role": "attendee"},
                keeps={"user_id": "id"},
            ),
            Step("read_user", ROOT),
            Step("change_user", ROOT),
            Step("remove_second_factor", ROOT),
            Step("list_audit", ROOT),
        ),
    ),
    Folder(
        "Team",
        "Who helps with the event.",
        (
            Step("add_member", ROOT, body={"user_id": "{{user_id}}", "role": "door"}),
            Step("list_team", ROOT),
            Step("remove_member", ROOT),
        ),
    ),
    Folder(
        "Leaving",
        "Sign out, and take people out of everything.",
        (
            Step("delete_user", ROOT),
            Step("revoke_token", ME, body={"token": "{{refresh_token}}"}),
            Step("issue_tokens", body=_MINE, keeps=_TOKENS, name="Sign in once more"),
            Step("delete_account", ME),
        ),
    ),
    Folder(
        "The server",
        "For those who run it, and for those who wonder about an error.",
        (Step("check_live"), Step("check_ready"), Step("page")),
    ),
)


def collection(document: dict[str, Any]) -> dict[str, Any]:
    """The collection, in the form of Postman's v2.1, of an OpenAPI document."""
    info = document["info"]
    kept = [name for folder in FOLDERS for step in folder.steps for name in step.keeps]
    variables = {**VARIABLES, **dict.fromkeys(kept, "")}
    calls = {call["operationId"]: (path, method, call) for path, method, call in calls_of(document)}
    return {
        "info": {
            "name": info["title"],
            "description": f"{info['description']}\n{GUIDE}",
            "schema": FORM,
        },
        "variable": [{"key": key, "value": value} for key, value in variables.items()],
        "item": [
            {
                "name": folder.name,
                "description": folder.description,
                "item": [_item(step, *calls[step.operation]) for step in folder.steps],
            }
            for folder in FOLDERS
        ],
    }


def _item(step: Step, path: str, method: str, call: Call) -> dict[str, Any]:
    status, answer = next(
        (int(status), answer) for status, answer in call["responses"].items() if status[0] == "2"
    )
    request = _request(step, path, method, call)
    return {
        "name": step.name or call["summary"],
        "request": request,
        "event": [{"listen": "test", "script": _script(step, status)}],
        "response": list(_answers(request, status, answer)),
    }


def _request(step: Step, path: str, method: str, call: Call) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": method.upper(),
        "description": call["description"],
        "header": list(_headers(call)),
        "url": _url(path, call),
    }
    if step.credential is not None:
        request["header"].insert(0, {"key": "Authorization", "value": step.credential})
    holder = call.get("requestBody", {})
    body = step.body or _first_example(holder)
    if body is not None:
        [kind] = holder["content"]
        request["header"].insert(0, {"key": "Content-Type", "value": kind})
        request["body"] = _body(kind, body)
    return request


def _body(kind: str, body: Any) -> dict[str, Any]:
    if kind == JSON:
        return {"mode": "raw", "raw": _pretty(body), "options": {"raw": {"language": "json"}}}
    fields = [{"key": key, "value": value} for key, value in body.items()]
    return {"mode": "urlencoded", "urlencoded": fields}


def _headers(call: Call) -> Iterator[dict[str, Any]]:
    """The optional headers, switched off, with a value that works once they are switched on."""
    for parameter in _parameters(call, "header"):
        random = parameter["name"] == "Idempotency-Key"
        yield {
            "key": parameter["name"],
            "value": "{{$guid}}" if random else "",
            "description": parameter["description"],
            "disabled": True,
        }


def _url(path: str, call: Call) -> dict[str, Any]:
    filled = path.replace("{", "{{").replace("}", "}}")
    query = [
        {
            "key": parameter["name"],
            "value": str(_value(parameter["schema"])),
            "description": parameter["description"],
            "disabled": True,
        }
        for parameter in _parameters(call, "query")
    ]
    url = {
        "raw": "{{base_url}}" + filled,
        "host": ["{{base_url}}"],
        "path": filled.strip("/").split("/"),
    }
    return {**url, "query": query} if query else url


def _parameters(call: Call, kind: str) -> list[dict[str, Any]]:
    return [each for each in call.get("parameters", []) if each["in"] == kind]


def _value(schema: dict[str, Any]) -> object:
    """Something that may be sent for a parameter: an example, its default, one of its values."""
    offered = [*schema.get("examples", []), *schema.get("enum", [])]
    return schema.get("default", offered[0] if offered else "")


def _script(step: Step, status: int) -> dict[str, Any]:
    test = f'pm.test("answers {status}", () => pm.response.to.have.status({status}));'
    if step.refusals:
        allowed = json.dumps([status, *step.refusals])
        name = f"answers {' or '.join(map(str, (status, *step.refusals)))}"
        test = f'pm.test("{name}", () => pm.expect(pm.response.code).to.be.oneOf({allowed}));'
    kept = [
        f"if (pm.response.code === {status}) "
        f'pm.collectionVariables.set("{variable}", pm.response.json().{member});'
        for variable, member in step.keeps.items()
    ]
    return {"type": "text/javascript", "exec": [test, *kept]}


def _answers(
    request: dict[str, Any], status: int, answer: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """The saved example of the good answer, where the document shows one."""
    body = _first_example(answer)
    if body is not None:
        yield {
            "name": str(status),
            "originalRequest": request,
            "code": status,
            "header": [{"key": "Content-Type", "value": JSON}],
            "body": _pretty(body),
            "_postman_previewlanguage": "json",
        }


def _first_example(holder: dict[str, Any]) -> object:
    for media in holder.get("content", {}).values():
        for example in media.get("examples", {}).values():
            return example["value"]
    return None


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


async def api_document() -> dict[str, Any]:
    """The document as the product answers it; no database is opened for that."""
    app = create_app(Settings(_env_file=None))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        document: dict[str, Any] = (await client.get("/openapi.json")).json()
        return document


def text() -> str:
    """What the file should hold."""
    return _pretty(collection(asyncio.run(api_document()))) + "\n"


def main() -> None:
    """Write the file, or with `--check` only say whether it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    if not parser.parse_args().check:
        FILE.write_text(text(), "utf-8")
    elif not FILE.is_file() or FILE.read_text("utf-8") != text():
        sys.exit(f"{FILE.name} is stale; run scripts/generate_postman.py")


if __name__ == "__main__":
    main()
