"""What can be wrong with mails, their choices and their deliveries; it must not know HTTP."""

from turnout.errors import Conflict, Invalid, NotAllowed


class EmailNotVerified(NotAllowed):
    """The account has not shown that its address is its own."""

    code = "email-not-verified"
    title = "Verify your address first"
    explanation = (
        "What is sent to an address is for its reader to decide, and this account has not shown "
        "yet that the address is its own. Follow the link in the mail that came when it was made."
    )


class DeliveryEnded(Conflict):
    """The delivery arrived, or there is nobody left whom it could reach."""

    code = "delivery-ended"
    title = "There is nothing to send again"
    explanation = (
        "What has arrived is not sent twice, and what was forgotten with the person it was for "
        "cannot be sent any more. Only deliveries that wait, or were given up, can be retried."
    )


class InvalidTemplate(Invalid):
    """An organizer's words hold a placeholder that there is not."""

    code = "invalid-template"
    title = "There is no such placeholder"
    explanation = (
        "In the words of a mail, what stands between double braces is replaced for each reader. "
        "Only a few names may stand there, such as {{name}} and {{event}}; the answer lists them. "
        "There are no dots, no calls and no conditions."
    )
