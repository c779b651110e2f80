"""Markdown is shown as it was meant, and whatever else is written in it as it was written."""

import re
from html.parser import HTMLParser

import pytest
from tests.events.hostile import HOSTILE

from turnout.events import markdown
from turnout.events.markdown import MOST_BRACKETS

REL = 'rel="nofollow noopener noreferrer"'
TAGS = {
    *("p", "br", "hr", "blockquote", "pre", "code", "em", "strong", "s"),
    *("h3", "h4", "h5", "h6", "ul", "ol", "li", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


class Seen(HTMLParser):
    """The tags and attributes of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Two **bold** *words*", "<p>Two <strong>bold</strong> <em>words</em></p>\n"),
        ("# One\n\n## Two", "<h3>One</h3>\n<h4>Two</h4>\n"),
        ("##### Five\n\n###### Six", "<h6>Five</h6>\n<h6>Six</h6>\n"),
        ("One\n===", "<h3>One</h3>\n"),
        ("a\\\nb", "<p>a<br>\nb</p>\n"),
        ("~~gone~~", "<p><s>gone</s></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. c", '<ol start="3">\n<li>c</li>\n</ol>\n'),
        ("```py\na < b\n```", "<pre><code>a &lt; b\n</code></pre>\n"),
        (
            "| a |\n|--:|\n| 1 |",
            "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n"
            "<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</table>\n",
        ),
        (
            "[x](https://a.example/b?c=1&d)",
            f'<p><a href="https://a.example/b?c=1&amp;d" {REL}>x</a></p>\n',
        ),
        ("[x](http://a.example 'T')", f'<p><a href="http://a.example" {REL}>x</a></p>\n'),
        (
            "<mailto:a@b.example>",
            f'<p><a href="mailto:a@b.example" {REL}>mailto:a@b.example</a></p>\n',
        ),
        ("[x](/logout) [y](#z)", "<p>x y</p>\n"),
        (
            "![A *map*](https://a.example/m.png)",
            f'<p><a href="https://a.example/m.png" {REL}>A map</a></p>\n',
        ),
        (
            "![](https://a.example/m.png)",
            f'<p><a href="https://a.example/m.png" {REL}>Picture</a></p>\n',
        ),
        ("![Map](http://a.example/m.png)", "<p>Map</p>\n"),
        (
            "[![Map](https://a.example/m.png) b](https://b.example)",
            f'<p><a href="https://b.example" {REL}>Map b</a></p>\n',
        ),
        ("a <b>b</b> & c", "<p>a &lt;b&gt;b&lt;/b&gt; &amp; c</p>\n"),
        ("नमस्ते 🎉 שלום", "<p>नमस्ते 🎉 שלום</p>\n"),
        ("", ""),
    ],
)
def test_text_is_shown_as_it_was_meant(text: str, html: str) -> None:
    assert markdown.to_html(text) == html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_brings_nothing_that_runs_or_asks(text: str) -> None:
    seen = Seen(markdown.to_html(text))

    assert set(seen.tags) <= TAGS
    assert {name for _, name, _ in seen.attributes} <= {"href", "rel", "start"}
    for tag, name, value in seen.attributes:
        if name == "href":
            assert re.match(r"(https?://|mailto:)", value or ""), (tag, value)
        if name == "rel":
            assert value == "nofollow noopener noreferrer"


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.startswith("<")])
def test_html_is_shown_as_it_was_written(text: str) -> None:
    html = markdown.to_html(text)

    shown = re.sub(r"<[^>]*>", "", html)
    assert "<" not in shown
    assert "&lt;" in html or "href=" in html


def test_hostile_texts_are_many_and_without_the_walls_would_do_harm() -> None:
    joined = "\n".join(HOSTILE)

    assert len(set(HOSTILE)) >= 40
    assert {"script", "img", "svg", "iframe"} <= set(Seen(joined).tags)


@pytest.mark.parametrize(
    "text",
    [
        *(">" * 10_000, "*" * 10_000, "_" * 20_000, "`" * 20_000, "[" * 20_000, "![" * 10_000),
        *("[](" * 6_000, "![[]()" * 3_000, "<" * 20_000, "- " * 10_000, "\n- a" * 4_000),
        *("*a_b" * 5_000, "|a" * 10_000, "[a]: <" * 3_000, "&#" * 10_000, "> " * 10_000),
    ],
    ids=lambda text: repr(text[:6]),
)
def test_text_that_repeats_itself_is_shown(text: str) -> None:
    """It ends; that it does so soon is for the machine to say, not for a test."""
    assert set(Seen(markdown.to_html(text)).tags) <= TAGS


def test_text_with_too_many_brackets_has_no_links() -> None:
    few, many = "[x](https://a.example) " * MOST_BRACKETS, "[x](https://a.example) " * 1_001

    assert Seen(markdown.to_html(few)).tags.count("a") == MOST_BRACKETS
    assert Seen(markdown.to_html(many)).tags == ["p"]


@pytest.mark.parametrize(
    ("text", "most", "line"),
    [
        ("# Hi *there*\n\na [link](https://a.example)\nb `c`\n\n- d", 80, "Hi there a link b c d"),
        ("![A map](https://a.example/m.png) <b>&amp;</b>", 80, "A map <b>&</b>"),
        ("```\na\n  b\n```", 80, "a b"),
        ("one two three", 9, "one two…"),
        ("one two", 7, "one two"),
        ("x" * 50, 10, "x" * 9 + "…"),
        ("", 10, ""),
    ],
)
def test_what_it_says_is_one_line(text: str, most: int, line: str) -> None:
    assert markdown.to_text(text, most) == line
