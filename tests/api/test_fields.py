"""What people may type into text, number and address fields."""

from typing import Annotated

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from turnout.fields import EmailText, Line, Paragraphs, WholeNumber, YesOrNo, canonical_email

LINE: TypeAdapter[str] = TypeAdapter(Annotated[str, Line(12)])
PARAGRAPHS: TypeAdapter[str] = TypeAdapter(Annotated[str, Paragraphs(40, 0)])
EMAIL: TypeAdapter[str] = TypeAdapter(EmailText)


def verdict(adapter: TypeAdapter[str], text: object) -> str:
    """What `adapter` makes of `text`: the value, or the type of its first error."""
    try:
        return repr(adapter.validate_python(text))
    except ValidationError as error:
        return error.errors()[0]["type"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Ada", "'Ada'"),
        ("  Ada \u3000", "'Ada'"),
        ("José 🎉", "'José 🎉'"),
        ("न\u200dम", repr("न\u200dम")),
        ("<script>", "'<script>'"),
        ("{{7*7}}", "'{{7*7}}'"),
        ("=cmd()", "'=cmd()'"),
        ("", "string_too_short"),
        (" \t ", "string_too_short"),
        ("a" * 13, "string_too_long"),
        ("a\x00b", "string_pattern_mismatch"),
        ("a\x1bb", "string_pattern_mismatch"),
        ("a\x85b", "string_pattern_mismatch"),
        ("a\nb", "string_pattern_mismatch"),
        ("a\u2028b", "string_pattern_mismatch"),
        ("a\u202eb", "string_pattern_mismatch"),
        ("a\u2066b", "string_pattern_mismatch"),
        ("\u200b\u200b", "string_pattern_mismatch"),
        ("\u3164", "string_pattern_mismatch"),
        ("\ufeff\u2060", "string_pattern_mismatch"),
        ("\ud800", "string_unicode"),
        (5, "string_type"),
        (b"Ada", "string_type"),
    ],
)
def test_line_takes_what_can_be_seen(typed: object, expected: str) -> None:
    assert verdict(LINE, typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", "''"),
        ("  ", "''"),
        ("a\r\n\tb", r"'a\r\n\tb'"),
        ("a\x07", "string_pattern_mismatch"),
        ("a\u202eb", "string_pattern_mismatch"),
        ("a\n\u200b\nb", repr("a\n\u200b\nb")),
        ("a\u200b" * 21, "string_too_long"),
    ],
)
def test_paragraphs_take_line_ends(typed: str, expected: str) -> None:
    assert verdict(PARAGRAPHS, typed) == expected


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b'"5"', "int_type"),
        (b"true", "int_type"),
        (b"3.0", "int_type"),
        (b"9223372036854775808", "less_than_equal"),
        (b"-9223372036854775809", "greater_than_equal"),
    ],
)
def test_whole_number_takes_integers_of_64_bits_alone(sent: bytes, kind: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(WholeNumber).validate_json(sent)

    assert refused.value.errors()[0]["type"] == kind


def test_yes_or_no_takes_nothing_that_looks_like_it() -> None:
    adapter: TypeAdapter[bool] = TypeAdapter(YesOrNo)

    assert [verdict_of(adapter, sent) for sent in (b"true", b"1", b'"yes"', b"null")] == [
        True,
        "bool_type",
        "bool_type",
        "bool_type",
    ]


def verdict_of(adapter: TypeAdapter[bool], sent: bytes) -> bool | str:
    try:
        return adapter.validate_json(sent)
    except ValidationError as error:
        return error.errors()[0]["type"]


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "a@b",
        "a@x.org, b@y.org",
        '"a\r\nBcc: c"@x.org',
        "=?utf-8?q?a=0A?=@x.org",
        "a@x)c@y.org",
        "a" * 64 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 60 + ".org",
        "a" * 65 + "@x.org",
        "a@x.org.",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        '"quoted"@x.org',
        "a..b@x.org",
        ".a@x.org",
        "a@-x.org",
        "a@x.localhost",
        "a@x.local",
        " a@x.org",
        "a@x.org ",
        "a@x.org\n",
        "a\x00@x.org",
        "Ada <a@x.org>",
        "\ud800@x.org",
    ],
)
def test_email_that_cannot_be_used_is_refused(typed: str) -> None:
    assert verdict(EMAIL, typed) in {"invalid-email", "string_unicode"}


