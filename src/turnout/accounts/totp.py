"""The second factor: time-based codes (RFC 6238) and recovery codes. Pure: `now` is passed in."""

import hmac
import re
import secrets
from datetime import datetime
from hashlib import sha256

import pyotp

from turnout import qr

STEP_SECONDS = 30
STEPS_ASIDE = 1
"""Steps before and after the present one whose code counts: clocks differ, typing takes time."""

RECOVERY_CODES = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no i, l, o, u
_GROUPS, _GROUP_CHARACTERS = 4, 4  # 16 characters of 5 bits each
_RECOVERY = re.compile(f"[{_ALPHABET}]{{{_GROUPS * _GROUP_CHARACTERS}}}")
_MISREAD = str.maketrans("oil", "011")

_SECRET_CHARACTERS = 32  # 160 bits, the length of the HMAC's hash (RFC 4226, 4, R6)
_QR_SCALE = 5  # CSS pixels a module: some 250 in all, which phones read from a screen with ease


def new_secret() -> str:
    """160 random bits in base32, which is the form that authenticator apps take."""
    return pyotp.random_base32(_SECRET_CHARACTERS)


def uri(secret: str, account: str, issuer: str) -> str:
    """What an authenticator app is told: an `otpauth://` address with the secret in it."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def qr_svg(uri: str) -> str:
    """A QR code of that address, as an SVG to put into a page: dark on light, with its margin.

    Has attributes alone, no style and no script, so that the strictest CSP lets it through. It
    names itself to nobody: the page says what it is, and shows the secret as text beside it.
    """
    rows = qr.modules(uri)
    dark = "".join(
        f"M{run.start()} {y}h{len(run[0])}v1h-{len(run[0])}z"
        for y, row in enumerate(rows)
        for run in re.finditer(rb"\x00+", row)
    )
    side, pixels = len(rows), len(rows) * _QR_SCALE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{pixels}" height="{pixels}" '
        f'viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path d="M0 0h{side}v{side}h-{side}z" fill="#fff"/><path d="{dark}" fill="#000"/></svg>'
    )


def matching_step(secret: str, code: str, now: datetime, last_step: int | None) -> int | None:
    """The time step that a code of six digits belongs to, or None if it does not count.

    Store it as the next `last_step`: no step up to that one counts, so that a code counts once
    (RFC 6238, 5.2). Two requests with one code are told apart by a conditional update alone.
    Spaces in `code` are overlooked, as apps show `123 456`.
    """
    digits = code.replace(" ", "")
    if re.fullmatch("[0-9]{6}", digits) is None:
        return None
    present = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    # Each is compared, whichever matches, and each comparison takes the same time.
    matching = [
        step
        for step in range(present - STEPS_ASIDE, present + STEPS_ASIDE + 1)
        if hmac.compare_digest(totp.generate_otp(step), digits)
    ]
    # Of steps that happen to have the same code the last: the code must not count once more.
    newest = max(matching, default=None)
    if newest is None or (last_step is not None and newest <= last_step):
        return None
    return newest


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 random bits (`xxxx-xxxx-xxxx-xxxx`), each to stand in for a device once."""
    return [_new_recovery_code() for _ in range(RECOVERY_CODES)]


def _new_recovery_code() -> str:
    characters = [secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP_CHARACTERS)]
    return _grouped("".join(characters))


def normalize_recovery(text: str) -> str | None:
    """A code as `new_recovery_codes` wrote it, from one as somebody typed it; None for no code.

    Case, spaces and hyphens make no difference, and o, i and l are read as 0, 1 and 1.
    """
    plain = re.sub(r"[\s-]+", "", text).lower().translate(_MISREAD)
    return _grouped(plain) if _RECOVERY.fullmatch(plain) else None


def hash_recovery(code: str) -> bytes:
    """What to store of a code in its normalized form, 32 bytes.

    A fast hash, for the code is random: nobody tries 2^80, and there is no list of likely ones.
    """
    return sha256(code.encode()).digest()


def _grouped(plain: str) -> str:
    starts = range(0, len(plain), _GROUP_CHARACTERS)
    return "-".join(plain[start : start + _GROUP_CHARACTERS] for start in starts)
