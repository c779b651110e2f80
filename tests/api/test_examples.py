"""The requests that the API document shows are answered well when somebody sends them."""

from typing import Any

import httpx2
import pytest
from tests.accounts.calls import code_at, link_tokens
from tests.factories import make_event, register
from tests.support import cast
from tests.support.app import RunningApp

from turnout.accounts.actor import Role
from turnout.api.examples import EXAMPLES
from turnout.outbox.topics import Topic


def example(schema: str, name: str) -> dict[str, Any]:
    value: dict[str, Any] = EXAMPLES[schema][name]["value"]
    return value


@pytest.mark.parametrize("name", EXAMPLES["EventIn"])
async def test_example_of_a_new_event_works(name: str, api: httpx2.AsyncClient) -> None:
    answer = await api.post("/events", json=example("EventIn", name))

    listed = await api.get("/events")
    assert answer.status_code == 201, answer.text
    assert [event["name"] for event in listed.json()["items"]] == [answer.json()["name"]]


@pytest.mark.parametrize("name", EXAMPLES["EventPatch"])
async def test_example_of_a_change_works(name: str, api: httpx2.AsyncClient) -> None:
    event, sent = await make_event(api), example("EventPatch", name)
    path = f"/events/{event['id']}"

    rehearsed = await api.patch(f"{path}?dry_run=true", json=sent)
    changed = await api.patch(path, json=sent)

    assert set(rehearsed.json()) == set(example("ChangeOut", "rehearsal"))
    assert (rehearsed.status_code, changed.status_code) == (200, 200)
    assert {key for key in sent if changed.json()[key] != event[key]} == set(sent)


async def test_examples_of_the_life_of_an_event_work(api: httpx2.AsyncClient) -> None:
    """Moved by the clock of another zone, held again, and called off."""
    event = await make_event(api)
    path = f"/events/{event['id']}"

    moved = await api.post(f"{path}/timezone", json=example("TimezoneIn", "wall-clock"))
    copied = await api.post(f"{path}/duplicate", json=example("DuplicateIn", "next-year"))
    cancelled = await api.post(f"{path}/cancel", json=example("CancelIn", "reason"))

    assert [moved.status_code, copied.status_code, cancelled.status_code] == [200, 201, 200]
    assert moved.json()["event"]["start_time"] == event["start_time"][:19] + "+05:45"
    assert copied.json()["start_time"] == "2031-12-06T10:00:00+05:45"
    assert cancelled.json()["cancel_reason"] == example("CancelIn", "reason")["reason"]


@pytest.mark.parametrize("name", EXAMPLES["SeriesIn"])
async def test_example_of_a_series_works_and_those_that_follow_change(
    name: str, api: httpx2.AsyncClient
) -> None:
    event, sent = await make_event(api), example("SeriesIn", name)

    made = await api.post(f"/events/{event['id']}/series", json=sent)
    changed = await api.patch(f"/events/{event['id']}?scope=following", json={"name": "Again"})

    assert made.status_code == (200 if sent.get("dry_run") else 201)
    assert set(made.json()) == set(example("SeriesOut", "series"))
    if not sent.get("dry_run"):
        page = await api.get(made.headers["location"])
        assert set(page.json()) == set(example("SeriesPage", "last-page"))
        assert set(changed.json()) == set(example("FollowingOut", "following"))


async def test_examples_of_slots_work_in_the_example_of_an_event(api: httpx2.AsyncClient) -> None:
    event = (await api.post("/events", json=example("EventIn", "five-fields"))).json()
    path = f"/events/{event['id']}/slots"

    made = await api.post(path, json=example("SlotIn", "talk"))
    place = made.headers["location"]
    read = await api.get(place)
    other = {"title": "Leap seconds", "start_time": "2030-12-07T11:30", "room": "Great hall"}
    await api.post(path, json={**other, "end_time": "2030-12-07T12:15"})
    clashing = await api.patch(place, json={})
    changed = [
        (await api.patch(place, json=example("SlotPatch", name))).json()
        for name in EXAMPLES["SlotPatch"]
    ]

    own = {"id": made.json()["id"]}
    assert made.json() == {**example("ScheduledOut", "alone"), **own}
    assert read.json() == {**example("SlotOut", "talk"), **own}
    assert clashing.json() == {**example("ScheduledOut", "clash"), **own}
    assert [each["end_time"] for each in changed] == ["2030-12-07T14:45:00+05:30"] * 2
    assert changed[-1]["room"] == "Small hall"


@pytest.mark.parametrize("name", EXAMPLES["RegisterIn"])
async def test_example_of_a_registration_works(name: str, api: httpx2.AsyncClient) -> None:
    event = await make_event(api)

    answer = await api.post(f"/events/{event['id']}/register", json=example("RegisterIn", name))

    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "confirmed"


