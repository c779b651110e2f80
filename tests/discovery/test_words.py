"""What is found by words: whole and begun, with and without accents, in every script."""

from urllib.parse import quote

import httpx2
import pytest
from tests.discovery import asking
from tests.discovery.asking import make, query


async def test_word_is_found_in_name_description_location_tags_and_place(
    api: httpx2.AsyncClient,
) -> None:
    place = {"name": "Zoo palace", "address": "Hardenbergstr. 29a", "city": "Berlin"}
    await make(api, "Oysters", 1)
    await make(api, "Text", 2, description="With **oysters** and wine")
    await make(api, "Location", 3, location="Oysters' wharf")
    await make(api, "Tag", 4, tags=["good food", "oysters"])
    await make(api, "Place", 5, place={**place, "country": "Germany"})
    await make(api, "None of it", 6, description="Mussels", slots=[])

    found = await asking.names_of_each(
        api,
        ["q=oysters", "q=palace", "q=hardenbergstr", "q=berlin", "q=germany", "q=29a", "q=food"],
    )

    assert found == {
        "q=oysters": ["Oysters", "Text", "Location", "Tag"],
        "q=food": ["Tag"],
        **{
            key: ["Place"]
            for key in ["q=palace", "q=hardenbergstr", "q=berlin", "q=germany", "q=29a"]
        },
    }


NAMES = [
    "Café São Paulo",
    "STRASSENFEST",
    "Weißwurst für Ada's friends",
    "Rock-and-roll O\u2019Brien",
    "ハパ 東京都",
    "हिन्दी साहित्य",
    "\U0001f389 party \U0001f389",
    "C++ and R",
    "Crafts 2030",
    "PyCon 100% \"quoted\" 'single' back\\slash",
    "Łódź İstanbul",
]
FOUND = {
    "cafe": [0],
    "CAFÉ": [0],
    "cafe\u0301": [0],
    "sao pau": [0],
    "paulo cafe": [0],
    "straßenfest": [1],
    "strassenfest": [1],
    "weisswurst": [2],
    "fur": [2],
    "adas": [2],
    "ada's": [2],
    "ada\u2019s": [2],
    "ada": [2],
    "obrien": [3],
    "o'brien": [3],
    "rock and roll": [3],
    "rock-and-roll": [3],
    "rockand": [],
    "東京": [4],
    "京都": [4],
    "東都": [],
    "都": [4],
    "ハパ": [4],
    "हिन्दी": [5],
    "हिन": [5],
    "साहित्य": [5],
    "साहित्य हिन्दी": [5],
    "party": [6],
    "\U0001f389": [],
    "\U0001f389 party": [6],
    "c": [7],
    "c++": [7],
    "r": [7],
    "cr": [8],
    "2030": [8],
    "20": [8],
    "30": [],
    "2": [],
    "100": [9],
    "100%": [9],
    "quoted": [9],
    "lodz": [10],
    "istanbul": [10],
    "İSTANBUL": [10],
    "and": [3, 7],
    "and r": [7],  # a single letter is a word, and begins none
    "a": [],
    "py\tcon": [],
    "pycon\n100": [9],
    "py": [9],
    "ycon": [],
}
"""What is typed, and the places in NAMES of what it finds; all words have to begin one."""


async def test_words_find_what_has_each_of_them_or_one_that_begins_so(
    api: httpx2.AsyncClient,
) -> None:
    for n, name in enumerate(NAMES):
        await make(api, name, n + 1)

    found = {text: await asking.names(api, query(q=text)) for text in FOUND}

    assert found == {text: [NAMES[n] for n in which] for text, which in FOUND.items()}


