"""Where one is signed in: listed, the newest first, and ended one by one."""

from typing import Any

import httpx2
import pytest
from tests.accounts.calls import after, bearer, me, refresh, sign_in, signed_in, told
from tests.support import cast
from tests.support.app import RunningApp

from turnout import ids
from turnout.accounts.sign_ins import CLIENT_CHARACTERS


async def listed(api: httpx2.AsyncClient, token: str, **query: Any) -> list[dict[str, Any]]:
    answer = await api.get("/users/me/sign-ins", headers=bearer(token), params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def end(api: httpx2.AsyncClient, token: str, sign_in_id: str) -> tuple[int, str | None]:
    path = f"/users/me/sign-ins/{sign_in_id}"
    return told(await api.delete(path, headers=bearer(token)))


async def test_sign_ins_are_one_s_own_the_newest_first(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, _ = await cast.ada(closed_app), await cast.mallory(closed_app)
    closed_api.headers["User-Agent"] = "Laptop\x7f " + "x" * 300
    mine = await signed_in(closed_api, ada.email)

    newest, page, tokens = await listed(closed_api, mine["access_token"], tz="America/New_York")

    assert newest.keys() == {
        *("id", "kind", "client", "address"),
        *("created_at", "last_used_at", "expires_at", "is_current"),
    }
    assert [each["kind"] for each in (newest, page, tokens)] == ["tokens", "page", "tokens"]
    assert [each["is_current"] for each in (newest, page, tokens)] == [True, False, False]
    assert (newest["client"], newest["address"]) == (
        ("Laptop " + "x" * 300)[:CLIENT_CHARACTERS],
        "127.0.0.1",
    )
    assert newest["created_at"][-6:] in {"-05:00", "-04:00"}
    assert newest["id"] > page["id"] > tokens["id"]


async def test_sign_ins_come_in_pages(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, mallory = await cast.ada(closed_app), await cast.mallory(closed_app)
    for _ in range(3):
        await signed_in(closed_api, ada.email)
    whole = [each["id"] for each in await listed(closed_api, ada.token)]

    path, found = "/users/me/sign-ins?limit=2", list[str]()
    while path:
        answer = await closed_api.get(path, headers=ada.bearer)
        found += [each["id"] for each in answer.json()["items"]]
        cursor, path = answer.json()["next_cursor"], answer.links.get("next", {}).get("url", "")
        if cursor:
            foreign = await closed_api.get(path, headers=mallory.bearer)
            other = await closed_api.get(path.replace("sign-ins", "tokens"), headers=ada.bearer)

    assert len(whole) == 5
    assert found == whole
    assert (told(foreign)[0], told(other)[0]) == (422, 422)


async def test_sign_in_that_is_ended_is_listed_no_more_and_ends_alone(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    mine, other = [await signed_in(closed_api, ada.email) for _ in range(2)]
    found = await listed(closed_api, mine["access_token"])
    (of_page,) = [each["id"] for each in found if each["kind"] == "page"]
    newest = found[0]["id"]

    answers = [
        await end(closed_api, mine["access_token"], each) for each in (newest, newest, of_page)
    ]

    left = await listed(closed_api, mine["access_token"])
    by_cookie = await closed_api.get("/users/me", headers=ada.page)
    assert answers == [(204, None), (404, "not-found"), (204, None)]
    assert {each["id"] for each in found} - {each["id"] for each in left} == {newest, of_page}
    assert await me(closed_api, other["access_token"]) == (401, "invalid-token")
    assert (await refresh(closed_api, other["refresh_token"])).status_code == 401
    assert by_cookie.status_code == 401
    assert await me(closed_api, mine["access_token"]) == (200, None)


async def test_sign_in_of_somebody_else_is_not_there(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, mallory = await cast.ada(closed_app), await cast.mallory(closed_app)
    foreign = [each["id"] for each in await listed(closed_api, ada.token)]
    wrong = ["x", "1", "%00", foreign[0].upper(), str(ids.new_id()), str(ada.id), str(mallory.id)]

    answers = [await end(closed_api, mallory.token, each) for each in (*foreign, *wrong)]

    assert answers == [(404, "not-found")] * 9
    assert [each["id"] for each in await listed(closed_api, ada.token)] == foreign
    assert await me(closed_api, ada.token) == (200, None)


async def test_sign_in_that_has_run_out_is_not_listed(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    """A sign-in by cookie lasts for 14 days, one by tokens for 30 after its last use."""
    ada = await cast.ada(closed_app)

    with after(days=15):
        tokens = await signed_in(closed_api, ada.email)
        in_half = [each["kind"] for each in await listed(closed_api, tokens["access_token"])]
        by_cookie = await closed_api.get("/users/me", headers=ada.page)

    assert in_half == ["tokens", "tokens"]
    assert told(by_cookie) == (401, "unauthenticated")


@pytest.mark.parametrize("name", ["", "\x00\x01", "ü" * 250])
async def test_sign_in_by_a_client_without_a_usual_name_is_taken(
    closed_app: RunningApp, name: str
) -> None:
    await cast.ada(closed_app)
    headers = [(b"User-Agent", name.encode("latin-1"))]
    async with closed_app.client() as api:
        form = {"username": "ada@example.com", "password": cast.PASSWORD}

        answer = await api.post("/auth/token", data=form, headers=headers)

        found = await listed(api, answer.json()["access_token"])
    printable = "".join(letter for letter in name if letter.isprintable())
    assert found[0]["client"] == printable[:CLIENT_CHARACTERS]


async def test_sign_ins_of_nobody_are_refused(closed_api: httpx2.AsyncClient) -> None:
    answers = [
        await closed_api.get("/users/me/sign-ins"),
        await closed_api.delete(f"/users/me/sign-ins/{ids.new_id()}"),
    ]

    assert [told(answer) for answer in answers] == [(401, "unauthenticated")] * 2


async def test_sign_in_writes_who_and_where_into_the_audit_and_no_password(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    root = await cast.root(closed_app)
    await sign_in(closed_api, root.email)

    entries = (await closed_api.get("/admin/audit?limit=1", headers=root.bearer)).json()["items"]

    (entry,) = entries
    (newest, *_) = await listed(closed_api, root.token)
    assert (entry["action"], entry["subject_id"]) == ("sign-in.opened", newest["id"])
    assert cast.PASSWORD not in str(entry)
