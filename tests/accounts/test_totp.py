"""Codes of a second factor: the RFC's own examples, each code once, and what people type."""

import re
from base64 import b32encode
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
import zxingcpp
from PIL import Image

from turnout.accounts import totp

# RFC 6238, appendix B, for SHA-1; of its eight digits an app shows the last six.
RFC_SECRET = b32encode(b"12345678901234567890").decode()
RFC_CODES = [
    (59, "287082"),
    (1_111_111_109, "081804"),
    (1_111_111_111, "050471"),
    (1_234_567_890, "005924"),
    (2_000_000_000, "279037"),
]
NOW = 1_111_111_111
STEP = NOW // 30
CODE, CODE_BEFORE = "050471", "081804"
ACCOUNT_URI = totp.uri(RFC_SECRET, "ada@example.org", "Turnout")


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def matching(code: str, seconds: int = NOW, last_step: int | None = None) -> int | None:
    return totp.matching_step(RFC_SECRET, code, at(seconds), last_step)


def test_secret_has_160_random_bits() -> None:
    secrets = {totp.new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert all(re.fullmatch("[A-Z2-7]{32}", secret) for secret in secrets)


def test_uri_names_issuer_account_and_secret() -> None:
    told = totp.uri(RFC_SECRET, "ada+x@example.org", "Turn: out")

    assert told == (
        "otpauth://totp/Turn%3A%20out:ada%2Bx%40example.org"
        f"?secret={RFC_SECRET}&issuer=Turn%3A%20out"
    )


def test_qr_svg_has_attributes_alone() -> None:
    drawn = totp.qr_svg(ACCOUNT_URI)

    elements = list(ElementTree.fromstring(drawn).iter())  # noqa: S314 - our own document
    svg = "{http://www.w3.org/2000/svg}"
    assert [each.tag.removeprefix(svg) for each in elements] == ["svg", "path", "path"]
    assert [sorted(each.attrib) for each in elements] == [
        ["height", "shape-rendering", "viewBox", "width"],
        ["d", "fill"],
        ["d", "fill"],
    ]
    assert drawn.startswith("<svg ")
    assert drawn.endswith("</svg>")


def test_qr_svg_is_read_as_the_uri() -> None:
    """Painted as a browser does, run by run."""
    drawn = totp.qr_svg(ACCOUNT_URI)

    side = int(re.findall(r'viewBox="0 0 (\d+) ', drawn)[0])
    picture = Image.new("L", (side, side), 255)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", drawn):
        picture.paste(0, (int(x), int(y), int(x) + int(width), int(y) + 1))
    read = zxingcpp.read_barcodes(picture.resize((side * 4, side * 4), Image.Resampling.NEAREST))
    assert [each.text for each in read] == [ACCOUNT_URI]


def test_qr_svg_depends_on_the_uri() -> None:
    other = totp.uri(RFC_SECRET, "olive@example.org", "Turnout")

    assert totp.qr_svg(ACCOUNT_URI) == totp.qr_svg(ACCOUNT_URI)
    assert totp.qr_svg(ACCOUNT_URI) != totp.qr_svg(other)


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES)
def test_matching_step_of_a_code_of_the_rfc_is_its_step(seconds: int, code: str) -> None:
    step = matching(code, seconds)

    assert step == seconds // 30


@pytest.mark.parametrize(
    ("steps_later", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_matching_step_counts_one_step_aside(steps_later: int, *, counts: bool) -> None:
    step = matching(CODE, NOW + 30 * steps_later)

    assert step == (STEP if counts else None)


@pytest.mark.parametrize(
    ("code", "last_step", "expected"),
    [
        (CODE, None, STEP),
        (CODE, STEP - 1, STEP),
        (CODE, STEP, None),
        (CODE, STEP + 1, None),
        (CODE_BEFORE, STEP - 2, STEP - 1),
        (CODE_BEFORE, STEP - 1, None),
        (CODE_BEFORE, STEP, None),
    ],
)
def test_matching_step_is_later_than_the_last(
    code: str, last_step: int | None, expected: int | None
) -> None:
    step = matching(code, last_step=last_step)

    assert step == expected


@pytest.mark.parametrize("code", ["050 471", " 050471 ", "0 5 0 4 7 1"])
def test_matching_step_overlooks_spaces(code: str) -> None:
    assert matching(code) == STEP


@pytest.mark.parametrize(
    "code",
    [
        "", " ", "05047", "0504711", "50471", "050472", "050-471", "050471\n", "+50471", "05047１",
        "٠٥٠٤٧١", "050\u00a0471", "050471\x00", "\ud800", "0x0471", "9" * 1_000_000,
    ],
)  # fmt: skip
def test_matching_step_of_anything_else_is_none(code: str) -> None:
    assert matching(code) is None


def test_matching_step_of_another_secret_is_none() -> None:
    other = b32encode(b"09876543210987654321").decode()

    assert totp.matching_step(other, CODE, at(NOW), None) is None


def test_recovery_codes_are_ten_of_80_bits() -> None:
    codes = totp.new_recovery_codes()

    digit = "[0-9abcdefghjkmnpqrstvwxyz]"
    assert len(set(codes)) == len(codes) == 10
    assert all(re.fullmatch(f"{digit}{{4}}(-{digit}{{4}}){{3}}", code) for code in codes)


def test_normalize_recovery_of_a_new_code_is_the_code() -> None:
    codes = totp.new_recovery_codes()

    assert [totp.normalize_recovery(code) for code in codes] == codes


@pytest.mark.parametrize(
    "typed",
    [
        "01ab-cdef-1gh0-jkmn",
        "01ABCDEF1GH0JKMN",
        " 01ab cdef 1gh0 jkmn\n",
        "o1ab-cdef-lghO-jkmn",
        "0Iab-cdef-Lgho-jkmn",
        "0-1-a-b-c-d-e-f-1-g-h-0-j-k-m-n",
    ],
)
def test_normalize_recovery_reads_what_people_write(typed: str) -> None:
    assert totp.normalize_recovery(typed) == "01ab-cdef-1gh0-jkmn"


@pytest.mark.parametrize(
    "typed",
    [
        "", "-", "01ab-cdef-1gh0-jkm", "01ab-cdef-1gh0-jkmnp", "01ab-cdef-1gh0-jkmu",
        "01ab_cdef_1gh0_jkmn", "01ab-cdef-1gh0-jkm\x00", "01ab-cdef-1gh0-jkm\ud800",
        "01ab-cdef-1gh0-jkm１", "a" * 1_000_000,
    ],
)  # fmt: skip
def test_normalize_recovery_of_anything_else_is_none(typed: str) -> None:
    assert totp.normalize_recovery(typed) is None


def test_hash_recovery_tells_codes_apart_and_does_not_show_them() -> None:
    first, second = totp.new_recovery_codes()[:2]

    hashed = totp.hash_recovery(first)

    assert len(hashed) == 32
    assert hashed == totp.hash_recovery(first)
    assert hashed != totp.hash_recovery(second)
    assert first.encode() not in hashed