SYNTAX = [
    '"', '""', '"jazz', "jazz*", "*", "^jazz", "NEAR(jazz night)", "NEAR(", "jazz OR rock", "OR",
    "AND", "NOT jazz", "-jazz", "jazz -night", "title:jazz", "{title}: jazz", "title : rock",
    "facets:=tjazz", "=tjazz", "=cberlin", "= c berlin", "'", "''", "' & !jazz", "jazz & !night",
    "jazz | rock", "!jazz", "jazz:*", "jazz:A", "jazz <-> night", "(jazz", "jazz)", "\\", "\\'",
    "jazz\\", "%", "_", "jazz_night", "jazz;--", "'; DROP TABLE events; --", "$1", "?1", ":1",
    "\x01", "\x7f", "\u200b", "\ufeff", "\ufffd", "\U0010ffff", "\u0301", "\u202ejazz", "__", "{}",
]  # fmt: skip
"""What means something to SQLite, PostgreSQL, Python or a terminal; to us they are words."""
PLAIN = {
    "jazz": [
        '"jazz', "jazz*", "^jazz", "-jazz", "!jazz", "(jazz", "jazz)", "jazz\\", "jazz;--",
        "\u202ejazz", "jazz:*", "' & !jazz",
    ],
    "jazz rock": ["jazz | rock"],
    "jazz night": ["jazz -night", "jazz & !night", "jazz <-> night", "jazz_night"],
    "and": ["AND"],
}  # fmt: skip
"""Those of them that find something, by the plain words that find the same."""


@pytest.fixture
async def jazz(api: httpx2.AsyncClient) -> httpx2.AsyncClient:
    await make(api, "Jazz night", 1, tags=["jazz"], place=asking.BERLIN)
    await make(api, "Rock and jazz", 2, place={"city": "Pune"})
    await make(api, "Title of nothing", 3, tags=["not"])
    return api


async def test_query_syntax_in_words_is_no_syntax(jazz: httpx2.AsyncClient) -> None:
    found = {text: await asking.names(jazz, query(q=text)) for text in SYNTAX}

    as_plain = {plain: await asking.names(jazz, query(q=plain)) for plain in PLAIN}
    assert as_plain == {
        "jazz": ["Jazz night", "Rock and jazz"],
        "jazz night": ["Jazz night"],
        "jazz rock": ["Rock and jazz"],
        "and": ["Rock and jazz"],
    }
    plainly = {text: as_plain[plain] for plain, texts in PLAIN.items() for text in texts}
    assert found == {**{key: [] for key in SYNTAX}, **plainly}


async def test_words_that_nothing_has_with_a_facet_find_nothing(jazz: httpx2.AsyncClient) -> None:
    asked = [query("city=Berlin", q=text) for text in ("=tjazz", "*", "zzz", "=c", "none", "=none")]

    assert await asking.names_of_each(jazz, asked) == {key: [] for key in asked}


async def test_words_of_spaces_alone_are_none(jazz: httpx2.AsyncClient) -> None:
    asked = ["q=", "q=%20", "q=%0A%09", "q=&sort=relevance"]

    everything = ["Jazz night", "Rock and jazz", "Title of nothing"]
    assert await asking.names_of_each(jazz, asked) == dict.fromkeys(asked, everything)


async def test_words_as_long_as_may_be_are_found(api: httpx2.AsyncClient) -> None:
    long = "x" * 200
    many = " ".join(f"word{n}" for n in range(25))
    await make(api, long, 1)
    await make(api, "Many", 2, description=many)

    found = [
        await asking.names(api, query(q=text)) for text in (long, "x" * 39, many[:200], "y" * 200)
    ]

    assert found == [[long], [long], ["Many"], []]


@pytest.mark.parametrize("text", ["\0", "a\0b"])
async def test_words_with_nul_are_refused(api: httpx2.AsyncClient, text: str) -> None:
    answer = await api.get(f"/events?q={quote(text)}")

    assert (answer.status_code, answer.json()["code"]) == (422, "validation-error")


async def test_words_that_are_no_utf8_are_refused(api: httpx2.AsyncClient) -> None:
    answer = await api.get("/events?q=%ff%fe")

    assert (answer.status_code, answer.json()["code"]) == (422, "validation-error")
