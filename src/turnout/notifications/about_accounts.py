"""What a mail about an account says. Pure."""

from dataclasses import dataclass

from turnout.accounts.actor import Role
from turnout.events.zones import UTC_NAME
from turnout.notifications import mime, periods, sayings
from turnout.notifications.kinds import MailKind
from turnout.notifications.letterhead import Letterhead
from turnout.notifications.news import AccountNews, Facts, WebhookNews
from turnout.notifications.sayings import Said

VERIFY_EMAIL = "/verify-email"
SET_PASSWORD = "/set-password"  # noqa: S105 - the path of a page, no password
_PATHS = {
    MailKind.VERIFY_EMAIL: VERIFY_EMAIL,
    MailKind.EMAIL_CHANGE: VERIFY_EMAIL,
    MailKind.RESET_PASSWORD: SET_PASSWORD,
    MailKind.INVITATION: SET_PASSWORD,
}
_SUBJECTS = {
    MailKind.VERIFY_EMAIL: "Is this your address?",
    MailKind.INVITATION: "An account was made for you",
    MailKind.ACCOUNT_KNOWN: "You have an account already",
    MailKind.EMAIL_CHANGE: "Is this your new address?",
    MailKind.EMAIL_CHANGED: "Your account has another address",
    MailKind.RESET_PASSWORD: "Set a new password",
    MailKind.PASSWORD_CHANGED: "Your password has changed",
    MailKind.ROLE_CHANGED: "You have another role",
    MailKind.NEW_SIGN_IN: "Somebody has signed in",
    MailKind.WEBHOOK_DISABLED: "A webhook was switched off",
}
_FACTOR_SUBJECTS = {
    "confirmed": "Your account has a second factor",
    "removed": "Your account has no second factor any more",
    "codes-renewed": "You have new recovery codes",
}
_FACTOR_SENTENCES = {
    "confirmed": "From now on a code of your authenticator is asked for at each sign-in.",
    "removed": "From now on the password alone is enough to sign in.",
    "codes-renewed": "The recovery codes were renewed, and the former ones count no more.",
}
_FACTOR_CHANGED = "The second factor has changed."
_ROLES = {
    Role.ADMIN: ("an administrator", "You look after all events and accounts."),
    Role.ORGANIZER: ("an organizer", "You can publish events of your own."),
    Role.ATTENDEE: ("an attendee", "You can register for events."),
}
_WHY = "You get this mail because of the account with this address."
_WHYS = {
    MailKind.EMAIL_CHANGED: "You get this mail because an account had this address until now.",
    MailKind.EMAIL_CHANGE: "You get this mail because somebody gave this address as theirs.",
    MailKind.VERIFY_EMAIL: "You get this mail because somebody gave this address as theirs.",
}
_UNNAMED = "a program that does not say what it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSaid(Said):
    """What the templates of mails about accounts know."""

    email: str
    former: str
    link_url: str
    link_until: str
    factor: str
    role: str
    duty: str
    client: str
    client_address: str | None
    signed_in: str
    webhook: WebhookNews | None


def said(letterhead: Letterhead, facts: Facts, news: AccountNews) -> AccountSaid:
    """What a mail of that kind says of the account."""
    kind, zone = facts.kind, facts.reader.zone or UTC_NAME
    subject = _SUBJECTS.get(kind) or _FACTOR_SUBJECTS.get(news.what or "", _FACTOR_CHANGED)
    role, duty = _ROLES[Role(news.role)] if news.role else ("", "")
    until, at = news.link_expires_at, news.signed_in_at
    return AccountSaid(
        **sayings.common(letterhead, facts, subject, _WHYS.get(kind, _WHY)),
        email=facts.reader.address,
        former=news.account_email,
        link_url=_link_url(letterhead, kind, news),
        link_until=periods.moment(until, zone) if until else "",
        factor=_FACTOR_SENTENCES.get(news.what or "", _FACTOR_CHANGED),
        role=role,
        duty=duty,
        client=mime.one_line(news.client or "") or _UNNAMED,
        client_address=news.client_address,
        signed_in=periods.moment(at, zone) if at else "",
        webhook=news.webhook,
    )


def _link_url(letterhead: Letterhead, kind: MailKind, news: AccountNews) -> str:
    if news.link_id is None:
        return ""
    token = letterhead.seals.link_token(news.link_id)
    return f"{letterhead.base_url}{_PATHS[kind]}?token={token}"
