"""A provider that lies, or answers nonsense, signs nobody in; the truth of each kind does."""

from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey
from tests.accounts.openid_calls import begin, client_of, finish, lying_provider, opened
from tests.support.openid import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    DISCOVERY,
    Claims,
    LyingProvider,
    forged,
    key,
    signed,
)

from turnout import clock
from turnout.accounts import id_tokens
from turnout.accounts.id_tokens import ALGORITHMS, Expected, TokenRefused
from turnout.accounts.openid import Identity, OpenIdClient, OpenIdFailed

RSA = key("RS256")
OTHER_RSA = key("RS256", "two")
FAST = key("EdDSA")
EXPECTED = Expected("https://example.org", CLIENT_ID, "a", ACCESS_TOKEN, ALGORITHMS, clock.now())

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
HEADERS = st.fixed_dictionaries(
    {"alg": st.sampled_from(["RS256", "none", "HS256"]) | JSON},
    optional=dict.fromkeys(("kid", "typ", "crit", "b64", "jwk", "x5c"), JSON),
)
CLAIMS = st.fixed_dictionaries(
    {"iss": st.just(EXPECTED.issuer) | JSON, "aud": st.just(CLIENT_ID) | JSON},
    optional=dict.fromkeys(("sub", "exp", "iat", "nbf", "nonce", "azp", "at_hash"), JSON),
)


@pytest.fixture
async def provider() -> AsyncIterator[LyingProvider]:
    async with lying_provider() as started:
        yield started


@pytest.fixture
async def client(provider: LyingProvider) -> AsyncIterator[OpenIdClient]:
    async with opened() as outside:
        yield client_of(outside, provider.issuer)


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
async def test_true_token_of_each_algorithm_signs_in(
    client: OpenIdClient, provider: LyingProvider, alg: str
) -> None:
    provider.publish(id_token_signing_alg_values_supported=[alg, "HS256", "none"])
    provider.publish_keys(key(alg))
    attempt, claims = await begin(client, provider)
    provider.give(signed(claims, key(alg)))

    identity = await finish(client, attempt)

    assert identity == Identity(
        provider.issuer, "ada", "ada@example.org", email_verified=True, name="Ada Lovelace"
    )
    assert [request.path for request in provider.server.asked] == [DISCOVERY, "/token", "/jwks"]


def less(claims: Claims, name: str) -> Claims:
    return {each: value for each, value in claims.items() if each != name}


def rsa(**changed: object) -> Callable[[Claims], str]:
    """Signed as it should be, with these claims changed."""
    return lambda claims: signed({**claims, **changed}, RSA)


def without(name: str) -> Callable[[Claims], str]:
    return lambda claims: signed(less(claims, name), RSA)


def headed(**header: object) -> Callable[[Claims], str]:
    return lambda claims: signed(claims, RSA, **header)


def text(token: str) -> Callable[[Claims], str]:
    return lambda _: token


def altered(claims: Claims) -> str:
    header, _, signature = signed(claims, RSA).split(".")
    return f"{header}.{forged({}, {**claims, 'sub': 'root'}).split('.')[1]}.{signature}"


BY_SECRET = CLIENT_SECRET.encode()
PEM = RSAKey.import_key(RSA.as_dict(private=False)).as_pem()
MODULUS = str(RSA.as_dict()["n"]).encode()
HS256 = {"alg": "HS256", "kid": "one"}
NOT_A_JSON_OBJECT = "W10.W10."
UNSUPPORTED = "UnsupportedAlgorithmError"