@pytest.mark.parametrize("name", EXAMPLES["RegistrationChangeIn"])
async def test_example_of_a_changed_registration_works(name: str, api: httpx2.AsyncClient) -> None:
    event = await make_event(api)
    seat = (await register(api, event["id"])).json()

    answer = await api.patch(
        f"/registrations/{seat['id']}", json=example("RegistrationChangeIn", name)
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == example("RegistrationChangeIn", name)["name"]


async def test_examples_of_a_new_account_work_one_after_the_other(closed_app: RunningApp) -> None:
    refreshing = example("GrantForm", "refresh")
    async with closed_app.client() as api:
        signed_up = await api.post("/auth/sign-up", json=example("SignUpIn", "person"))
        signed_in = await api.post("/auth/token", data=example("GrantForm", "password"))
        tokens = signed_in.json()
        refreshed = await api.post(
            "/auth/token", data={**refreshing, "refresh_token": tokens["refresh_token"]}
        )
        bearer = {"Authorization": f"Bearer {refreshed.json()['access_token']}"}
        profile = await api.get("/users/me", headers=bearer)

    assert (signed_up.status_code, signed_up.content) == (202, b"")
    assert (signed_in.status_code, refreshed.status_code) == (200, 200)
    assert profile.json()["email"] == example("SignUpIn", "person")["email"]
    assert set(example("TokensOut", "signed-in")) == set(tokens)
    assert set(example("ProfileOut", "account")) == set(profile.json())


async def test_examples_about_links_work_with_the_tokens_of_links(closed_app: RunningApp) -> None:
    await cast.join(closed_app, "Ada", verified=False)
    resetting = example("ResetIn", "link")
    async with closed_app.client() as api:
        asked = await api.post("/auth/forgot-password", json=example("EmailIn", "address"))
        [verifying] = await link_tokens(closed_app, Topic.ACCOUNT_CREATED)
        verified = await api.post("/auth/verify-email", json={"token": verifying})
        [token] = await link_tokens(closed_app, Topic.PASSWORD_RESET_ASKED)
        reset = await api.post("/auth/reset-password", json={**resetting, "token": token})
        signed_in = await api.post("/auth/token", data=example("GrantForm", "password"))

    assert set(example("TokenIn", "token")) == {"token"}
    assert [asked.status_code, verified.status_code, reset.status_code] == [202, 204, 204]
    assert signed_in.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "schema", "name", "status"),
    [
        ("PATCH", "/users/me", "ProfileIn", "language", 200),
        ("POST", "/users/me/tokens", "ApiTokenIn", "export", 201),
        ("POST", "/auth/revoke", "TokenIn", "token", 200),
        ("POST", "/users", "UserIn", "organizer", 201),
        ("PATCH", "/users/{ada}", "UserChangeIn", "role", 200),
        ("PATCH", "/users/{ada}", "UserChangeIn", "disabled", 200),
    ],
)
async def test_example_works_for_an_administrator(
    method: str, path: str, schema: str, name: str, status: int, closed_app: RunningApp
) -> None:
    root, ada = await cast.root(closed_app), await cast.ada(closed_app)
    sent = example(schema, name)

    async with root.api(closed_app) as api:
        answer = await api.request(method, path.format(ada=ada.id), json=sent)

    assert answer.status_code == status, answer.text
    if answer.content:
        taken = {name: answer.json().get(name) for name in sent}
        assert {**taken, "expires_in_days": None} == {**sent, "expires_in_days": None}


async def test_example_of_a_new_member_works(closed_app: RunningApp) -> None:
    olive = await cast.olive(closed_app)
    await cast.join(closed_app, "Grace", Role.ATTENDEE)
    sent = example("MemberIn", "door")

    async with olive.api(closed_app) as api:
        event = await make_event(api)
        answer = await api.post(f"/events/{event['id']}/team", json=sent)

    assert answer.status_code == 201, answer.text
    assert {name: answer.json()[name] for name in sent} == sent
    assert set(answer.json()) == set(example("MemberOut", "door"))


async def test_examples_of_codes_work_with_codes(closed_app: RunningApp) -> None:
    ada = await cast.ada(closed_app)
    way = "/users/me/second-factor"
    async with ada.api(closed_app) as api:
        begun = await api.post(way)
        code = code_at(begun.json()["secret"])
        confirmed = await api.post(f"{way}/confirm", json={"code": code})
        first, second, *_ = confirmed.json()["recovery_codes"]
        read = await api.get(way)
        renewed = await api.post(f"{way}/recovery-codes", json={"code": first})
        used = await api.post(f"{way}/disable", json={"code": second})
        disabled = await api.post(
            f"{way}/disable", json={"code": renewed.json()["recovery_codes"][0]}
        )

    shapes = {name: re_shaped(example("CodeIn", name)["code"]) for name in ("code", "recovery")}
    assert shapes == {"code": re_shaped(code), "recovery": re_shaped(first)}
    assert set(begun.json()) == set(example("NewSecondFactorOut", "secret"))
    assert set(read.json()) == set(example("SecondFactorOut", "on"))
    assert [renewed.status_code, used.status_code, disabled.status_code] == [200, 422, 204]


def re_shaped(code: str) -> str:
    """A code with its letters and digits made alike."""
    return "".join("x" if letter.isalnum() else letter for letter in code)
