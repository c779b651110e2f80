"""What can keep a mail from leaving, told apart by what has to be done about it. Pure."""


class MailError(Exception):
    """A mail did not leave. `reason` is one short line without secrets and whole addresses."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MailRefused(MailError):
    """Its recipient or its content is refused for good: this mail will never be taken."""


class MailPostponed(MailError):
    """Not taken this time, or nobody knows: another try of this mail may do better.

    Where the connection broke after all of it was sent, the server may have it: the next try is
    then a second copy, with the same Message-ID.
    """


class ServerAway(MailError):
    """No mail can leave for now, whosever it is: the server or our account there is the matter."""
