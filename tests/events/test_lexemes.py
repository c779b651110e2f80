"""What an event is found by: words of every script, facets, and the cells of a place."""

import math
import random
import re
import unicodedata
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from turnout.events import lexemes

RADIUS_KM = 6371.0088
"""The mean radius of the Earth (IUGG)."""
quick = settings(max_examples=300, deadline=None)
latitudes = st.floats(-90, 90) | st.sampled_from([-90.0, -89.999, 0.0, 60.0, 89.5, 90.0])
longitudes = st.floats(-180, 180) | st.sampled_from([-180.0, -179.99, 0.0, 179.99, 180.0])
radii = st.floats(0, 200) | st.floats(0, 20_100) | st.sampled_from([0.0, 1e-3, 5_400.0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("PyCon India 2027, day 2", ["pycon", "india", "2027", "day", "2"]),
        ("two two\tTWO\n", ["two"]),
        ("Don't O\u2019Reilly", ["dont", "oreilly"]),
        ("C++, C# & x_y=z \\ \" ' %", ["c", "x", "y", "z"]),
        ("nul\x00bell\x07del\x7f", ["nul", "bell", "del"]),
        ("São PAULO Ångström cafe\u0301", ["sao", "paulo", "angstrom", "cafe"]),
        ("Straße STRASSE straẞe", ["strasse"]),
        ("İstanbul ISTANBUL ıstanbul", ["istanbul"]),
        ("Łódź Ǿre Æsir œuvre", ["lodz", "ore", "aesir", "oeuvre"]),
        ("ΟΔΟΣ οδός", ["οδοσ"]),
        ("\u210cello \ufb01n ２０２７ ½", ["hello", "fin", "2027", "1", "2"]),
        ("हिन्दी हिंदी", ["हिनदी", "हिंदी"]),
        ("क्\u200cष क्ष", ["कष"]),
        ("می\u200cخواهم كتـــاب أَحْمَد", ["میخواهم", "كتاب", "احمد"]),
        ("שָׁלוֹם", ["שלום"]),
        ("한국어 대회", ["한국어", "대회"]),
        ("東京都", ["東", "東京", "京", "京都", "都"]),
        ("Python東京2027", ["python", "東", "東京", "京", "2027"]),
        ("ハ パ バ", ["ハ", "パ", "バ"]),
        ("\u30cf\u309a\uff8a\uff9f", ["パ", "パパ"]),
        ("ขุน", ["ข", "ขุ", "ุ", "ุน", "น"]),
        ("\u2764\ufe0f love 1\ufe0f\u20e3 \U0001f469\u200d\U0001f4bb", ["love", "1"]),
        ("zero\u200bwidth so\u00adft \u202eleft", ["zero", "width", "soft", "left"]),
        ("\ud800x", ["x"]),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert lexemes.words(text) == words


def test_words_of_several_texts_are_one_list() -> None:
    assert lexemes.words("Night", "day NIGHT", "Day off") == ["night", "day", "off"]


def test_words_of_a_long_text_are_the_first_ones_cut_off() -> None:
    text = " ".join(f"w{n}" for n in range(lexemes.MOST_WORDS + 500))

    assert lexemes.words("x" * 50 + " " + "x" * 40) == ["x" * 40]
    assert lexemes.words(text) == [f"w{n}" for n in range(lexemes.MOST_WORDS)]


LEXEME = re.compile(r"[a-z0-9_=\x80-\U0010ffff]+")


@quick
@given(st.text(max_size=200))
@example("\u0345\u1e9e")
@example("\u2160\u24d0\u1d2c")
def test_lexemes_of_any_text_can_be_no_syntax(text: str) -> None:
    facets = [lexemes.city(text), lexemes.country(text), lexemes.tag(text)]

    words = lexemes.words(text)

    for each in [*words, *facets]:
        assert LEXEME.fullmatch(each)
        assert each == each.casefold()
        assert {unicodedata.category(character)[0] for character in each} & {"C", "Z"} == set()
    assert [each for each in words if not each or "=" in each] == []


@quick
@given(st.text(max_size=80))
def test_words_are_the_same_however_a_text_is_composed_or_said(text: str) -> None:
    words = lexemes.words(text)

    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert lexemes.words(unicodedata.normalize(form, text)) == words
    assert lexemes.words(text.casefold()) == words
    assert set(lexemes.words(" ".join(words))) == set(words)


@quick
@given(st.text("abé東京ハパ한국ด ุ-", max_size=12), st.text("abé東京ハパ한국ด ุ-", max_size=6))
def test_words_of_a_part_are_in_the_whole(text: str, part: str) -> None:
    assert set(lexemes.words(part)) <= set(lexemes.words(f"{text} {part} {text}"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lexemes.city("São Paulo"), "=csao_paulo"),
        (lexemes.city("  new   YORK-city "), "=cnew_york_city"),
        (lexemes.city("東京"), "=c東京"),
        (lexemes.country("IN"), "=lin"),
        (lexemes.country("Côte d\u2019Ivoire"), "=lcote_divoire"),
        (lexemes.tag("#Open Source"), "=topen_source"),
        (lexemes.tag("C"), "=tc"),
        (lexemes.tag("C++"), "=tcplusplus"),
        (lexemes.tag("C#"), "=tcsharp"),
        (lexemes.tag("\U0001f389"), "=t1f389"),
        (lexemes.tag("\U0001f525"), "=t1f525"),
        (lexemes.tag("x" * 50), "=t" + "x" * 40),
        (lexemes.organizer(UUID(int=255)), "=o" + "0" * 30 + "ff"),
    ],
)
def test_facet_of_a_name(one: str, other: str) -> None:
    assert one == other


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """By the haversine formula, which the product does not use."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(a), math.radians(b)) for a, b in (one, other))
    squared = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * RADIUS_KM * math.asin(min(1.0, math.sqrt(squared)))


def point_at(centre: tuple[float, float], bearing: float, km: float) -> tuple[float, float]:
    """Where someone comes to who goes straight on, with a longitude from -180 to 180."""
    lat, lon, along = math.radians(centre[0]), math.radians(centre[1]), km / RADIUS_KM
    sine = math.sin(lat) * math.cos(along) + math.cos(lat) * math.sin(along) * math.cos(bearing)
    there = math.asin(max(-1.0, min(1.0, sine)))
    turned = math.atan2(
        math.sin(bearing) * math.sin(along) * math.cos(lat),
        math.cos(along) - math.sin(lat) * math.sin(there),
    )
    return math.degrees(there), math.remainder(math.degrees(lon + turned), 360)


def meet(point: tuple[float, float], cells: list[str]) -> bool:
    return not cells or bool({*lexemes.cells_of(*point)} & {*cells})


@quick
@given(latitudes, longitudes, radii, st.floats(0, 2 * math.pi), st.floats(0, 1))
@example(89.9, 10.0, 11.2, 0.0, 1.0)
@example(-89.0, -180.0, 120.0, 3.0, 1.0)
@example(0.0, 179.5, 55.59754, math.pi / 2, 1.0)
@example(45.0, -179.9, 500.0, -math.pi / 2, 0.9)
def test_cells_around_hold_every_point_of_the_circle(
    latitude: float, longitude: float, radius_km: float, bearing: float, part: float
) -> None:
    cells = lexemes.cells_around(latitude, longitude, radius_km)
    centre = (latitude, longitude)

    for point in (point_at(centre, bearing, part * radius_km), centre):
        if distance_km(centre, point) <= radius_km:
            assert meet(point, cells)


@quick
@given(latitudes, longitudes, radii, latitudes, longitudes)
def test_cells_around_hold_whatever_place_is_near(
    latitude: float, longitude: float, radius_km: float, other: float, otherwhere: float
) -> None:
    point = (other, otherwhere)

    if distance_km((latitude, longitude), point) <= radius_km:
        assert meet(point, lexemes.cells_around(latitude, longitude, radius_km))


def test_cells_around_hold_the_rim_of_many_circles() -> None:
    """The rim, where the cells of a circle end; with a fixed seed, to be the same each time."""
    chance = random.Random(20270301)
    missed = []
    for _ in range(3_000):
        centre = (math.degrees(math.asin(chance.uniform(-1, 1))), chance.uniform(-180, 180))
        radius_km = 10 ** chance.uniform(-2, 4)
        cells = lexemes.cells_around(*centre, radius_km)
        for _ in range(8):
            point = point_at(centre, chance.uniform(0, 7), radius_km * (1 - 1e-12))
            if not meet(point, cells):
                missed.append((centre, radius_km, point))
    assert missed == []


@quick
@given(latitudes, longitudes, radii)
def test_cells_around_are_few_different_and_of_one_size(
    latitude: float, longitude: float, radius_km: float
) -> None:
    cells = lexemes.cells_around(latitude, longitude, radius_km)

    assert len(cells) <= lexemes.MOST_CELLS
    assert len(set(cells)) == len(cells)
    assert len({cell.partition("_")[0] for cell in cells}) <= 1
    assert [cell for cell in cells if not LEXEME.fullmatch(cell)] == []
    if radius_km <= 5_400:
        assert cells != []
    if radius_km >= 11_400:
        assert cells == []


@pytest.mark.parametrize(
    ("radius_km", "size"), [(0, 0), (10, 0), (50, 1), (200, 2), (1_000, 3), (5_000, 4)]
)
def test_cells_around_bengaluru_are_as_large_as_the_circle_needs(radius_km: int, size: int) -> None:
    cells = lexemes.cells_around(12.97, 77.59, radius_km)

    assert {cell[:3] for cell in cells} == {f"=g{size}"}


def test_cells_around_both_sides_of_the_date_line_are_the_same_place() -> None:
    east, west = lexemes.cells_of(-18.0, 180.0), lexemes.cells_of(-18.0, -180.0)

    for centre in (179.99, -179.99, 180.0, -180.0):
        cells = set(lexemes.cells_around(-18.0, centre, 5))
        assert cells & set(east)
        assert cells & set(west)


@quick
@given(latitudes, longitudes, latitudes, longitudes)
def test_unit_vectors_have_the_cosine_of_the_angle(a: float, b: float, c: float, d: float) -> None:
    one, other = lexemes.unit_vector(a, b), lexemes.unit_vector(c, d)

    product = sum(x * y for x, y in zip(one, other, strict=True))

    assert math.isclose(product, math.cos(distance_km((a, b), (c, d)) / RADIUS_KM), abs_tol=1e-12)
