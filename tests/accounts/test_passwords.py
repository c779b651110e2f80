"""Passwords: what is taken, and what is too easy to guess."""

import gzip
import random
import string
import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError
from tests.house import tree

from turnout.accounts import passwords
from turnout.accounts.errors import WeakPassword
from turnout.accounts.passwords import PasswordText, TypedPassword
from turnout.fields import Input

DATA = tree.ROOT / "src" / "turnout" / "accounts" / "data" / passwords.DATA_FILE
GOOD = "correct horse battery staple"
PERSONAL = ("ada@example.org", "Ada Lovelace")

REPEATS = "password: Is one short piece or a few characters over and over."
ROWS = "password: Follows the alphabet, the digits or the keys of a keyboard."
ABOUT = "password: Is little more than your name, your e-mail address or the name of this product."
COMMON = "password: Is one that many people use, or a simple variation of one."


class SignUp(Input):
    password: PasswordText


class SignsIn(Input):
    password: TypedPassword


def taken(text: str) -> str:
    return SignUp.model_validate({"password": text}).password


def refused(given: object) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        SignUp.model_validate({"password": given})
    return [(each["type"], each["msg"]) for each in caught.value.errors()]


@pytest.mark.parametrize(
    "text",
    [
        "a" * 12, "a" * 1024, " leading and trailing ", "日本語のパスワードです!", "👩‍👩‍👧" * 12,
        "a\u0301" * 1024, "x" * 73, "{'quoted': 1} -- ;",
    ],
)  # fmt: skip
def test_password_text_takes_whole_passwords(text: str) -> None:
    assert taken(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "weak-password"),
        ("a" * 11, "weak-password"),
        ("a\u0301" * 11, "weak-password"),
        ("a" * 1025, "too-long"),
        ("a" * 1_000_000, "too-long"),
        ("with a NUL\x00 in it", "invalid"),
        ("with a line end\n", "invalid"),
        ("with a tab\tin it", "invalid"),
        ("with C1 \x9f in it", "invalid"),
        ("with U+2028\u2028in it", "invalid"),
        ("lone surrogate \ud800", "invalid"),
        (123456789012, "string_type"),
        (None, "string_type"),
        (b"bytes, not a text", "string_type"),
    ],
)
def test_password_text_refuses(given: object, code: str) -> None:
    errors = refused(given)

    assert [kind for kind, _ in errors] == [code]


def test_password_text_is_described_with_its_lengths() -> None:
    described = TypeAdapter(PasswordText).json_schema()

    assert described == {
        "type": "string",
        "format": "password",
        "minLength": 12,
        "maxLength": 1024,
    }


def test_typed_password_takes_any_text_as_it_is() -> None:
    for text in ("", "a", " a\x00", "a\u0301", "a" * 1_000_000):
        assert SignsIn.model_validate({"password": text}).password == text


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("aaaaaaaaaaaa", REPEATS),
        ("abcabcabcabc", REPEATS),
        ("hahahahahahaha", REPEATS),
        ("passwordpassword", REPEATS),
        ("TurnoutTurnout", REPEATS),
        ("😀" * 12, REPEATS),
        ("abcdefghijklm", ROWS),
        ("zyxwvutsrqpo", ROWS),
        ("123456789012", ROWS),
        ("987654321098!", ROWS),
        ("qwertyuiop12", ROWS),
        ("qwertz-asdfgh", ROWS),
        ("azertyuiopqsd", ROWS),
        ("йцукенгшщзхъ", ROWS),
        ("1qaz2wsx3edc", ROWS),
        ("qwerty123456", ROWS),
        ("ada@example.org", ABOUT),
        ("ADA@EXAMPLE.ORG!", ABOUT),
        ("ada.example.org", ABOUT),
        ("Ada Lovelace", ABOUT),
        ("adalovelace1", ABOUT),
        ("Lovelace19900512", ABOUT),
        ("l0v3l4c3-1815", ABOUT),
        ("turnout2026!!", ABOUT),
        ("turnout-password", ABOUT),
        ("mailcreated5240", COMMON),
        ("Password1234", COMMON),
        ("password2024!", COMMON),
        ("!!!password!!!", COMMON),
        ("p@ssw0rd2024", COMMON),
        ("$un5h1n3!2020", COMMON),
        ("p.a.s.s.w.o.r.d", COMMON),
        ("michael12345!", COMMON),
        ("monkey monkey", COMMON),
        ("monkey-monkey-monkey!", COMMON),
        ("dragonmonkey1", COMMON),
        ("password1password2", COMMON),
        ("iloveyou-forever", COMMON),
        ("iloveyou1234iloveyou1234", COMMON),
        ("December-2025", COMMON),
    ],
)
def test_check_strength_refuses(password: str, why: str) -> None:
    with pytest.raises(WeakPassword) as caught:
        passwords.check_strength(password, personal=PERSONAL)

    error = caught.value
    fields = [(each.field, each.code, f"password: {each.message}") for each in error.fields]
    assert error.detail == why
    assert fields == [("password", "weak-password", why)]


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        GOOD + GOOD,
        "mein Fahrrad ist rot",
        "дождь над рекой",
        "我的自行车在花园里面放着呢",
        "ada-loves-trains",
        "password hygiene matters",
        "welcome to berlin",
        "xkcd-fjord-lamp",
        "839201847263",
        "9f86d081884c7d659a2f",
        "Tr0ub4dour&3x9",
        "7#k9!Qm(4)z8",
        "a" * 500 + "b" * 300 + "cdxyz",
    ],
)
def test_check_strength_lets_pass(password: str) -> None:
    passwords.check_strength(password, personal=PERSONAL)


def test_check_strength_lets_random_passwords_pass() -> None:
    rng = random.Random(20260101)
    alphabets = [
        (string.ascii_lowercase, 12),
        (string.ascii_letters + string.digits, 16),
        (string.ascii_letters + string.digits + "-_", 22),
    ]

    for alphabet, length in alphabets:
        for _ in range(300):
            password = "".join(rng.choice(alphabet) for _ in range(length))
            passwords.check_strength(password, personal=PERSONAL)


def test_check_strength_without_a_name_knows_only_the_product() -> None:
    passwords.check_strength("ada@example.org", personal=("",))

    with pytest.raises(WeakPassword):
        passwords.check_strength("turnout-turnout!", personal=())


def test_data_file_is_sorted_and_carries_no_time_of_its_making() -> None:
    packed = DATA.read_bytes()

    head, *parts = gzip.decompress(packed).decode().removesuffix("\n").split("\n\n")
    lists = [part.split("\n") for part in parts]
    assert packed[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"  # RFC 1952: no name, no time
    assert head.startswith(passwords.FORMAT)
    assert [len(words) for words in lists] == [4_317, 36_424]
    assert all(words == sorted(words) for words in lists)
    assert all(len(word) >= 4 and word == word.casefold() for words in lists for word in words)


def test_list_finds_each_of_its_words_and_no_neighbour() -> None:
    words = gzip.decompress(DATA.read_bytes()).decode().split("\n\n", 1)[1].split()
    listed = passwords._list()

    assert [word for word in words if not listed._lists(word)] == []
    assert not any(listed._lists(word) for word in ("", "pass\nword", "0", "zzzzzzzzz", "дождь"))


def test_list_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="present format"):
        passwords._CommonPasswords(gzip.compress(b"Something else\n\na\n\nb\n"))
