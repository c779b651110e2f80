"""Turns Markdown that organizers write into HTML that anybody may be shown. Knows no page.

Two walls: the parser escapes all HTML that was written, and lets no link through that runs
anything; then a sanitizer takes its output apart, and keeps what is on a short list.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

HEADINGS_BELOW = 2
"""A page has its own heading of the first level, and one of the second above the text."""
_TAGS = {
    *("p", "br", "hr", "blockquote", "pre", "code", "em", "strong", "s"),
    *("h3", "h4", "h5", "h6", "ul", "ol", "li", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES: dict[str, set[str]] = {"*": set(), "a": {"href"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
_REL = "nofollow noopener noreferrer"
# Whole addresses alone. What is relative would lead to calls of ours (`/logout`), or with `//` to
# anywhere; browsers drop spaces and control characters in front, so nothing may be there.
_WHOLE = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f]+", re.IGNORECASE)
_PICTURE = re.compile(r"https://[^\s\x00-\x1f]+", re.IGNORECASE)
_NO_ALT = "Picture"


MOST_BRACKETS = 1_000
"""Texts with more have no links: what it takes to find them grows with the square of these."""
KEPT = 32
"""How many texts are kept as HTML: those of the events that many people look at."""


@lru_cache(KEPT)
def to_html(markdown: str) -> str:
    """The text as HTML (CommonMark with tables and strikethrough), safe to be put into any page.

    HTML in it is shown as it was written. Links lead to whole http, https and mailto addresses,
    and say `nofollow noopener noreferrer`; others are text. A picture is a link to it, where it is
    https: pages load nothing from elsewhere, which would tell others who looks at them. Headings
    begin with `h3`. Takes up to 0.2 seconds for 20,000 characters: to be called in a thread.
    """
    # Imported here: 5 MiB that only a process needs to which somebody comes for a page.
    import nh3

    parser = _parser_for(markdown)
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + HEADINGS_BELOW)}"
        if token.children:
            token.children = list(_with_whole_links(token.children))
    html = parser.renderer.render(tokens, parser.options, {})
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes=_SCHEMES,
        link_rel=_REL,
    )


def to_text(markdown: str, most_characters: int) -> str:
    """What it says, in one line of at most that many characters, for previews."""
    said = " ".join(_words(_parser_for(markdown).parse(markdown)))
    line = " ".join(said.split())
    if len(line) <= most_characters:
        return line
    return line[: most_characters - 1].rsplit(" ", 1)[0].rstrip() + "…"


def _parser_for(markdown: str) -> "MarkdownIt":
    return _parser(with_links=markdown.count("[") <= MOST_BRACKETS)


@cache
def _parser(*, with_links: bool) -> "MarkdownIt":
    # Imported here, as above.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("js-default")
    return parser if with_links else parser.disable(["link", "image", "reference"])


def _with_whole_links(tokens: Iterable["Token"]) -> Iterator["Token"]:
    """The tokens of a paragraph, with whole links alone, and such links in place of pictures.

    Inside a link, a picture is the text that stands for it.
    """
    # Imported here, as above.
    from markdown_it.token import Token

    kept: list[bool] = []
    for token in tokens:
        match token.type:
            case "link_open":
                kept.append(_WHOLE.fullmatch(str(token.attrs.get("href", ""))) is not None)
                if kept[-1]:
                    yield token
            case "link_close":
                if kept.pop():
                    yield token
            case "image":
                source = str(token.attrs.get("src", ""))
                said = _said(token.children or ())
                is_link = not any(kept) and _PICTURE.fullmatch(source)
                if is_link:
                    yield Token("link_open", "a", 1, attrs={"href": source})
                yield Token("text", "", 0, content=said or _NO_ALT)
                if is_link:
                    yield Token("link_close", "a", -1)
            case _:
                yield token


def _kept(_: str, attribute: str, value: str) -> str | None:
    """The value of an attribute of a tag, or None to take it away."""
    match attribute:
        case "href":
            return value if _WHOLE.fullmatch(value) else None
        case "start":
            return value if value.isascii() and value.isdigit() else None
        case _:
            return value


def _words(tokens: Iterable["Token"]) -> Iterator[str]:
    for token in tokens:
        if token.children:
            yield _said(token.children)
        elif token.type in {"fence", "code_block"}:
            yield token.content


def _said(tokens: Iterable["Token"]) -> str:
    """What a paragraph says, on one line."""
    texts = (
        token.content if token.type in _TEXTS else _BREAKS.get(token.type, "") for token in tokens
    )
    return "".join(texts)


_TEXTS = {"text", "code_inline", "image"}
_BREAKS = {"softbreak": " ", "hardbreak": " "}
