"""How a code becomes a person: what the provider is told, and whose word counts for what."""

import base64
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest
from authlib.oauth2 import rfc7636  # type: ignore[import-untyped]  # has no types
from tests.accounts.openid_calls import attempted, begin, client_of, finish, lying_provider, opened
from tests.support.openid import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT_URI,
    LyingProvider,
    key,
    signed,
)
from tests.support.outside import Request, answer, json_answer

from turnout.accounts.openid import Identity, OpenIdClient, OpenIdFailed, OpenIdUnavailable
from turnout.outside import Outside

KEY = key("RS256")


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


def asked(provider: LyingProvider, path: str) -> Request:
    (found,) = (request for request in provider.server.asked if request.path == path)
    return found


async def test_code_is_exchanged_with_the_verifier_of_the_attempt(
    client: OpenIdClient, provider: LyingProvider
) -> None:
    begun = await client.begin("/")
    provider.server.answers["/token"] = json_answer({"error": "invalid_grant"}, "400 Bad Request")

    with pytest.raises(OpenIdFailed):
        await finish(client, begun.attempt)

    query = parse_qs(urlsplit(begun.url).query)
    form = asked(provider, "/token").form
    assert form == {
        "grant_type": "authorization_code",
        "code": "a-code",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": begun.attempt.verifier,
    }
    challenge = rfc7636.create_s256_code_challenge(form["code_verifier"])
    assert query["code_challenge"] == [challenge]
    # The provider's own parameter is still there.
    assert query["tenant"] == ["one"]


@pytest.mark.parametrize("methods", [None, ["client_secret_post", "client_secret_basic"]])
async def test_secret_goes_into_the_header_where_the_provider_takes_it_there(
    client: OpenIdClient, provider: LyingProvider, methods: list[str] | None
) -> None:
    provider.publish(token_endpoint_auth_methods_supported=methods)

    await finish(client, await attempted(client, provider))

    kind, _, pair = asked(provider, "/token").headers["authorization"].partition(" ")
    name, _, secret = base64.b64decode(pair).decode("ascii").partition(":")
    assert kind == "Basic"
    assert (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)
    assert "client_secret" not in asked(provider, "/token").form


async def test_secret_goes_into_the_form_where_the_provider_wants_it_there(
    client: OpenIdClient, provider: LyingProvider
) -> None:
    provider.publish(token_endpoint_auth_methods_supported=["client_secret_post"])

    await finish(client, await attempted(client, provider))

    form = asked(provider, "/token").form
    assert (form["client_id"], form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
    assert "authorization" not in asked(provider, "/token").headers


async def test_public_client_says_only_its_name(outside: Outside, provider: LyingProvider) -> None:
    client = client_of(outside, provider.issuer, (CLIENT_ID, ""))

    await finish(client, await attempted(client, provider))

    form = asked(provider, "/token").form
    assert form["client_id"] == CLIENT_ID
    assert "client_secret" not in form
    assert "authorization" not in asked(provider, "/token").headers


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden"])
async def test_code_that_the_provider_refuses_fails(
    client: OpenIdClient, provider: LyingProvider, status: str
) -> None:
    attempt = await attempted(client, provider)
    provider.server.answers["/token"] = json_answer({"error": "invalid_grant"}, status)

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, attempt)

    assert raised.value.reason == "the token endpoint answered invalid_grant"


@pytest.mark.parametrize("status", ["400 Bad Request", "429 Too Many Requests", "500 Oops"])
async def test_refusal_that_is_none_of_the_code_means_unavailable(
    client: OpenIdClient, provider: LyingProvider, status: str
) -> None:
    attempt = await attempted(client, provider)
    provider.server.answers["/token"] = answer(b"<p>no</p>", status)

    with pytest.raises(OpenIdUnavailable) as raised:
        await finish(client, attempt)

    assert raised.value.reason == f"token endpoint: status {status[:3]}"


@pytest.mark.parametrize("token", ["", "two words", "a\r\nX-Other: 1", "ключ", None, 7])
async def test_access_token_that_fits_no_header_means_unavailable(
    client: OpenIdClient, provider: LyingProvider, token: object
) -> None:
    attempt, claims = await begin(client, provider)
    provider.give(signed(claims, KEY), access_token=token)

    with pytest.raises(OpenIdUnavailable) as raised:
        await finish(client, attempt)

    assert raised.value.reason == "token endpoint: access_token cannot be used"


async def test_issuer_that_is_announced_and_not_given_fails(
    client: OpenIdClient, provider: LyingProvider
) -> None:
    provider.publish(authorization_response_iss_parameter_supported=True)
    attempt = await attempted(client, provider)
    back = {"state": attempt.state, "code": "a-code"}

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, attempt, **back)
    identity = await finish(client, attempt, **back, iss=provider.issuer)

    assert raised.value.reason == "the answer names no issuer, and this provider always does"
    assert identity.subject == "ada"


async def test_token_that_says_all_is_enough(client: OpenIdClient, provider: LyingProvider) -> None:
    provider.tell(sub="ada", email="other@example.org", email_verified=True)

    identity = await finish(client, await attempted(client, provider))

    assert identity.email == "ada@example.org"
    assert provider.server.times_asked("/userinfo") == 0


async def test_address_that_the_token_does_not_hold_comes_from_the_userinfo(
    client: OpenIdClient, provider: LyingProvider
) -> None:
    provider.tell(sub="ada", email="ada@example.org", email_verified=True, name="Ada")

    attempt = await attempted(client, provider, email=None, email_verified=None, name=None)
    identity = await finish(client, attempt)

    assert identity == Identity(
        provider.issuer, "ada", "ada@example.org", email_verified=True, name="Ada"
    )
    authorization = asked(provider, "/userinfo").headers["authorization"]
    assert authorization == f"Bearer {ACCESS_TOKEN}"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"email_verified": True}, ("ada@example.org", False)),
        ({"email": "new@example.org", "email_verified": True}, ("new@example.org", True)),
        ({"email": "new@example.org"}, ("new@example.org", False)),
        ({"email": "no address", "email_verified": True}, ("ada@example.org", False)),
    ],
)
async def test_address_and_its_mark_are_never_from_two_places(
    client: OpenIdClient,
    provider: LyingProvider,
    said: dict[str, object],
    expected: tuple[str, bool],
) -> None:
    provider.tell(sub="ada", **said)

    identity = await finish(client, await attempted(client, provider, email_verified=None))

    assert (identity.email, identity.email_verified) == expected


async def test_provider_without_userinfo_is_believed_as_far_as_it_goes(
    client: OpenIdClient, provider: LyingProvider
) -> None:
    provider.publish(userinfo_endpoint=None)

    identity = await finish(client, await attempted(client, provider, email=None))

    assert identity == Identity(
        provider.issuer, "ada", None, email_verified=False, name="Ada Lovelace"
    )


async def test_userinfo_of_another_person_fails(
    client: OpenIdClient, provider: LyingProvider
) -> None:
    provider.tell(sub="root", email="root@example.org", email_verified=True)
    attempt = await attempted(client, provider, email=None)

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, attempt)

    assert raised.value.reason == "the userinfo is of another person"
