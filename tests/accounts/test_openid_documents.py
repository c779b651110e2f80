"""What a provider publishes and answers: kept while it is fresh, used only where it makes sense."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest
import time_machine
from tests.accounts.openid_calls import attempted, begin, client_of, finish, lying_provider, opened
from tests.support.openid import (
    DISCOVERY,
    LyingProvider,
    key,
    signed,
)
from tests.support.outside import Answer, answer, json_answer, raw, silence, trickle

from turnout import clock
from turnout.accounts.openid import OpenIdClient, OpenIdFailed, OpenIdUnavailable
from turnout.outside import MAX_ANSWER_BYTES, Outside, Reply

KEY = key("RS256")
OTHER_KEY = key("RS256", "two")


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with opened() as outside:
        yield outside


@pytest.fixture
async def provider() -> AsyncIterator[LyingProvider]:
    async with lying_provider() as started:
        yield started


@pytest.fixture
def client(outside: Outside, provider: LyingProvider) -> OpenIdClient:
    return client_of(outside, provider.issuer)


@pytest.fixture
async def hasty(provider: LyingProvider) -> AsyncIterator[OpenIdClient]:
    """A client that gives up early, so that the tests of giving up are short."""
    outside = Outside(read_seconds=0.2, total_seconds=0.5)
    yield client_of(outside, provider.issuer)
    await outside.aclose()


async def test_key_that_is_new_is_fetched(client: OpenIdClient, provider: LyingProvider) -> None:
    attempt, claims = await begin(client, provider)
    provider.give(signed(claims, KEY))
    await finish(client, attempt)
    provider.publish_keys(OTHER_KEY)
    provider.give(signed(claims, OTHER_KEY))

    identity = await finish(client, attempt)

    assert identity.subject == "ada"
    assert provider.server.times_asked("/jwks") == 2


async def test_key_that_is_new_and_has_no_id_is_fetched(
    client: OpenIdClient, provider: LyingProvider
) -> None:
    attempt, claims = await begin(client, provider)
    provider.give(signed(claims, KEY))
    await finish(client, attempt)
    provider.publish_keys(OTHER_KEY)
    provider.give(signed(claims, OTHER_KEY, kid=None))

    identity = await finish(client, attempt)

    assert identity.subject == "ada"


async def test_key_that_stays_unknown_is_looked_for_once(
    client: OpenIdClient, provider: LyingProvider
) -> None:
    attempt, claims = await begin(client, provider)
    provider.give(signed(claims, OTHER_KEY))

    with pytest.raises(OpenIdFailed):
        await finish(client, attempt)

    assert provider.server.times_asked("/jwks") == 2


WEAK: dict[str, object] = {"kty": "RSA", "kid": "weak", "n": "AQAB" * 40, "e": "AQAB"}
UNUSABLE: list[Mapping[str, object]] = [
    {},
    {"kty": "oct", "kid": "one", "k": "c2VjcmV0"},
    {"kty": "AKP", "kid": "one"},
    {"kty": "RSA", "kid": "one"},
    {"kty": "EC", "kid": "one", "crv": "P-0", "x": "AA", "y": "AA"},
    {"kty": "EC", "kid": "one", "crv": "P-256", "x": "AA", "y": "AA"},
    {"kty": "OKP", "kid": "one", "crv": "Ed25519", "x": "AA"},
    {"kty": "RSA", "kid": 1, "n": "AQAB" * 100, "e": "AQAB"},
    {"kty": "RSA", "kid": "one", "n": "ключ" * 100, "e": "AQAB"},
    {**KEY.as_dict(private=False), "use": "enc"},
    WEAK,
]


@pytest.mark.parametrize("kid", ["one", None])
async def test_keys_that_cannot_be_used_do_not_stop_the_others(
    client: OpenIdClient, provider: LyingProvider, kid: str | None
) -> None:
    provider.publish_keys(*UNUSABLE, KEY)
    attempt, claims = await begin(client, provider)
    provider.give(signed(claims, KEY, kid=kid))

    identity = await finish(client, attempt)

    assert identity.subject == "ada"


@pytest.mark.parametrize("kid", ["one", "weak"])
async def test_keys_that_cannot_be_used_are_not_used(
    client: OpenIdClient, provider: LyingProvider, kid: str
) -> None:
    provider.publish_keys(*UNUSABLE)
    attempt, claims = await begin(client, provider)
    provider.give(signed(claims, KEY, kid=kid))

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, attempt)

    assert raised.value.reason == "the ID token was refused: InvalidKeyIdError"


async def test_what_is_published_is_asked_for_again_after_an_hour(
    client: OpenIdClient, provider: LyingProvider
) -> None:
    asked = []
    start = clock.now()
    for minutes in (0, 59, 61, 30):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=True):
            await finish(client, await attempted(client, provider))
        asked.append([provider.server.times_asked(path) for path in (DISCOVERY, "/jwks")])

    # The last is a clock that was put back: what was fetched "later" is not believed for longer.
    assert asked == [[1, 1], [1, 1], [2, 2], [3, 3]]


NONSENSE: dict[str, Answer] = {
    "missing": answer(b"", "404 Not Found"),
    "down": answer(b"<p>maintenance</p>", "503 Service Unavailable"),
    "moved": answer(b"", "301 Moved Permanently", location="http://example.org/"),
    "html": answer(b"<p>hello</p>", content_type="text/html"),
    "list": json_answer([]),
    "empty": json_answer({}),
    "large": json_answer({"keys": [{"kty": "RSA", "n": "A" * MAX_ANSWER_BYTES}]}),
    "cut": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"),
    "silent": silence,
    "slow": trickle,
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_discovery_document_that_makes_no_sense_means_unavailable(
    hasty: OpenIdClient, provider: LyingProvider, name: str
) -> None:
    provider.server.answers[DISCOVERY] = NONSENSE[name]

    with pytest.raises(OpenIdUnavailable):
        await hasty.begin("/")


@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("path", ["/jwks", "/token", "/userinfo"])
async def test_endpoint_that_makes_no_sense_means_unavailable(
    client: OpenIdClient, hasty: OpenIdClient, provider: LyingProvider, path: str, name: str
) -> None:
    attempt = await attempted(client, provider, email=None)
    provider.tell(sub="ada", email="ada@example.org")
    provider.server.answers[path] = NONSENSE[name]

    with pytest.raises(OpenIdUnavailable):
        await finish(hasty, attempt)


BAD_METADATA: list[tuple[dict[str, object], str]] = [
    ({"issuer": "https://example.org"}, "the issuer is 'https://example.org'"),
    ({"issuer": None}, "issuer cannot be used"),
    ({"jwks_uri": None, "token_endpoint": 7}, "jwks_uri, token_endpoint cannot be used"),
    ({"jwks_uri": "file:///keys"}, "jwks_uri is no http or https address"),
    ({"token_endpoint": "/token"}, "token_endpoint is no http or https address"),
    (
        {"authorization_endpoint": "javascript:1"},
        "authorization_endpoint is no http or https address",
    ),
    ({"userinfo_endpoint": "http://a@b/"}, "userinfo_endpoint is no http or https address"),
    (
        {"id_token_signing_alg_values_supported": "RS256"},
        "id_token_signing_alg_values_supported cannot be used",
    ),
]


@pytest.mark.parametrize(("changed", "reason"), BAD_METADATA)
async def test_discovery_document_that_cannot_be_trusted_is_refused(
    client: OpenIdClient, provider: LyingProvider, changed: dict[str, object], reason: str
) -> None:
    provider.publish(**changed)

    with pytest.raises(OpenIdUnavailable) as raised:
        await client.begin("/")

    assert raised.value.reason == f"discovery document: {reason}"


class Published(Outside):
    """The world outside, where one document is published and nothing else is."""

    def __init__(self, document: Mapping[str, object]) -> None:
        super().__init__()
        self._document = document

    async def get_json(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        del headers
        is_there = url == f"{self._document['issuer']}{DISCOVERY}"
        return Reply(200 if is_there else 404, {}, json.dumps(self._document).encode())


@pytest.mark.parametrize(
    "member", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
async def test_issuer_with_tls_has_each_endpoint_with_tls(member: str) -> None:
    issuer = "https://id.example.org/tenant"
    names = ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
    right = {"issuer": issuer} | {name: f"{issuer}/{name}" for name in names}
    wrong = right | {member: f"http://id.example.org/{member}"}

    begun = await client_of(Published(right), issuer).begin("/")
    with pytest.raises(OpenIdUnavailable) as raised:
        await client_of(Published(wrong), issuer).begin("/")

    assert begun.url.startswith(f"{issuer}/authorization_endpoint?")
    assert raised.value.reason == f"discovery document: {member} is no https address"
