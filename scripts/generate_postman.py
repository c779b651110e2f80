"""Writes the Postman collection from the product's own API document; `--check` says if it is stale.

The requests are in an order in which they can be run: what one makes, the next ones use.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
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
VARIABLES = {"base_url": BASE_URL, "event_id": "", **IN_PATHS}
"""A path's parameters have these names; `event_id` is set by the request that makes one."""
REMEMBERED = {"create_event": ("event_id", "id")}
"""By operation: the variable to set, and the member of the answer that holds its value."""


def collection(document: dict[str, Any]) -> dict[str, Any]:
    """The collection, in the form of Postman's v2.1, of an OpenAPI document."""
    return {
        "info": {
            "name": document["info"]["title"],
            "description": document["info"]["description"],
            "schema": FORM,
        },
        "variable": [{"key": key, "value": value} for key, value in VARIABLES.items()],
        "item": [
            {
                "name": tag["name"],
                "description": tag["description"],
                "item": list(_requests(document, tag["name"])),
            }
            for tag in document["tags"]
        ],
    }


def _requests(document: dict[str, Any], tag: str) -> Iterator[dict[str, Any]]:
    for path, method, call in calls_of(document):
        if tag in call["tags"]:
            status, answer = next(
                (status, answer) for status, answer in call["responses"].items() if status[0] == "2"
            )
            request = _request(path, method, call)
            yield {
                "name": call["summary"],
                "request": request,
                "event": [{"listen": "test", "script": _script(call["operationId"], status)}],
                "response": list(_answers(request, int(status), answer)),
            }


def _request(path: str, method: str, call: Call) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": method.upper(),
        "description": call["description"],
        "header": list(_headers(call)),
        "url": _url(path, call),
    }
    body = _first_example(call.get("requestBody", {}))
    if body is not None:
        request["header"].insert(0, {"key": "Content-Type", "value": "application/json"})
        language = {"raw": {"language": "json"}}
        request["body"] = {"mode": "raw", "raw": _pretty(body), "options": language}
    return request


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


def _script(operation: str, status: str) -> dict[str, Any]:
    test = f'pm.test("answers {status}", () => pm.response.to.have.status({status}));'
    lines = [test]
    if operation in REMEMBERED:
        variable, member = REMEMBERED[operation]
        lines.append(f'pm.collectionVariables.set("{variable}", pm.response.json().{member});')
    return {"type": "text/javascript", "exec": lines}


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
            "header": [{"key": "Content-Type", "value": "application/json"}],
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