@pytest.mark.parametrize("imitation", ["ſ", "\u212a", "ﬁ", "Ⓒ", "ａ", "\u2126", "ª"])
def test_email_with_another_form_of_a_letter_is_refused(imitation: str) -> None:
    assert verdict(EMAIL, f"{imitation}x@x.org") == "invalid-email"
    assert verdict(EMAIL, f"x@{imitation}x.org") == "invalid-email"


@pytest.mark.parametrize(
    "typed",
    [
        "ada@example.org",
        "Ada.Lovelace+turnout@Mail.Example.ORG",
        "müller@example.org",
        "mu\u0308ller@example.org",
        "ada@münchen.example.org",
        "我@例子.公司",
        "क\u093c@example.org",
        "\u0958@example.org",
        "ıda@example.org",
        "o'hara@example.org",
    ],
)
def test_email_that_can_be_used_is_kept_as_typed(typed: str) -> None:
    assert verdict(EMAIL, typed) == repr(typed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        ("MÜLLER@example.org", "müller@example.org"),
        ("mu\u0308ller@example.org", "m\u00fcller@example.org"),
        ("ada@MÜNCHEN.example", "ada@xn--mnchen-3ya.example"),
        ("ΑΔΑ@example.org", "αδα@example.org"),
        ("ЖАННА@example.org", "жанна@example.org"),
    ],
)
def test_canonical_email_is_one_for_one_person(one: str, other: str) -> None:
    assert canonical_email(one) == canonical_email(other)


@pytest.mark.parametrize(
    ("other", "known"),
    [
        ("ſam@example.org", "sam@example.org"),
        ("ıda@example.org", "ida@example.org"),
        ("İda@example.org", "ida@example.org"),
        ("İda@example.org", "i\u0307da@example.org"),
        ("ﬁa@example.org", "fia@example.org"),
        ("Ⓒid@example.org", "cid@example.org"),
        ("straße@example.org", "strasse@example.org"),
        ("ada+a@example.org", "ada@example.org"),
        ("a.da@example.org", "ada@example.org"),
        ("аda@example.org", "ada@example.org"),
    ],
)
def test_canonical_email_keeps_different_people_apart(other: str, known: str) -> None:
    assert canonical_email(other) != canonical_email(known)


@given(st.text(max_size=40))
@example("@")
@example("a@\ud800")
@example("xn--a@xn--\u0130")
def test_canonical_email_never_raises_and_is_stable(text: str) -> None:
    once = canonical_email(text)

    assert canonical_email(once) == once


WORD = st.text("aZ09_+-", min_size=1, max_size=20)
LABEL = st.text("aZ09-", min_size=1, max_size=20)


@given(st.lists(WORD, min_size=1, max_size=4), st.lists(LABEL, min_size=1, max_size=5))
@example(["a" * 65], ["x", "org"])
@example(["a-"], ["a", "co"])
@example(["-", "+"], ["a-a", "co"])
@example(["_"], ["0", "test"])
@example(["_"], ["b" * 63, "b" * 63, "b" * 63, "org"])
def test_plain_email_is_one_that_the_library_takes(words: list[str], labels: list[str]) -> None:
    """The short way in `check_email` may not let in what the long way refuses."""
    text = f"{'.'.join(words)}@{'.'.join(labels)}"

    is_accepted = verdict(EMAIL, text) == repr(text)

    assert is_accepted == (len(text) <= 254 and is_taken_by_the_library(text))


def is_taken_by_the_library(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        return False
    return True