LIES: dict[str, tuple[Callable[[Claims], str], str]] = {
    "alg-none": (lambda c: forged({"alg": "none", "kid": "one"}, c), UNSUPPORTED),
    "alg-none-spelt": (lambda c: forged({"alg": "nOnE", "kid": "one"}, c), UNSUPPORTED),
    "alg-missing": (lambda c: forged({"kid": "one"}, c), "MissingAlgorithmError"),
    "alg-number": (lambda c: forged({"alg": 1}, c), "InvalidHeaderValueError"),
    "hs256-secret": (lambda c: forged(HS256, c, BY_SECRET), UNSUPPORTED),
    "hs256-pem": (lambda c: forged(HS256, c, PEM), UNSUPPORTED),
    "hs256-modulus": (lambda c: forged(HS256, c, MODULUS), UNSUPPORTED),
    "alg-not-announced": (lambda c: signed(c, key("ES256")), UNSUPPORTED),
    "alg-of-other-key": (headed(alg="RS512"), UNSUPPORTED),
    "signature-missing": (lambda c: signed(c, RSA).rpartition(".")[0] + ".", "BadSignatureError"),
    "signature-cut": (lambda c: signed(c, RSA)[:-8], "BadSignatureError"),
    "signature-of-other-claims": (altered, "BadSignatureError"),
    "other-key": (lambda c: signed(c, OTHER_RSA, kid="one"), "BadSignatureError"),
    "kid-unknown": (headed(kid="three"), "InvalidKeyIdError"),
    "kid-number": (lambda c: forged({"alg": "RS256", "kid": 1}, c), "InvalidHeaderValueError"),
    "crit-unknown": (headed(crit=["exp"], exp=1), "UnsupportedHeaderError"),
    "iss-other": (rsa(iss="https://example.org"), "InvalidClaimError iss"),
    "iss-list": (lambda c: signed({**c, "iss": [c["iss"]]}, RSA), "InvalidClaimError iss"),
    "iss-missing": (without("iss"), "MissingClaimError iss"),
    "aud-other": (rsa(aud="somebody"), "InvalidClaimError aud"),
    "aud-others": (rsa(aud=["somebody", "else"]), "InvalidClaimError aud"),
    "aud-none": (rsa(aud=[]), "InvalidClaimError aud"),
    "aud-missing": (without("aud"), "MissingClaimError aud"),
    "azp-other": (rsa(azp="somebody"), "InvalidClaimError azp"),
    "azp-missing": (rsa(aud=[CLIENT_ID, "somebody"]), "MissingClaimError azp"),
    "nonce-other": (rsa(nonce="another"), "InvalidClaimError nonce"),
    "nonce-missing": (without("nonce"), "MissingClaimError nonce"),
    "exp-past": (lambda c: signed({**c, "exp": c["iat"] - 61}, RSA), "ExpiredTokenError exp"),
    "exp-text": (rsa(exp="4102444800"), "InvalidClaimError exp"),
    "exp-infinite": (rsa(exp=float("inf")), "InvalidClaimError exp"),
    "exp-missing": (without("exp"), "MissingClaimError exp"),
    "iat-future": (lambda c: signed({**c, "iat": c["iat"] + 120}, RSA), "InvalidClaimError iat"),
    "iat-missing": (without("iat"), "MissingClaimError iat"),
    "nbf-future": (lambda c: signed({**c, "nbf": c["iat"] + 120}, RSA), "InvalidClaimError nbf"),
    "sub-missing": (without("sub"), "MissingClaimError sub"),
    "sub-empty": (rsa(sub=""), "InvalidClaimError sub"),
    "sub-number": (rsa(sub=7), "InvalidClaimError sub"),
    "sub-long": (rsa(sub="a" * 256), "ValidationError"),
    "sub-with-nul": (rsa(sub="a\x00"), "ValidationError"),
    "sub-of-lines": (rsa(sub="a\n"), "ValidationError"),
    "at_hash-other": (rsa(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), "InvalidClaimError at_hash"),
    "at_hash-object": (rsa(at_hash={"a": 1}), "TypeError"),
    "claims-list": (lambda _: signed([1], RSA), "InvalidPayloadError"),
    "empty": (text(""), "DecodeError"),
    "garbage": (text("garbage"), "DecodeError"),
    "garbage-parts": (text("a.b.c"), "DecodeError"),
    "not-ascii": (text("ключ.ключ.ключ"), "DecodeError"),
    "header-list": (text(NOT_A_JSON_OBJECT), "MissingAlgorithmError"),
    "header-huge": (headed(x="x" * 1000), "ExceededSizeError"),
    "encrypted": (text("a.b.c.d.e"), "DecodeError"),
}


