"""Credentials that do not count: all are 401, on calls that need one and on those that do not."""

import json
from base64 import b64encode
from dataclasses import replace
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.accounts.calls import bearer, me, signed_in, told
from tests.accounts.forgery import (
    HEADER,
    Forge,
    encoded,
    encoded_json,
    with_header,
    wrong_claims,
    wrong_headers,
)
from tests.db import rows
from tests.support import cast
from tests.support.app import BASE_URL, RunningApp
from tests.support.cast import PASSWORD, Person

from turnout import clock
from turnout.accounts.models import SignIn, SignInKind

INVALID = (401, "invalid-token", "Bearer")
Headers = list[tuple[bytes, bytes]]


async def sign_in_of(app: RunningApp, person: Person) -> UUID:
    mine = SignIn.user_id == person.id, SignIn.kind == SignInKind.TOKENS
    query = select(SignIn.id).where(*mine).order_by(SignIn.id).limit(1)
    ((found,),) = await rows.read(app.runtime.database, query)
    assert isinstance(found, UUID)
    return found


async def forge_of(app: RunningApp, person: Person) -> Forge:
    """With the key that this server has: what it makes without a change is good."""
    now, sign_in = int(clock.now().timestamp()), await sign_in_of(app, person)
    return Forge(
        app.runtime.seals.key(b"access token"),
        {
            "iss": BASE_URL,
            "aud": "turnout",
            "sub": str(person.id),
            "sid": str(sign_in),
            "jti": "1",
            "iat": now,
            "nbf": now - 60,
            "exp": now + 840,
        },
    )


def changed_tokens(good: str) -> dict[str, str]:
    """A good token, with something done to its text."""
    header, claims, signature = good.split(".")
    no_algorithm = encoded_json(with_header(alg="none"))
    return {
        "unsigned": f"{header}.{claims}.",
        "unsigned, two parts": f"{header}.{claims}",
        "no algorithm, unsigned": f"{no_algorithm}.{claims}.",
        "no algorithm, old signature": f"{no_algorithm}.{claims}.{signature}",
        "four parts": f"{good}.x",
        "five parts": f"{good}.x.y",
        "signature cut": good[:-2],
        "signature longer": f"{good}AAAA",
        "signature of zeros": f"{header}.{claims}.{encoded(bytes(32))}",
        "in capitals": good.upper(),
        "space inside": good.replace(".", ". "),
        "claims of another": f"{header}.{encoded_json({'sub': 'x'})}.{signature}",
        "dots": "..",
        "JSON": json.dumps({"token": good}),
        "quoted": f'"{good}"',
        "twice": f"{good},{good}",
        "and a scheme": f"Bearer {good}",
    }


def signed_oddities(forge: Forge) -> dict[str, str]:
    """What is signed by our key and still is no access token."""
    head, claims = encoded_json(HEADER), encoded_json(dict(forge.claims))
    stranger = replace(forge, key=b"another key of 32 bytes, or more")
    return {
        "by another key": stranger.token(),
        "by an empty key": replace(forge, key=b"").token(),
        "by a key of zeros": replace(forge, key=bytes(32)).token(),
        "by HS384": forge.token(with_header(alg="HS384"), digest="HS384"),
        "by HS512": forge.token(with_header(alg="HS512"), digest="HS512"),
        "by RS256": forge.by_rsa(),
        "claims a list": forge.signed(f"{head}.{encoded(b'[1]')}"),
        "claims null": forge.signed(f"{head}.{encoded(b'null')}"),
        "claims a number": forge.signed(f"{head}.{encoded(b'1')}"),
        "claims no JSON": forge.signed(f"{head}.{encoded(b'{')}"),
        "claims no text": forge.signed(f"{head}.{encoded(bytes([255, 254]))}"),
        "claims deep": forge.signed(f"{head}.{encoded(b'[' * 600)}"),
        "claims empty": forge.signed(f"{head}."),
        "header a list": forge.signed(f"{encoded(b'[1]')}.{claims}"),
        "header empty": forge.signed(f".{claims}"),
        "header no JSON": forge.signed(f"{encoded(b'{')}.{claims}"),
        "header deep": forge.signed(f"{encoded(b'[' * 600)}.{claims}"),
        "padded": forge.signed(f"{head}.{claims}=="),
    }


async def other_credentials(app: RunningApp, person: Person) -> dict[str, str]:
    """Credentials of ours that are good elsewhere, and pieces of them."""
    wanted = {"name": "x", "scopes": ["profile:read"]}
    async with person.api(app) as api:
        tokens = await signed_in(api, person.email)
        made = (await api.post("/users/me/tokens", json=wanted)).json()["token"]
        assert await me(api, made) == (200, None)
    return {
        "a refresh token": tokens["refresh_token"],
        "a cookie": person.cookie,
        "an API token cut": made[:-1],
        "an API token longer": f"{made}x",
        "an API token in capitals": made.upper(),
        "an API token without its mark": made.removeprefix("turnout_"),
        "an API token's mark": "turnout_",
        "the id of an account": str(person.id),
        "the id of a sign-in": str(await sign_in_of(app, person)),
        "a password": PASSWORD,
    }


