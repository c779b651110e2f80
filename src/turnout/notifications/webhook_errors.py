"""What can go wrong with webhooks and the feed of changes, in words for people."""

from turnout.errors import Conflict, Invalid


class UrlNotAllowed(Invalid):
    """The URL is none, or leads where only this server could go."""

    code = "url-not-allowed"
    title = "This address cannot be called"
    explanation = (
        "A webhook is called at a public address: `https://`, a name of the Internet or a public "
        "IP address as usually written, the port 443, 80, or 1024 and above, at most 2,000 "
        "characters, no user name and no fragment. Whoever runs this server may allow networks of "
        "its own by `TURNOUT_WEBHOOK_NETWORKS`."
    )


class TooManyWebhooks(Conflict):
    """The account has as many webhooks as it may have."""

    code = "too-many-webhooks"
    title = "There are too many webhooks"
    explanation = "An account has 50 webhooks at most. Delete one that nobody listens at any more."


class WebhookDisabled(Conflict):
    """The webhook is not called, as it is switched off."""

    code = "webhook-disabled"
    title = "This webhook is switched off"
    explanation = (
        "It was switched off by its owner, or because nobody took its messages for five days or "
        "its receiver answered 410. Let it be called again first: `PATCH` it with "
        '`{"is_active": true}`.'
    )


class ChangesGone(Conflict):
    """What happened after that place in the feed is not kept any more."""

    code = "changes-gone"
    title = "What happened since then is not kept any more"
    explanation = (
        "Messages are kept for 90 days, and `after` names an older place. Read what you need anew "
        "from the events themselves, then go on from the member `oldest`, or without `after`."
    )
