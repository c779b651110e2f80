"""The requests of the Postman collection, in the order in which they can be run.

What one makes, the next ones use. Knows nothing of Postman's form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

ME, ROOT, GUEST = "Bearer {{access_token}}", "Bearer {{admin_token}}", "Ticket {{manage_token}}"


@dataclass(frozen=True)
class Step:
    """One request: an operation of the document, and what it is sent with here."""

    operation: str
    credential: str | None = None
    body: Mapping[str, str] | None = None
    """Instead of the document's example."""
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Variables to set, each to a member of the good answer."""
    refusals: tuple[int, ...] = ()
    """Statuses that are all right as well, without what only a mail or a device shows."""
    name: str | None = None
    """Instead of the summary, where an operation comes more than once."""


@dataclass(frozen=True)
class Folder:
    """Requests that belong together, in the order in which they run."""

    name: str
    description: str
    steps: tuple[Step, ...]


_MINE = {"username": "{{email}}", "password": "{{password}}"}
_ADMINS = {"username": "{{admin_email}}", "password": "{{admin_password}}"}
_TOKENS = {"access_token": "access_token", "refresh_token": "refresh_token"}
_WORDS = {"subject": "You are in", "body": "Doors open *half an hour* before."}
"""Without placeholders, which Postman would take for variables of its own."""
_BY_CODE = {"code": "{{recovery_code}}"}
FOLDERS = (
    Folder(
        "First steps",
        "An event, a seat, and who comes: no account is needed in open mode.",
        (
            Step("create_event", keeps={"event_id": "id"}),
            Step("list_events"),
            Step("register", keeps={"registration_id": "id", "manage_token": "manage_token"}),
            Step("list_attendees"),
            Step("read_event"),
            Step("read_event_calendar"),
            Step("read_calendar"),
            Step("search_places"),
        ),
    ),
    Folder(
        "Agenda",
        "The parts of the event, one by one.",
        (
            Step("add_slot", keeps={"slot_id": "id"}),
            Step("read_slot"),
            Step("change_slot"),
            Step("delete_slot"),
        ),
    ),
    Folder(
        "Series",
        "The event once a week, and all its dates.",
        (
            Step("repeat_event", keeps={"series_id": "series_id"}),
            Step("read_series"),
        ),
    ),
    Folder(
        "Mails of an event",
        "What its organizers say in words of their own, and when people are reminded.",
        (
            Step("set_wording", body=_WORDS),
            Step("preview_wording", body=_WORDS),
            Step("read_mails"),
            Step("remove_wording"),
            Step("set_reminder"),
        ),
    ),
    Folder(
        "A guest's seat",
        "By the token that came with the seat.",
        (
            Step("read_registration", GUEST),
            Step("change_registration", GUEST),
            Step("cancel_registration", GUEST),
        ),
    ),
    Folder(
        "An account of your own",
        "Get one, sign in, look after it.",
        (
            Step(
                "sign_up",
                body={"email": "{{email}}", "password": "{{password}}", "name": "Ada Lovelace"},
            ),
            Step("issue_tokens", body=_MINE, keeps=_TOKENS),
            Step(
                "issue_tokens",
                body={"grant_type": "refresh_token", "refresh_token": "{{refresh_token}}"},
                keeps=_TOKENS,
                name="Stay signed in",
            ),
            Step("read_profile", ME),
            Step("change_profile", ME),
            Step("list_own", ME),
            Step("create_token", ME, keeps={"token_id": "id"}),
            Step("list_tokens", ME),
            Step("revoke_api_token", ME),
            Step("issue_tokens", body=_MINE, name="Sign in somewhere else"),
            Step("list_sign_ins", ME, keeps={"sign_in_id": "items[0].id"}),
            Step("end_sign_in", ME),
        ),
    ),
    Folder(
        "Second factor",
        "An authenticator beside the password: put what it shows into the variable `otp`.",
        (
            Step("read_second_factor", ME),
            Step("begin_second_factor", ME, keeps={"secret": "secret"}),
            Step(
                "confirm_second_factor",
                ME,
                body={"code": "{{otp}}"},
                keeps={"recovery_code": "recovery_codes[0]"},
                refusals=(422,),
            ),
            Step(
                "renew_recovery_codes",
                ME,
                body=_BY_CODE,
                keeps={"recovery_code": "recovery_codes[0]"},
                refusals=(409,),
            ),
            Step("disable_second_factor", ME, body=_BY_CODE, refusals=(409,)),
        ),
    ),
    Folder(
        "By mail",
        "The tokens are those of the links in mails, or of `turnout users link`.",
        (
            Step("verify_email", body={"token": "{{verify_token}}"}, refusals=(404,)),
            Step("read_preferences", ME),
            Step("change_preferences", ME, refusals=(403,)),
            Step("make_feed", ME),
            Step("read_feed", refusals=(404,)),
            Step("end_feed", ME),
            Step("export_data", ME),
            Step("forgot_password", body={"email": "{{email}}"}),
            Step(
                "reset_password",
                body={"token": "{{reset_token}}", "password": "{{password}}"},
                refusals=(404,),
            ),
        ),
    ),
    Folder(
        "Administration",
        "Everybody's accounts, and who did what.",
        (
            Step(
                "issue_tokens",
                body=_ADMINS,
                keeps={"admin_token": "access_token"},
                name="Sign in as the administrator",
            ),
            Step("list_users", ROOT),
            Step(
                "create_user",
                ROOT,
                body={"email": "{{$guid}}@example.com", "name": "Grace Hopper", "role": "attendee"},
                keeps={"user_id": "id"},
            ),
            Step("read_user", ROOT),
            Step("change_user", ROOT),
            Step("remove_second_factor", ROOT),
            Step("list_audit", ROOT),
        ),
    ),
    Folder(
        "Cover picture",
        "Choose a file as the body of the first one; without it there is no picture to get.",
        (
            Step("set_cover", ROOT, refusals=(415,)),
            Step("read_cover", ROOT, refusals=(404,)),
            Step("remove_cover", ROOT, refusals=(404,)),
        ),
    ),
    Folder(
        "Team",
        "Who helps with the event.",
        (
            Step("add_member", ROOT, body={"user_id": "{{user_id}}", "role": "door"}),
            Step("list_team", ROOT),
            Step("remove_member", ROOT),
        ),
    ),
    Folder(
        "Integrations",
        "Let a program know what happens, see what became of each message, and read the feed.",
        (
            Step("create_webhook", ROOT, keeps={"webhook_id": "id"}),
            Step("list_webhooks", ROOT),
            Step("read_webhook", ROOT),
            Step("change_webhook", ROOT),
            Step("rotate_secret", ROOT),
            Step("test_webhook", ROOT, keeps={"delivery_id": "id"}),
            Step("list_deliveries", ROOT),
            Step("redeliver", ROOT),
            Step("delete_webhook", ROOT),
            Step("list_changes", ROOT),
        ),
    ),
    Folder(
        "Run an event",
        "Change it, move it, hold it again, call it off: whoever is registered is told.",
        (
            Step("change_event", ROOT),
            Step("publish_event", ROOT),
            Step("move_event", ROOT),
            Step("duplicate_event", ROOT),
            Step("cancel_event", ROOT),
            Step("delete_event", ROOT),
        ),
    ),
    Folder(
        "Leaving",
        "Sign out, and take people out of everything.",
        (
            Step("delete_user", ROOT),
            Step("revoke_token", ME, body={"token": "{{refresh_token}}"}),
            Step("issue_tokens", body=_MINE, keeps=_TOKENS, name="Sign in once more"),
            Step("delete_account", ME),
        ),
    ),
    Folder(
        "The server",
        "For those who run it, and for those who wonder about an error.",
        (
            Step("check_live"),
            Step("check_ready"),
            Step("page"),
            Step("list_outbox", ROOT),
            Step("retry_delivery", ROOT, refusals=(409, 404)),
            Step("list_anonymizations", ROOT),
        ),
    ),
)
