"""Writes the Postman collection from the product's own API document.

With `--check` it only says whether the one there is stale.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.postman_folders import FOLDERS, Step

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
    "token": "of-the-url-of-the-calendar",
    **IN_PATHS,
}
"""What is there before anything has run; a path's parameters have these names."""


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
    # Where a rehearsal answers 200, the call itself answers 201.
    status = max(int(each) for each in call["responses"] if each[0] == "2")
    answer = call["responses"][str(status)]
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
            "disabled": not parameter["required"],
        }
        for parameter in _parameters(call, "query")
    ]
    needed = urlencode({each["key"]: each["value"] for each in query if not each["disabled"]})
    url = {
        "raw": "{{base_url}}" + filled + (f"?{needed}" if needed else ""),
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
