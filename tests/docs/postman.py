"""Runs a Postman collection as Postman would, as far as ours goes. Knows no call of the product."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

_VARIABLE = re.compile(r"\{\{(\w+)\}\}")
_EXPECTS = re.compile(
    r'pm\.test\("[\w ]+", \(\) => pm\.response\.to\.have\.status\((?P<status>\d{3})\)\);'
)
_REMEMBERS = re.compile(
    r'pm\.collectionVariables\.set\("(?P<variable>\w+)", pm\.response\.json\(\)\.(?P<member>\w+)\);'
)


class UnknownScript(Exception):
    """A test script says something that this runner does not understand."""


@dataclass(frozen=True)
class Result:
    """One request that was run: what its script expects, and what came."""

    name: str
    expected: int
    status: int


def requests_of(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The requests below a collection or folder, in order."""
    if "request" in item:
        yield item
    for child in item.get("item", []):
        yield from requests_of(child)


def run(collection: dict[str, Any], url: str) -> list[Result]:
    """The results of all requests in order, with the variables carried from one to the next."""
    variables = {each["key"]: each["value"] for each in collection["variable"]}
    variables["base_url"] = url
    with httpx2.Client() as client:
        return [_run(item, variables, client) for item in requests_of(collection)]


def _run(item: dict[str, Any], variables: dict[str, str], client: httpx2.Client) -> Result:
    request = item["request"]
    answer = client.request(
        request["method"],
        _filled(request["url"]["raw"], variables),
        headers={one["key"]: one["value"] for one in request["header"] if not one.get("disabled")},
        content=_filled(request.get("body", {}).get("raw", ""), variables),
    )
    expected = 0
    for line in item["event"][0]["script"]["exec"]:
        if found := _EXPECTS.fullmatch(line):
            expected = int(found["status"])
        elif found := _REMEMBERS.fullmatch(line):
            variables[found["variable"]] = str(json.loads(answer.content)[found["member"]])
        else:
            raise UnknownScript(line)
    return Result(item["name"], expected, answer.status_code)


def _filled(text: str, variables: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda found: variables[found[1]], text)
