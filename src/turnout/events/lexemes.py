"""What an event is found by: words and facets as plain lexemes. Pure; knows no database.

Both databases index these lexemes as they are, so that the same words are found in both. A lexeme
is made of small letters, digits, marks, `_` and, in front of a facet, `=`: whatever people type, it
cannot become query syntax. `turnout data reindex` brings these rules to the rows that are there.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from uuid import UUID

from turnout.places.folding import UNDECOMPOSED

LONGEST_WORD = 40
"""Characters of a word that count; what follows is cut off, of the text and of what is sought."""
MOST_WORDS = 2_000
"""Different words of one text that count, the first ones."""

MARK = "="
"""Begins every facet, and no word: what people type never matches a facet."""

CELL_DEGREES = (0.08, 0.32, 1.28, 5.12, 20.48)
"""The sides of the cells that a place lies in, one of each size."""
KM_PER_DEGREE = 111.195
"""Of a great circle, on a sphere with the mean radius of the Earth (6,371.0088 km, IUGG)."""
MOST_CELLS = 100
"""Cells of one size that a search asks about; larger ones serve a larger circle."""
SLACK_DEGREES = 1e-5
"""Added to a circle (1.1 m): a distance from a scalar product is not exact to the last digit."""

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_APOSTROPHES = frozenset("'\u2019\u02bc")
_STRETCH = "\u0640"
"""Draws out an Arabic word and says nothing."""
_ZERO_WIDTH_SPACE = "\u200b"
"""The one character of format that parts words; the others (joiners, hyphens) leave no trace."""
_SPELLING_CLASSES = frozenset({8, 103, 118})
"""Combining classes of marks that are letters: kana with voice, and vowels of Thai and Lao."""
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3005-\u3007"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Scripts without spaces between words: Thai, Lao, Burmese, Khmer, Kana and Han."""
_SPELLED_OUT = ((re.compile(r"(?<=\w)#"), "sharp"), (re.compile(r"(?<=[\w+])\+"), "plus"))
"""Signs that tags differ by: C++ and C# are not C."""


def words(*texts: str) -> list[str]:
    """The different words of the texts: without case and accents, letters and digits alone.

    Where a script puts no space between words, each character counts as one, and each pair that
    stands together: a text has all words of what is sought in it.
    """
    found: dict[str, None] = {}
    for word in _words(" ".join(texts)):
        found[word[:LONGEST_WORD]] = None
        if len(found) == MOST_WORDS:
            break
    return list(found)


def _words(text: str) -> Iterable[str]:
    parts = _split(text)
    return parts if text.isascii() else (word for part in parts for word in _unspaced(part))


def _unspaced(part: str) -> Iterator[str]:
    end = 0
    for run in _UNSPACED.finditer(part):
        if run.start() > end:
            yield part[end : run.start()]
        for n, character in enumerate(run[0], run.start() + 1):
            yield character
            if n < run.end():
                yield part[n - 1 : n + 1]
        end = run.end()
    if end < len(part):
        yield part[end:]