def odd_values(good: str) -> dict[str, bytes]:
    """Whole values of the header."""
    basic = b64encode(f"ada@example.com:{PASSWORD}".encode())
    return {
        "nothing": b"",
        "a space": b" ",
        "the scheme alone": b"Bearer",
        "the scheme and a space": b"Bearer ",
        "the token alone": good.encode(),
        "Basic": b"Basic " + basic,
        "Digest": b"Digest " + good.encode(),
        "Token": b"Token " + good.encode(),
        "Ticket": b"Ticket " + good.encode(),
        "Ticket alone": b"Ticket",
        "a colon": b"Bearer: " + good.encode(),
        "an underscore": b"Bearer_" + good.encode(),
        "a tab": b"Bearer\t" + good.encode(),
        "unicode": "Bearer ünïcödé.ß.ß".encode(),
        "Latin-1": b"Bearer \xff\xfe.\xe4.\xe4",
        "an emoji": "Bearer 🎟.🎟.🎟".encode(),
        "SQL": b"Bearer ' OR 1=1 --",
        "percent": b"Bearer %00%0a",
        "null": b"Bearer null",
        "undefined": b"Bearer undefined",
        "long": b"Bearer " + b"a" * 10_000,
        "dots without end": b"Bearer " + b"." * 10_000,
    }


async def corpus(app: RunningApp, person: Person, another: Person) -> dict[str, Headers]:
    """By name, the headers of a request that must be refused."""
    forge = await forge_of(app, person)
    now, good = int(clock.now().timestamp()), forge.token()
    foreign = str(await sign_in_of(app, another))
    tokens = {
        **{name: forge.token(header) for name, header in wrong_headers().items()},
        **{name: forge.token(**each) for name, each in wrong_claims(now, foreign).items()},
        **changed_tokens(good),
        **signed_oddities(forge),
        **await other_credentials(app, person),
    }
    values = {
        **{name: f"Bearer {each}".encode() for name, each in tokens.items()},
        **odd_values(good),
    }
    assert len(values) == len(tokens) + len(odd_values(good)), "two have one name"
    two = [(b"Authorization", f"Bearer {good}".encode())] * 2
    mixed = [two[0], (b"Authorization", b"Basic eDp5")]
    return {
        **{name: [(b"Authorization", value)] for name, value in values.items()},
        "twice the same header": two,
        "two headers": mixed,
        "two headers, the good one last": mixed[::-1],
    }


def found_in(answer: httpx2.Response) -> tuple[int, str | None, str | None]:
    return (*told(answer), answer.headers.get("www-authenticate"))


async def test_bad_credentials_are_refused_wherever_they_are_sent(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, bob = await cast.ada(closed_app), await cast.join(closed_app, "Bob")
    bad = await corpus(closed_app, ada, bob)

    found = {
        (name, path): found_in(await closed_api.get(path, headers=headers))
        for name, headers in bad.items()
        for path in ("/users/me", "/events")
    }

    assert len(bad) >= 100
    assert {key: each for key, each in found.items() if each != INVALID} == {}


async def test_good_tokens_of_the_same_forge_count(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    """The control: what the corpus changes is all that is wrong with its tokens."""
    forge = await forge_of(closed_app, await cast.ada(closed_app))
    header = dict(reversed(HEADER.items()))
    tokens = [forge.token(), forge.token(header), forge.token(more="x"), forge.token(jti="2")]

    assert [await me(closed_api, each) for each in tokens] == [(200, None)] * 4


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer ", "bEaReR  "])
async def test_scheme_may_be_written_in_any_way(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, scheme: str
) -> None:
    ada = await cast.ada(closed_app)

    answer = await closed_api.get("/users/me", headers={"Authorization": f"{scheme} {ada.token}"})

    assert (answer.status_code, answer.json()["email"]) == (200, ada.email)


async def test_token_of_a_megabyte_is_refused_for_its_size(closed_api: httpx2.AsyncClient) -> None:
    answer = await closed_api.get("/users/me", headers=bearer("a" * 1_000_000))

    assert told(answer) == (431, "bad-request")


async def test_token_in_the_address_or_the_body_is_not_looked_at(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    in_address = {"access_token": ada.token, "token": ada.token, "authorization": ada.token}

    answers = [
        await closed_api.get("/users/me", params=in_address),
        await closed_api.post("/users/me/tokens", params=in_address, json=in_address),
        await closed_api.get("/users/me", headers={"X-Authorization": f"Bearer {ada.token}"}),
        await closed_api.get("/users/me", headers={"Cookie": f"access_token={ada.token}"}),
    ]

    assert [found_in(each) for each in answers] == [(401, "unauthenticated", "Bearer")] * 4


async def test_bad_token_beside_a_good_cookie_is_refused(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)

    by_cookie = await closed_api.get("/users/me", headers=ada.page)
    by_both = await closed_api.get("/users/me", headers={**ada.page, **bearer("x.y.z")})

    assert (by_cookie.status_code, found_in(by_both)) == (200, INVALID)


@pytest.mark.parametrize("body", [b"{", b'{"name": 1, "scopes": "x"}', b""])
async def test_bad_token_is_refused_before_the_body_is_read(
    closed_api: httpx2.AsyncClient, body: bytes
) -> None:
    headers = {**bearer("x.y.z"), "Content-Type": "application/json"}

    answer = await closed_api.post("/users/me/tokens", content=body, headers=headers)

    assert found_in(answer) == INVALID
    assert "errors" not in answer.json()
