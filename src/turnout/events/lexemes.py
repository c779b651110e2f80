"""What an event is found by: words and facets as plain lexemes. Pure; knows no database.

Both databases index these lexemes as they are, so that the same words are found in both. A lexeme
never has a space, a quote or a backslash: whatever people type, it cannot become query syntax.
"""

import math
import unicodedata
from collections.abc import Iterable, Iterator
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


def words(*texts: str) -> list[str]:
    """The different words of the texts: without case and accents, letters and digits alone."""
    found: dict[str, None] = {}
    for word in _split(" ".join(texts)):
        found[word[:LONGEST_WORD]] = None
        if len(found) == MOST_WORDS:
            break
    return list(found)


def _split(text: str) -> Iterator[str]:
    if text.isascii():
        plain = text.lower()
    else:
        plain = unicodedata.normalize("NFKD", text.casefold()).translate(UNDECOMPOSED)
    # Accents go without a trace; any other sign parts words.
    kept = "".join(_kept(character) for character in plain)
    yield from kept.split()


def _kept(character: str) -> str:
    if character.isalnum():
        return character
    if unicodedata.category(character).startswith("M"):
        return "" if unicodedata.combining(character) else character
    return "" if character in _APOSTROPHES else " "


_APOSTROPHES = frozenset("'\u2019\u02bc")


def folded(text: str) -> str:
    """A name as one lexeme: its words joined, so that `São Paulo` equals `sao paulo`."""
    return "_".join(_split(text))[:LONGEST_WORD]


def city(name: str) -> str:
    """The facet of a city."""
    return f"{MARK}c{folded(name)}"


def country(code: str) -> str:
    """The facet of a country, by its ISO 3166-1 alpha-2 code, or by its name where it has none."""
    return f"{MARK}l{folded(code)}"


def tag(text: str) -> str:
    """The facet of a tag."""
    return f"{MARK}t{folded(text)}"


def organizer(user_id: UUID) -> str:
    """The facet of an organizer."""
    return f"{MARK}o{user_id.hex}"


ONLINE = f"{MARK}w"
"""The facet of an event that can be attended from anywhere."""


def cells_of(latitude: float, longitude: float) -> list[str]:
    """The facets of a position (WGS 84 degrees): its cell of each size."""
    return [
        _cell(level, _row(latitude, side), _row(longitude, side))
        for level, side in enumerate(CELL_DEGREES)
    ]


def cells_around(latitude: float, longitude: float, radius_km: float) -> list[str]:
    """The cells, all of one size, that the circle may touch; empty where it covers too many."""
    reach = radius_km / KM_PER_DEGREE
    for level, side in enumerate(CELL_DEGREES):
        rows = range(_row(max(latitude - reach, -90), side), _row(latitude + reach, side) + 1)
        if len(rows) > MOST_CELLS:
            continue
        columns = _columns(latitude, longitude, reach, side)
        if len(rows) * len(columns) <= MOST_CELLS:
            return [_cell(level, row, column) for row in rows for column in columns]
    return []


def _columns(latitude: float, longitude: float, reach: float, side: float) -> list[int]:
    """The columns that the circle may touch, each as a place there has it."""
    around = round(360 / side + 0.5)
    if abs(latitude) + reach >= 90:  # a pole lies inside: all meridians meet there
        west, east = -180.0, 180.0
    else:
        # The widest half-angle that a circle on a sphere is seen under from its pole.
        half = math.degrees(
            math.asin(min(1.0, math.sin(math.radians(reach)) / math.cos(math.radians(latitude))))
        )
        west, east = longitude - half, longitude + half
    if east - west >= 360 or _row(east, side) - _row(west, side) >= around:
        return list(range(_row(-180, side), _row(180, side) + 1))
    if west < -180:
        return [*range(_row(west + 360, side), _row(180, side) + 1),
                *range(_row(-180, side), _row(east, side) + 1)]  # fmt: skip
    if east > 180:
        return [*range(_row(west, side), _row(180, side) + 1),
                *range(_row(-180, side), _row(east - 360, side) + 1)]  # fmt: skip
    return list(range(_row(west, side), _row(east, side) + 1))


def _row(degrees: float, side: float) -> int:
    return math.floor(degrees / side)


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