def _split(text: str) -> list[str]:
    """What stands between spaces and signs, folded."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower().replace("'", ""))
    plain = _decomposed(_decomposed(text)).translate(UNDECOMPOSED)
    return unicodedata.normalize("NFC", "".join(map(_kept, plain))).split()


def _decomposed(text: str) -> str:
    """One step of the compatibility caseless matching of the Unicode Standard (3.13, D146)."""
    return unicodedata.normalize("NFKD", text.casefold())


@lru_cache(maxsize=4096)  # of what there is in any one language, and bounded all the same
def _kept(character: str) -> str:
    """The character, nothing where it goes without a trace, or a space where it parts words."""
    if character.isalnum():
        return "" if character == _STRETCH else character
    kind = unicodedata.category(character)
    if kind in {"Mn", "Mc"}:
        return character if _is_letter(character) else ""
    is_format = kind in {"Cf", "Me"} and character != _ZERO_WIDTH_SPACE
    return "" if is_format or character in _APOSTROPHES else " "


def _is_letter(mark: str) -> bool:
    """Whether a mark is part of the spelling, as the vowel signs of India are."""
    if "VARIATION SELECTOR" in unicodedata.name(mark, ""):
        return False
    return unicodedata.combining(mark) in {0, *_SPELLING_CLASSES}


def folded(text: str) -> str:
    """A name as one lexeme: its words joined, so that `São Paulo` equals `sao paulo`.

    A name of signs alone (an emoji) is the numbers of its characters.
    """
    plain = "_".join(_split(text)) or "_".join(f"{ord(each):x}" for each in text.strip())
    return plain[:LONGEST_WORD]


def city(name: str) -> str:
    """The facet of a city."""
    return f"{MARK}c{folded(name)}"


def country(code: str) -> str:
    """The facet of a country, by its ISO 3166-1 alpha-2 code, or by its name where it has none."""
    return f"{MARK}l{folded(code)}"


def tag(text: str) -> str:
    """The facet of a tag."""
    for sign, name in _SPELLED_OUT:
        text = sign.sub(name, text)
    return f"{MARK}t{folded(text)}"


def organizer(user_id: UUID) -> str:
    """The facet of an organizer."""
    return f"{MARK}o{user_id.hex}"


ONLINE = f"{MARK}w"
"""The facet of an event that can be attended from anywhere."""


def lasting(length: int) -> str:
    """The facet of events of a class of lengths (finding.LENGTHS)."""
    return f"{MARK}d{length}"


def cells_of(latitude: float, longitude: float) -> list[str]:
    """The facets of a position (WGS 84 degrees): its cell of each size."""
    return [
        _cell(level, _row(latitude, side), _column(longitude, side))
        for level, side in enumerate(CELL_DEGREES)
    ]


def cells_around(latitude: float, longitude: float, radius_km: float) -> list[str]:
    """The cells, all of one size, that the circle may touch; empty where it covers too many.

    That is never so up to 5,400 km, and always from 11,400 km on; between them it depends on the
    latitude. A search without cells looks at the distance of every event.
    """
    reach = radius_km / KM_PER_DEGREE + SLACK_DEGREES
    for level, side in enumerate(CELL_DEGREES):
        south, north = max(latitude - reach, -90.0), min(latitude + reach, 90.0)
        rows = range(_row(south, side), _row(north, side) + 1)
        if len(rows) > MOST_CELLS:
            continue
        columns = _columns(latitude, longitude, reach, side)
        if len(rows) * len(columns) <= MOST_CELLS:
            return [_cell(level, row, column) for row in rows for column in columns]
    return []


def box_around(
    latitude: float, longitude: float, radius_km: float
) -> tuple[float, float, list[tuple[float, float]]]:
    """Around the circle: from which latitude to which, and the spans of longitudes, in degrees."""
    reach = radius_km / KM_PER_DEGREE + SLACK_DEGREES
    south, north = max(latitude - reach, -90.0), min(latitude + reach, 90.0)
    return south, north, _spans(latitude, longitude, reach)


def _columns(latitude: float, longitude: float, reach: float, side: float) -> list[int]:
    """The columns that the circle may touch, each as a place there has it."""
    spans = _spans(latitude, longitude, reach)
    found = (range(_column(west, side), _column(east, side) + 1) for west, east in spans)
    return sorted({column for span in found for column in span})


def _spans(latitude: float, longitude: float, reach: float) -> list[tuple[float, float]]:
    spans = [(-180.0, 180.0)]
    if abs(latitude) + reach < 90:  # else a pole lies inside, where all meridians meet
        # The widest half-angle that a circle on a sphere is seen under from its pole.
        sine = math.sin(math.radians(reach)) / math.cos(math.radians(latitude))
        half = math.degrees(math.asin(min(1.0, sine)))
        west, east = longitude - half, longitude + half
        spans = [(max(west, -180.0), min(east, 180.0))]
        # The meridian of 180 degrees is that of -180 as well: what reaches it goes on there.
        if west <= -180:
            spans.append((west + 360, 180.0))
        if east >= 180:
            spans.append((-180.0, east - 360))
    return spans


def _row(latitude: float, side: float) -> int:
    """Counted from the South Pole: a minus sign would part a lexeme."""
    return math.floor((latitude + 90) / side)


def _column(longitude: float, side: float) -> int:
    return math.floor((longitude + 180) / side)


def _cell(level: int, row: int, column: int) -> str:
    return f"{MARK}g{level}_{row}_{column}"


def unit_vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    """A position as a point on the sphere of radius 1.

    The scalar product of two is the cosine of the angle between them: distances compare without
    trigonometry in the database.
    """
    phi, lam = math.radians(latitude), math.radians(longitude)
    return math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)


def joined(lexemes: Iterable[str]) -> str:
    """Lexemes as they are stored: with a space between."""
    return " ".join(lexemes)
