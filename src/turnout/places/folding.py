"""Spelling made comparable, for names of places; it must not know which places there are."""

import re
import unicodedata

UNDECOMPOSED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th", "ħ": "h"}
)
"""Latin letters that Unicode does not take apart into a plain letter and a mark."""

_SHORT_FORMS = re.compile(r"\b(saint|sankt|mount|fort)\b")
_SHORT = {"saint": "st", "sankt": "st", "mount": "mt", "fort": "ft"}


def fold(name: str) -> str:
    """A name without case, accents, spaces and punctuation: `St. John’s` gives `stjohns`.

    Letters of every script stay, and so do the vowel signs of those scripts that write vowels as
    marks: only marks with a combining class (accents, points, viramas) go. May be empty.
    Source: Unicode Standard Annex 15 (NFKD) and the default case folding of the standard.
    """
    if name.isascii():
        plain = name.lower()
    else:
        plain = unicodedata.normalize("NFKD", name.casefold()).translate(UNDECOMPOSED)
    short = _SHORT_FORMS.sub(lambda word: _SHORT[word[0]], plain)
    return "".join(each for each in short if each.isalnum() or _is_vowel_sign(each))


def same_but_case(one: str, other: str) -> bool:
    """Whether two names differ in nothing but capitals and in how Unicode composes them."""
    return _composed(one) == _composed(other)


def _is_vowel_sign(character: str) -> bool:
    is_mark = unicodedata.category(character).startswith("M")
    return is_mark and not unicodedata.combining(character)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
