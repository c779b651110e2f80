"""Signing in by a real provider, from its page to the identity, and all that must not work."""

import dataclasses
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.accounts.openid_calls import client_of, finish, opened
from tests.support.openid import REDIRECT_URI, real_provider, register, sign_in
from tests.support.processes import LOOPBACK, Server, free_port

from turnout import clock
from turnout.accounts.openid import Identity, OpenIdClient, OpenIdFailed, OpenIdUnavailable
from turnout.outside import Outside

ADA = {"sub": "ada-1", "email": "Ada@Example.org", "email_verified": True, "name": "Ada Lovelace"}
OLIVE = {"sub": "olive-2", "email": "olive@example.org", "email_verified": False}
NOBODY = {"sub": "nobody", "email": "no address", "email_verified": True, "name": "\u202eevil"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The real provider, with people it knows."""
    with real_provider(ADA, OLIVE, NOBODY) as started:
        yield started


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with opened() as outside:
        yield outside


@pytest.fixture
def client(outside: Outside, server: Server) -> OpenIdClient:
    return client_of(outside, server.url)


async def test_begin_sends_to_the_provider_with_all_that_it_needs(
    client: OpenIdClient, server: Server
) -> None:
    begun = await client.begin("/events/mine")

    address, _, query = begun.url.partition("?")
    assert address == f"{server.url}/oauth2/authorize"
    fields = {name: value for name, (value,) in parse_qs(query).items()}
    challenge = fields.pop("code_challenge")
    assert fields == {
        "response_type": "code",
        "client_id": "turnout",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid email profile",
        "state": begun.attempt.state,
        "nonce": begun.attempt.nonce,
        "code_challenge_method": "S256",
    }
    assert begun.attempt.verifier not in begun.url
    assert len(challenge) == 43
    assert begun.attempt.next_path == "/events/mine"


async def test_each_attempt_has_secrets_of_its_own(client: OpenIdClient) -> None:
    attempts = [(await client.begin("/")).attempt for _ in range(3)]

    secrets = {s for each in attempts for s in (each.state, each.nonce, each.verifier)}
    assert len(secrets) == 9
    assert {len(secret) for secret in secrets} == {43}
    assert not any(secret in repr(attempts) for secret in secrets)


async def test_sign_in_says_who_came_back(client: OpenIdClient, server: Server) -> None:
    begun = await client.begin("/")

    identity = await finish(client, begun.attempt, **await sign_in(begun.url, sub="ada-1"))

    assert identity == Identity(
        server.url, "ada-1", "Ada@Example.org", email_verified=True, name="Ada Lovelace"
    )


async def test_sign_in_with_an_address_that_is_not_verified_says_so(
    client: OpenIdClient, server: Server
) -> None:
    begun = await client.begin("/")

    identity = await finish(client, begun.attempt, **await sign_in(begun.url, sub="olive-2"))

    assert identity == Identity(
        server.url, "olive-2", "olive@example.org", email_verified=False, name=None
    )


async def test_sign_in_where_the_provider_is_silent_on_the_address_does_not_trust_it(
    client: OpenIdClient, server: Server
) -> None:
    begun = await client.begin("/")

    back = await sign_in(begun.url, sub="new@example.org")
    identity = await finish(client, begun.attempt, **back)

    assert identity == Identity(
        server.url, "new@example.org", "new@example.org", email_verified=False, name=None
    )


async def test_sign_in_with_claims_that_cannot_be_used_goes_without_them(
    client: OpenIdClient, server: Server
) -> None:
    begun = await client.begin("/")

    identity = await finish(client, begun.attempt, **await sign_in(begun.url, sub="nobody"))

    assert identity == Identity(server.url, "nobody", None, email_verified=False, name=None)


async def test_sign_in_of_a_registered_client_proves_its_secret(
    outside: Outside, server: Server
) -> None:
    right = client_of(outside, server.url, await register(server.url))
    begun = await right.begin("/")

    identity = await finish(right, begun.attempt, **await sign_in(begun.url, sub="ada-1"))

    assert identity.subject == "ada-1"


@pytest.mark.parametrize("secret", ["wrong", ""])
async def test_sign_in_with_a_wrong_secret_fails(
    outside: Outside, server: Server, secret: str
) -> None:
    name, _ = await register(server.url)
    wrong = client_of(outside, server.url, (name, secret))
    begun = await wrong.begin("/")
    back = await sign_in(begun.url, sub="ada-1")

    with pytest.raises(OpenIdFailed) as raised:
        await finish(wrong, begun.attempt, **back)

    assert raised.value.reason == "the token endpoint answered invalid_client"


async def test_sign_in_that_the_person_declined_fails(client: OpenIdClient) -> None:
    begun = await client.begin("/")
    back = await sign_in(begun.url, action="deny") | {"state": begun.attempt.state}

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, begun.attempt, **back)

    assert raised.value.reason == "the provider answered access_denied"


async def test_code_that_was_used_fails(client: OpenIdClient) -> None:
    begun = await client.begin("/")
    back = await sign_in(begun.url, sub="ada-1")
    await finish(client, begun.attempt, **back)

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, begun.attempt, **back)

    assert raised.value.reason == "the token endpoint answered invalid_grant"


async def test_answer_to_another_attempt_fails(client: OpenIdClient) -> None:
    mallory = await client.begin("/")
    ada = await client.begin("/")
    back = await sign_in(mallory.url, sub="ada-1")

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, ada.attempt, **back)

    assert raised.value.reason == "the state is not the one of this attempt"


@pytest.mark.parametrize("state", [None, "", "wrong", "ключ", "\ud800"])
async def test_state_that_is_not_the_attempts_fails(
    client: OpenIdClient, state: str | None
) -> None:
    begun = await client.begin("/")
    back = await sign_in(begun.url, sub="ada-1")

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, begun.attempt, state=state, code=back["code"])

    assert raised.value.reason == "the state is not the one of this attempt"


async def test_token_of_another_nonce_fails(client: OpenIdClient) -> None:
    begun = await client.begin("/")
    other = dataclasses.replace(begun.attempt, nonce="another")
    back = await sign_in(begun.url, sub="ada-1")

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, other, **back)

    assert raised.value.reason == "the ID token was refused: InvalidClaimError nonce"


async def test_attempt_is_good_for_ten_minutes_and_no_longer(client: OpenIdClient) -> None:
    before = clock.now()
    begun = await client.begin("/")
    back = await sign_in(begun.url, sub="ada-1")
    lasts = timedelta(minutes=10)

    with pytest.raises(OpenIdFailed) as raised:
        await client.finish(
            begun.attempt,
            state=back["state"],
            code=back["code"],
            iss=None,
            error=None,
            now=begun.attempt.expires_at,
        )

    assert raised.value.reason == "the attempt is too old"
    assert before + lasts <= begun.attempt.expires_at <= clock.now() + lasts


@pytest.mark.parametrize("code", [None, "", "ключ", "a\nb", "\ud800"])
async def test_answer_without_a_code_fails(client: OpenIdClient, code: str | None) -> None:
    begun = await client.begin("/")

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, begun.attempt, state=begun.attempt.state, code=code)

    assert raised.value.reason == "the answer holds no code"


async def test_error_that_somebody_made_up_does_not_reach_the_log(client: OpenIdClient) -> None:
    begun = await client.begin("/")
    back = {"state": begun.attempt.state, "error": "denied\n2026-01-01 all is well"}

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, begun.attempt, **back)

    assert raised.value.reason == "the provider answered an error that is no code"


async def test_answer_of_another_issuer_fails(client: OpenIdClient, server: Server) -> None:
    begun = await client.begin("/")
    back = await sign_in(begun.url, sub="ada-1") | {"iss": f"{server.url}/"}

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, begun.attempt, **back)

    assert raised.value.reason == "the answer came from another issuer"


async def test_answer_that_names_its_issuer_unasked_is_accepted(
    client: OpenIdClient, server: Server
) -> None:
    begun = await client.begin("/")
    back = await sign_in(begun.url, sub="ada-1") | {"iss": server.url}

    identity = await finish(client, begun.attempt, **back)

    assert identity.subject == "ada-1"


async def test_begin_with_the_provider_down_says_so(outside: Outside) -> None:
    client = client_of(outside, f"http://{LOOPBACK}:{free_port()}")

    with pytest.raises(OpenIdUnavailable) as raised:
        await client.begin("/")

    assert raised.value.retry_after_seconds == 5
    assert raised.value.reason == f"{LOOPBACK}: ConnectError"


async def test_finish_with_the_provider_killed_meanwhile_says_so(outside: Outside) -> None:
    with real_provider(ADA) as server:
        client = client_of(outside, server.url)
        begun = await client.begin("/")
        back = await sign_in(begun.url, sub="ada-1")
        server.kill()

        with pytest.raises(OpenIdUnavailable) as raised:
            await finish(client, begun.attempt, **back)

    assert raised.value.reason == f"{LOOPBACK}: ConnectError"


async def test_error_shows_people_one_sentence_and_no_reason(client: OpenIdClient) -> None:
    begun = await client.begin("/")

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, begun.attempt, state="wrong", code="a-code")

    assert str(raised.value) == raised.value.detail
    assert raised.value.detail == "The sign-in at the provider did not succeed. Start it again."
    assert urlsplit(begun.url).netloc not in raised.value.explanation


def test_server_without_a_provider_does_not_hold_the_protocol_in_memory() -> None:
    program = "import sys, turnout.accounts.openid; print({'authlib', 'joserfc'} & {*sys.modules})"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