@pytest.mark.parametrize("name", LIES)
async def test_lie_in_the_id_token_is_refused(
    client: OpenIdClient, provider: LyingProvider, name: str
) -> None:
    lie, reason = LIES[name]
    attempt, claims = await begin(client, provider)
    provider.give(lie(claims))

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, attempt)

    assert raised.value.reason == f"the ID token was refused: {reason}"


TRUTHS: dict[str, Callable[[Claims], str]] = {
    "no-kid": headed(kid=None),
    "header-of-its-own": headed(x5t="abc", tenant="one"),
    "aud-list": rsa(aud=[CLIENT_ID]),
    "azp": rsa(azp=CLIENT_ID),
    "aud-more-and-azp": rsa(aud=["project", CLIENT_ID], azp=CLIENT_ID),
    "exp-in-leeway": lambda c: signed({**c, "exp": c["iat"] - 30}, RSA),
    "iat-in-leeway": lambda c: signed({**c, "iat": c["iat"] + 30}, RSA),
    "verified-as-text": rsa(email_verified="true"),
}


@pytest.mark.parametrize("name", TRUTHS)
async def test_truth_that_looks_unusual_signs_in(
    client: OpenIdClient, provider: LyingProvider, name: str
) -> None:
    attempt, claims = await begin(client, provider)
    provider.give(TRUTHS[name](claims))

    identity = await finish(client, attempt)

    assert (identity.subject, identity.email_verified) == ("ada", True)


@pytest.mark.parametrize("announced", [[], ["HS256", "none"], ["PS256"]])
async def test_provider_that_announces_no_algorithm_that_counts_signs_nobody_in(
    client: OpenIdClient, provider: LyingProvider, announced: list[str]
) -> None:
    provider.publish(id_token_signing_alg_values_supported=announced)
    attempt, claims = await begin(client, provider)

    for token in (signed(claims, RSA), forged(HS256, claims, BY_SECRET)):
        provider.give(token)
        with pytest.raises(OpenIdFailed) as raised:
            await finish(client, attempt)
        assert raised.value.reason == f"the ID token was refused: {UNSUPPORTED}"


async def test_key_that_the_token_brings_along_is_not_used(
    client: OpenIdClient, provider: LyingProvider
) -> None:
    provider.publish(id_token_signing_alg_values_supported=["ES256"])
    provider.publish_keys(key("ES256"))
    attempt, claims = await begin(client, provider)
    own = key("ES256", "two")
    provider.give(signed(claims, own, kid="one", jwk=own.as_dict(private=False)))

    with pytest.raises(OpenIdFailed) as raised:
        await finish(client, attempt)

    assert raised.value.reason == "the ID token was refused: BadSignatureError"


@given(token=st.text() | st.builds(forged, JSON, JSON) | st.builds(forged, HEADERS, JSON))
def test_token_of_any_form_is_refused_and_nothing_else_goes_wrong(token: str) -> None:
    keys = id_tokens.read_keys([RSA.as_dict(private=False)])

    with pytest.raises(TokenRefused):
        id_tokens.read(token, keys, EXPECTED)


@given(claims=JSON | CLAIMS)
def test_claims_of_any_form_are_refused_and_nothing_else_goes_wrong(claims: object) -> None:
    keys = id_tokens.read_keys([FAST.as_dict(private=False)])

    with pytest.raises(TokenRefused):
        id_tokens.read(signed(claims, FAST), keys, EXPECTED)
