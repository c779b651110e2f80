"""An organizer's own words: what may stand in them, and what becomes of it."""

import pytest
from tests.house import documented, tree
from tests.notifications import composing, samples

from turnout.notifications import letters, wording
from turnout.notifications.errors import InvalidTemplate
from turnout.notifications.kinds import WORDABLE, MailKind
from turnout.notifications.news import Words

CONFIRMED = MailKind.REGISTRATION_CONFIRMED
ALL = " ".join(f"{{{{{name}}}}}" for name in wording.PLACEHOLDERS)
WRONG = (
    "{{secret}}",
    "{{name.__class__}}",
    "{{event.name}}",
    "{{ name | upper }}",
    "{{name()}}",
    "{{}}",
    "{{ }}",
    "{{name",
    "name}}",
    "{{ {{name}} }}",
    "{{NAME}}",
    "{{na\nme}}",
    "{{name}} {{nobody}}",
    "{{tickét_code}}",
    "{{config}}",
    "{{7*7}}",
)
RIGHT = ("", "Hello", "{name}", "{ {name} }", "{{name}}", "{{ name }}", "{% if x %}", "}{", ALL)


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("field", ["subject", "body"])
def test_wording_with_a_placeholder_that_there_is_not_is_refused(field: str, text: str) -> None:
    words = Words(text, "Hello") if field == "subject" else Words("Hello", text)

    with pytest.raises(InvalidTemplate) as caught:
        wording.check(CONFIRMED, words)

    assert [(each.field, each.code) for each in caught.value.fields] == [
        (field, "invalid-template")
    ]


@pytest.mark.parametrize("text", RIGHT)
def test_wording_with_known_placeholders_alone_is_taken(text: str) -> None:
    wording.check(CONFIRMED, Words(text, text))


def test_wording_of_who_waits_has_no_ticket() -> None:
    words = Words("Hello", "{{ticket_code}}")

    with pytest.raises(InvalidTemplate):
        wording.check(MailKind.REGISTRATION_WAITLISTED, words)
    wording.check(MailKind.EVENT_REMINDER, words)


@pytest.mark.parametrize("kind", [kind for kind in MailKind if kind not in WORDABLE])
def test_other_kinds_have_no_words_of_an_organizer(kind: MailKind) -> None:
    wording.check(kind, Words("", ""))
    with pytest.raises(InvalidTemplate):
        wording.check(kind, Words("{{name}}", ""))


def test_every_placeholder_stands_for_something() -> None:
    body = "# {{event}}\n\n" + "\n\n".join(f"{{{{{name}}}}}" for name in wording.PLACEHOLDERS)
    words = Words("{{name}}: {{event}}", body)
    code = "0123456789ABCDEF"
    values_by_name = wording.values_of(
        samples.EVENT, "https://x.example", wording.SAMPLE_NAME, code
    )

    shown = wording.said(CONFIRMED, words, values_by_name)

    link = "https://x.example/e/pycon-india"
    values = [
        "Ada Lovelace",
        "PyCon India",
        "Sat 5 Dec 2026, 10:00, Asia/Kolkata (IST, UTC+05:30)",
        "Sat 5 Dec 2026, 12:00, Asia/Kolkata (IST, UTC+05:30)",
        "Bengaluru",
        "Olive",
        link,
        code,
    ]
    assert shown.subject == "Ada Lovelace: PyCon India"
    assert shown.text == "\n\n".join(["# PyCon India", *values])
    paragraphs = [f"<p>{value}</p>\n" for value in values]
    paragraphs[6] = f'<p><a href="{link}">{link}</a></p>\n'
    assert shown.html == "<h3>PyCon India</h3>\n" + "".join(paragraphs)


def test_value_is_no_markdown_and_no_placeholder() -> None:
    values = dict.fromkeys(wording.PLACEHOLDERS, "*{{ticket_code}}* <b>[x](https://x.example)")

    said = wording.said(CONFIRMED, Words("{{name}}", "{{name}}"), values)

    assert said.html == "<p>*{{ticket_code}}* &lt;b&gt;[x](https://x.example)</p>\n"
    assert said.subject == "*{{ticket_code}}* <b>[x](https://x.example)"
    assert said.text == "*{{ticket_code}}* <b>[x](https://x.example)"


def test_placeholder_in_a_link_of_the_organizers_is_not_filled() -> None:
    """Whatever a name holds, it is in no address that people click."""
    values = dict.fromkeys(wording.PLACEHOLDERS, "evil")

    said = wording.said(CONFIRMED, Words("", "[x](https://x.example/{{name}}) {{name}}"), values)

    assert said.html == (
        '<p><a href="https://x.example/%7B%7Bname%7D%7D" rel="nofollow noopener noreferrer">x</a>'
        " evil</p>\n"
    )


def test_html_in_an_organizers_words_is_text() -> None:
    said = wording.said(CONFIRMED, Words("", "<script>alert(1)</script> <b onclick=x>"), {})

    assert said.html == "<p>&lt;script&gt;alert(1)&lt;/script&gt; &lt;b onclick=x&gt;</p>\n"


@pytest.mark.parametrize("kind", WORDABLE)
def test_words_take_the_place_of_the_usual_ones(kind: MailKind) -> None:
    words = Words("Come, {{name}}", "Bring **a friend**, {{name}}.")

    facts = samples.facts(kind, words=words)
    found = composing.read(letters.write(samples.LETTERHEAD, facts, samples.NOW))

    assert found.subject == "Come, Ada Lovelace"
    assert "\nBring **a friend**, Ada Lovelace.\n" in found.text
    assert "<p>Bring <strong>a friend</strong>, Ada Lovelace.</p>" in found.html
    assert "Your registration is confirmed." not in found.text + found.html


def test_reference_names_every_kind_and_placeholder() -> None:
    names = [*(kind.value for kind in MailKind), *wording.PLACEHOLDERS]
    page = tree.ROOT / "docs" / "reference" / "mails.md"

    assert documented.unmentioned([kind.value for kind in MailKind], page) == []
    text = page.read_text("utf-8")
    assert [name for name in names if f"`{{{{{name}}}}}`" in text] == [*wording.PLACEHOLDERS]
