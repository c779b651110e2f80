"""What can go wrong with an account, in words for people; it must not know HTTP."""

from turnout.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, Unready


class InvalidCredentials(NotSignedIn):
    """Address and password do not belong together; which of the two is wrong is not said."""

    code = "invalid-credentials"
    title = "Address and password do not belong together"
    explanation = (
        "There is no active account with that address and that password. Look for typing errors; "
        "if you do not know the password any more, ask for a link to set a new one."
    )


class SecondFactorRequired(NotSignedIn):
    """The password is right, and the account has a second factor: its code is missing or wrong."""

    code = "second-factor-required"
    title = "A code of the second factor is needed"
    explanation = (
        "The account is protected by a second factor. Send its six digits, or one of the recovery "
        "codes, as the form field `otp` beside the password. Each code counts once."
    )


class TokenReuse(NotSignedIn):
    """A refresh token came a second time: it may be stolen, and the sign-in has been ended."""

    code = "token-reuse"
    title = "This refresh token was used before"
    explanation = (
        "A refresh token is good for one use. This one came again, so that someone may have copied "
        "it: everything that belongs to its sign-in has been ended. Sign in again."
    )


class InvalidGrant(NotSignedIn):
    """The refresh token is none of ours, has run out, or belongs to a sign-in that ended."""

    code = "invalid-grant"
    title = "This refresh token does not count"
    explanation = (
        "The refresh token was not given out by this server, has run out, or belongs to a sign-in "
        "that was ended. Sign in again."
    )


class InvalidLink(NotFound):
    """The link was not given out by us, was used, has run out, or is for something else."""

    code = "invalid-link"
    title = "This link does not count"
    explanation = (
        "Links in mails are good for one use and for a limited time. This one was used, has run "
        "out, or is not complete. Ask for a new one."
    )


class WeakPassword(Invalid):
    """The password is too easy to guess."""

    code = "weak-password"
    title = "This password is too easy to guess"
    explanation = (
        "A password has 12 to 1024 characters, is none that many people use, and does not repeat "
        "your name or address. Three or four unrelated words are a good one; spaces count."
    )


class WrongPassword(Invalid):
    """The present password, which a change asks for, is missing or wrong."""

    code = "wrong-password"
    title = "The present password is needed"
    explanation = (
        "Whoever changes an address or a password shows the present password with it, as "
        "`current_password`."
    )


class InvalidCode(Invalid):
    """The code is not the one that the second factor shows now, or was used."""

    code = "invalid-code"
    title = "This code does not count"
    explanation = (
        "Send the six digits that the authenticator shows now, or an unused recovery code. Each "
        "counts once; look whether the clock of the device is right."
    )


class SecondFactorMissing(NotAllowed):
    """The role asks for a second factor, and the account has none yet."""

    code = "second-factor-missing"
    title = "Set up a second factor first"
    explanation = (
        "This server asks for a second factor from accounts of your role, and yours has none. "
        "Set one up with POST /users/me/second-factor; until then the role does not count."
    )


class SecondFactorState(Conflict):
    """There is one already, or none to confirm or take away."""

    code = "second-factor-state"
    title = "The second factor is not in the state for that"
    explanation = (
        "A second factor is set up by POST /users/me/second-factor and then confirmed by a code. "
        "One that is confirmed has to be taken away before another can be set up."
    )


class EmailTaken(Conflict):
    """Another account has that address."""

    code = "email-taken"
    title = "There is an account with this address"
    explanation = "Each address belongs to one account. Use that account, or another address."


class LastAdmin(Conflict):
    """It is the last administrator, and nobody could make another."""

    code = "last-admin"
    title = "This is the last administrator"
    explanation = (
        "At least one active administrator stays, for nobody else can make one. Make another "
        "account an administrator first."
    )


class TooManyTokens(Conflict):
    """The account has as many API tokens as one may have."""

    code = "too-many-tokens"
    title = "There are too many API tokens"
    explanation = "An account has at most 50 API tokens that count. Revoke one that is not used."


class Busy(Unready):
    """So many people sign in that this one could not be looked at in time."""

    code = "busy"
    title = "Too many people sign in at once"
    explanation = (
        "Looking at a password takes a moment on purpose, and too many people wait for it. "
        "Nothing was changed. Try again after the time in Retry-After."
    )
    retry_after_seconds = 2
