"""OpenID Connect providers for tests: a real one as a process, and one that signs any lie.

Knows the protocol from the provider's side, and nothing of how the product uses it.
"""

import base64
import functools
import hmac
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from joserfc.jwa import JWS_ALGORITHMS
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from tests.support.outside import SmallServer, json_answer
from tests.support.processes import Server, free_port

Claims = dict[str, Any]

DISCOVERY = "/.well-known/openid-configuration"
CLIENT_ID = "turnout"
CLIENT_SECRET = "a secret: with + and ä"
REDIRECT_URI = "http://127.0.0.1:8000/login/openid/back"
ACCESS_TOKEN = "an-access-token"


def real_provider(*people: Mapping[str, object]) -> Server:
    """oidc-provider-mock on a free port, not started yet; each of the people has a `sub`.

    Its issuer is the URL of the server.
    """
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    for person in people:
        command += ["--user-claims", json.dumps(person)]
    return Server(command, port=port, path=DISCOVERY)


async def register(provider: str) -> tuple[str, str]:
    """The id and the secret of a client that the real provider knows from now on."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        reply = await http.post(
            f"{provider}/oauth2/clients", json={"redirect_uris": [REDIRECT_URI]}
        )
    registered = reply.raise_for_status().json()
    return registered["client_id"], registered["client_secret"]


async def sign_in(url: str, **form: str) -> dict[str, str]:
    """Fill in the real provider's own page as a person would, and give the parameters it adds.

    `sub="ada"` signs in, `action="deny"` declines.
    """
    async with httpx2.AsyncClient(trust_env=False) as http:
        page = await http.get(url)
        assert "Authorize Client" in page.raise_for_status().text
        reply = await http.post(url, data=form)
    assert reply.status_code == 302, reply.text
    back = reply.headers["location"]
    assert back.partition("?")[0] == REDIRECT_URI
    return dict(parse_qsl(urlsplit(back).query))


@functools.cache
def key(alg: str, kid: str = "one") -> Key:
    """A private key for that algorithm, the same one each time."""
    parameters = {"kid": kid, "alg": alg, "use": "sig"}
    if alg.startswith("ES"):
        curve: Any = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[alg]
        return ECKey.generate_key(curve, parameters)  # type: ignore[arg-type]  # a plain dict does
    if alg == "EdDSA":
        return OKPKey.generate_key("Ed25519", parameters)  # type: ignore[arg-type]  # as above
    return RSAKey.generate_key(2048, parameters)  # type: ignore[arg-type]  # as above


def signed(claims: object, by: Key, **header: object) -> str:
    """An ID token signed by that key; `header` changes what it says of itself, None takes out."""
    whole = {"alg": by.as_dict()["alg"], "kid": by.kid, **header}
    signing_input = _unsigned(
        {name: value for name, value in whole.items() if value is not None}, claims
    )
    (algorithm,) = (each for each in JWS_ALGORITHMS if each.name == by.as_dict()["alg"])
    return f"{signing_input}.{_part(algorithm.sign(signing_input.encode(), by))}"


def forged(header: object, claims: object, secret: bytes | None = None) -> str:
    """A token put together by hand: HMAC-SHA-256 with `secret`, or an empty signature."""
    signing_input = _unsigned(header, claims)
    if secret is None:
        return f"{signing_input}."
    return f"{signing_input}.{_part(hmac.digest(secret, signing_input.encode(), 'sha256'))}"


def _unsigned(header: object, claims: object) -> str:
    return f"{_part(json.dumps(header).encode())}.{_part(json.dumps(claims).encode())}"


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class LyingProvider:
    """A provider that publishes, signs and says whatever the test wants."""

    def __init__(self, server: SmallServer) -> None:
        self.server = server
        self.issuer = server.url
        self.publish()
        self.publish_keys(key("RS256"))

    def publish(self, **changed: object) -> None:
        """Publish a discovery document with these members changed; None takes one out."""
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=one",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            # More than may ever count: that the provider allows it must not be enough.
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **changed,
        }
        kept = {name: value for name, value in document.items() if value is not None}
        self.server.answers[DISCOVERY] = json_answer(kept)

    def publish_keys(self, *keys: Key | Mapping[str, object]) -> None:
        """Publish these keys; of private ones, their public part."""
        shown = [
            each if isinstance(each, Mapping) else each.as_dict(private=False) for each in keys
        ]
        self.server.answers["/jwks"] = json_answer({"keys": shown})

    def give(self, id_token: object, **changed: object) -> None:
        """Answer every code with this token."""
        reply = {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token}
        self.server.answers["/token"] = json_answer({**reply, **changed})

    def tell(self, **claims: object) -> None:
        """Answer the userinfo endpoint with these claims."""
        self.server.answers["/userinfo"] = json_answer(claims)

    def truth(self, nonce: str, now: datetime, **changed: object) -> Claims:
        """Claims that are right in every way, but for those that are changed."""
        seconds = int(now.timestamp())
        return {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "ada",
            "nonce": nonce,
            "iat": seconds,
            "exp": seconds + 300,
            "email": "ada@example.org",
            "email_verified": True,
            "name": "Ada Lovelace",
            **changed,
        }
