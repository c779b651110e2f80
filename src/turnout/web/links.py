"""The addresses that one-time links lead to, and those of events. Knows no page."""

from uuid import UUID

from turnout.accounts.models import LinkPurpose

SET_PASSWORD = "/set-password"  # noqa: S105 - the path of a page, no password
VERIFY_EMAIL = "/verify-email"
_PATHS = {
    LinkPurpose.VERIFY_EMAIL: VERIFY_EMAIL,
    LinkPurpose.CHANGE_EMAIL: VERIFY_EMAIL,
    LinkPurpose.RESET_PASSWORD: SET_PASSWORD,
    LinkPurpose.INVITATION: SET_PASSWORD,
    LinkPurpose.SET_UP: SET_PASSWORD,
}


def address_of(base_url: str, token: str, purpose: LinkPurpose = LinkPurpose.SET_UP) -> str:
    """The whole address of the page where the link of that token is redeemed."""
    return f"{base_url}{_PATHS[purpose]}?token={token}"


def event_path(slug: str) -> str:
    """The path of the page of an event."""
    return f"/e/{slug}"


def registration_path(registration_id: UUID) -> str:
    """The path of the page of a registration, for whoever it is for."""
    return f"/registration/{registration_id}"
