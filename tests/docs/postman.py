"""Runs a Postman collection as Postman would, as far as ours goes. Knows no call of the product."""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

_VARIABLE = re.compile(r"\{\{(\$?\w+)\}\}")
_STATUSES = r"\[?(?P<statuses>\d{3}(?:, \d{3})*)\]?"
_EXPECTS = re.compile(
    r'pm\.test\("[\w ]+", \(\) => '
    rf"pm\.(?:response\.to\.have\.status|expect\(pm\.response\.code\)\.to\.be\.oneOf)"
    rf"\({_STATUSES}\)\);"
)
_REMEMBERS = re.compile(
    r"if \(pm\.response\.code === (?P<status>\d{3})\) pm\.collectionVariables\.set"
    r'\("(?P<variable>\w+)", pm\.response\.json\(\)\.(?P<member>[\w.\[\]]+)\);'
)


class UnknownScript(Exception):
    """A test script says something that this runner does not understand."""


@dataclass(frozen=True)
class Result:
    """One request that was run: the statuses that its script allows, and what came."""

    name: str
    expected: tuple[int, ...]
    status: int


def requests_of(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The requests below a collection or folder, in order."""
    if "request" in item:
        yield item
    for child in item.get("item", []):
        yield from requests_of(child)


class Runner:
    """Sends the requests of a collection, and carries its variables from one to the next."""

    def __init__(self, collection: dict[str, Any], url: str, **known: str) -> None:
        self.variables = {each["key"]: each["value"] for each in collection["variable"]}
        self.variables |= {"base_url": url, **known}
        self._collection = collection

    def run(self) -> Iterator[Result]:
        """The results of all requests in order; `variables` may be changed in between."""
        with httpx2.Client() as client:
            for item in requests_of(self._collection):
                yield self._run(item, client)

    def _run(self, item: dict[str, Any], client: httpx2.Client) -> Result:
        request = item["request"]
        sent = [one for one in request["header"] if not one.get("disabled")]
        answer = client.request(
            request["method"],
            self._filled(request["url"]["raw"]),
            headers={one["key"]: self._filled(one["value"]) for one in sent},
            **self._body(request.get("body", {"mode": "raw", "raw": ""})),
        )
        expected: tuple[int, ...] = ()
        for line in item["event"][0]["script"]["exec"]:
            if found := _EXPECTS.fullmatch(line):
                expected = tuple(map(int, found["statuses"].split(", ")))
            elif found := _REMEMBERS.fullmatch(line):
                if answer.status_code == int(found["status"]):
                    value = _member(answer.json(), found["member"])
                    self.variables[found["variable"]] = str(value)
            else:
                raise UnknownScript(line)
        return Result(item["name"], expected, answer.status_code)

    def _body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if body["mode"] == "raw":
            return {"content": self._filled(body["raw"])}
        return {"data": {one["key"]: self._filled(one["value"]) for one in body["urlencoded"]}}

    def _filled(self, text: str) -> str:
        known = {**self.variables, "$guid": str(uuid.uuid4())}
        return _VARIABLE.sub(lambda found: known[found[1]], text)


def _member(answer: Any, path: str) -> object:
    """What stands at `items[0].id` of an answer."""
    for part in re.findall(r"\w+", path):
        answer = answer[int(part)] if part.isdigit() else answer[part]
    return answer
