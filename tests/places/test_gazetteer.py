"""The gazetteer knows the cities people write, says how it knows, and rather says no than wrong."""

import gzip

import pytest
from scripts import make_gazetteer

from turnout.events.zones import canonical_zone
from turnout.places import gazetteer
from turnout.places.folding import fold, same_but_case
from turnout.places.gazetteer import City, Gazetteer, How, Match


def found(city: str, country: str | None = None) -> tuple[str, str, str | None, How]:
    match = gazetteer.load().find(city, country)
    assert match is not None
    return match.city.name, match.city.country_code, match.city.region, match.how


def test_data_file_is_what_the_script_makes() -> None:
    shipped = gzip.decompress(make_gazetteer.TARGET.read_bytes()).decode()

    made = make_gazetteer.made()

    assert made == shipped


def test_data_file_carries_no_time_of_its_making() -> None:
    packed = make_gazetteer.TARGET.read_bytes()

    assert packed[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"  # RFC 1952: no name, no time


def test_gazetteer_holds_the_listed_cities_and_more() -> None:
    cities = list(gazetteer.load())

    assert len(cities) == len(gazetteer.load()) == 37_117
    assert sum(city.population >= 15_000 for city in cities) == 33_964
    assert len({city.country_code for city in cities}) == 245


def test_every_zone_is_canonical() -> None:
    zones = {city.timezone for city in gazetteer.load()}

    changed = {zone for zone in zones if canonical_zone(zone) != zone}

    assert changed == set()


def test_every_coordinate_lies_on_the_globe() -> None:
    outside = [
        city
        for city in gazetteer.load()
        if not (-90 <= city.latitude <= 90 and -180 <= city.longitude <= 180)
    ]

    assert outside == []


def test_every_city_is_found_by_its_own_name() -> None:
    asked = list(gazetteer.load())[::37]

    lost = []
    for city in asked:
        match = gazetteer.load().find(city.name, city.country_code)
        if match is None or match.how not in {How.EXACT, How.ALTERNATE}:
            lost.append((city.name, city.country_code, match and match.how))

    assert lost == []


def test_city_has_all_that_is_known_of_it() -> None:
    match = gazetteer.load().find("Berlin", "Germany")

    assert match == Match(
        City("Berlin", "DE", "Germany", "16", 52.524, 13.411, "Europe/Berlin", 3_426_354),
        How.EXACT,
    )
    assert match.is_sure


@pytest.mark.parametrize(
    ("city", "country", "expected"),
    [
        ("kyiv", "Ukraine", ("Kyiv", "UA", "12", How.EXACT)),
        ("Kiev", "Ukraine", ("Kyiv", "UA", "12", How.ALTERNATE)),
        ("Zurich", "Switzerland", ("Zürich", "CH", "ZH", How.PLAIN)),
        ("Oji", "Japan", ("Oji", "JP", "28", How.EXACT)),
        ("Ōji", "Japan", ("Ōji", "JP", "40", How.EXACT)),
        ("Lodz", "Polska", ("Łódź", "PL", "74", How.PLAIN)),
        ("São Paulo", "Brasil", ("São Paulo", "BR", "27", How.EXACT)),
        ("St. John’s", "Canada", ("St. John's", "CA", "NL", How.PLAIN)),
        ("Newcastle-Upon-Tyne", "U.K.", ("Newcastle upon Tyne", "GB", "ENG", How.PLAIN)),
        ("Nürnberg", "Germany", ("Nuremberg", "DE", "02", How.ALTERNATE)),
        ("Wuerzburg", "Germany", ("Würzburg", "DE", "02", How.ALTERNATE)),
        ("Milano", "Italia", ("Milan", "IT", "09", How.ALTERNATE)),
        ("Bangalore", "India", ("Bengaluru", "IN", "19", How.ALTERNATE)),
        ("Marburg", "Germany", ("Marburg an der Lahn", "DE", "05", How.ALTERNATE)),
        ("東京", "日本", ("Tokyo", "JP", "40", How.ALTERNATE)),
        ("दिल्ली", "भारत", ("Delhi", "IN", "07", How.ALTERNATE)),
        ("Bali", "Indonesia", ("Denpasar", "ID", "02", How.REGION)),
        ("Rapperswil-Jona", "Switzerland", ("Rapperswil", "CH", "SG", How.PART)),
        ("Sitges, Barcelona", "Spain", ("Sitges", "ES", "56", How.PART)),
        ("Falmouth (Cornwall)", "England", ("Falmouth", "GB", "ENG", How.EXACT)),
    ],
)
def test_city_of_a_country_is_found_however_it_is_written(
    city: str, country: str, expected: tuple[str, str, str, How]
) -> None:
    answer = found(city, country)

    assert answer == expected


@pytest.mark.parametrize(
    ("city", "country", "expected"),
    [
        ("Portland, OR", "U.S.A.", ("Portland", "US", "OR", How.EXACT)),
        ("Portland, Maine", "USA", ("Portland", "US", "ME", How.EXACT)),
        ("Clear Water, FL", "U.S.A.", ("Clearwater", "US", "FL", How.PLAIN)),
        ("Raleigh-Durham, NC", "U.S.A.", ("Raleigh", "US", "NC", How.PART)),
        ("Washington, D.C.", "America", ("Washington", "US", "DC", How.EXACT)),
        ("London, ON", "Canada", ("London", "CA", "ON", How.EXACT)),
        ("Perth, Western Australia", "Australia", ("Perth", "AU", "WA", How.EXACT)),
        ("Atlanta, Georgia", None, ("Atlanta", "US", "GA", How.EXACT)),
        ("Toronto, Ontario, Canada", None, ("Toronto", "CA", "ON", How.EXACT)),
    ],
)
def test_state_behind_a_comma_narrows_the_search(
    city: str, country: str | None, expected: tuple[str, str, str, How]
) -> None:
    match = gazetteer.load().find(city, country)

    assert match is not None
    assert match.state_read
    assert found(city, country) == expected


def test_several_cities_of_one_name_leave_the_biggest_and_say_so() -> None:
    match = gazetteer.load().find("Springfield", "US")

    assert match is not None
    assert (match.city.region, match.others, match.is_sure) == ("MO", 8, False)


@pytest.mark.parametrize(
    ("city", "country", "expected"),
    [
        ("Baroda", "India", ("Vadodara", "IN", "09", How.ALTERNATE)),  # 98 times as big
        ("Franklin", "US", ("Franklin", "US", "TN", How.EXACT)),  # Columbus is only 12 times
        ("Halle", "Germany", ("Halle (Saale)", "DE", "14", How.ALTERNATE)),
        ("Belem", "Brazil", ("Belém", "BR", "16", How.PLAIN)),
        ("Easthampton", "US", ("Easthampton", "US", "MA", How.EXACT)),
        ("Odessa", None, ("Odessa", "US", "TX", How.EXACT)),
    ],
)
def test_much_bigger_city_is_meant_by_its_other_name(
    city: str, country: str | None, expected: tuple[str, str, str, How]
) -> None:
    match = gazetteer.load().find(city, country)

    assert match is not None
    assert match.others > 0
    assert found(city, country) == expected


def test_brackets_may_be_of_the_name() -> None:
    answers = found("Frankfurt (Oder)", "Germany"), found("Frankfurt (Main)", "Germany")

    assert answers == (
        ("Frankfurt (Oder)", "DE", "11", How.EXACT),
        ("Frankfurt am Main", "DE", "05", How.ALTERNATE),
    )


def test_country_behind_a_comma_is_read_when_none_is_given() -> None:
    answer = found("Lyon, France", " ")

    assert answer == ("Lyon", "FR", "84", How.EXACT)


@pytest.mark.parametrize(
    ("city", "country"),
    [
        ("Texas, IL", "U.S.A."),  # Illinois is not searched for Texas, nor Texas for Illinois
        ("Waterloo, ON", "U.S.A."),  # a Waterloo in Iowa would be a guess
        ("Paris, Narnia", "US"),
        ("Berlin", "France"),
        ("Berlin", "Atlantis"),
        ("Rishon-Nowhere", "Israel"),
        ("Xyzzy", None),
        ("", None),
        (" , ", "Germany"),
        ("-", "Germany"),
        (",".join(["a"] * 5_000), None),
        ("\x00", "\ud800"),
    ],
)
def test_city_that_is_not_there_is_not_invented(city: str, country: str | None) -> None:
    match = gazetteer.load().find(city, country)

    assert match is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("U.S.A.", "US"),
        ("usa", "US"),
        ("us", "US"),
        ("U.K.", "GB"),
        ("Scotland", "GB"),
        ("Czech Republic", "CZ"),
        ("Czechia", "CZ"),
        ("Korea", "KR"),
        ("the netherlands", "NL"),
        ("Holland", "NL"),
        ("Türkiye", "TR"),
        ("Cote d’Ivoire", "CI"),
        ("Macedonia", "MK"),
        ("Kosovo", "XK"),
        ("DEU", "DE"),
        ("Österreich", "AT"),
        ("Atlantis", None),
        ("", None),
    ],
)
def test_country_code_of_a_name(name: str, code: str | None) -> None:
    answer = gazetteer.load().country_code(name)

    assert answer == code


@pytest.mark.parametrize(
    ("name", "zone", "has_one_zone"),
    [
        ("Germany", "Europe/Berlin", True),
        ("India", "Asia/Kolkata", True),
        ("Spain", "Europe/Madrid", False),
        ("U.S.A.", "America/New_York", False),
        ("Antarctica", "Antarctica/McMurdo", False),
    ],
)
def test_country_gives_the_zone_of_its_biggest_city(
    name: str, zone: str, *, has_one_zone: bool
) -> None:
    country = gazetteer.load().country(name)

    assert country is not None
    assert (country.timezone, country.has_one_zone) == (zone, has_one_zone)


def test_state_gives_its_own_zone() -> None:
    state = gazetteer.load().state("Nowhere Ranch, California", "US")

    assert state is not None
    assert (state.code, state.timezone, state.has_one_zone) == ("CA", "America/Los_Angeles", True)
    assert gazetteer.load().state("California", "US") is None
    assert gazetteer.load().state("Nowhere, CA", "DE") is None


def test_data_of_another_format_is_refused() -> None:
    other = gzip.compress(b"\n\n".join([b"Something else"] * 6))

    with pytest.raises(ValueError, match="not a gazetteer"):
        Gazetteer(other)


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Saint-Étienne", "stetienne"),
        ("Sankt Augustin", "staugustin"),
        ("Łódź", "lodz"),
        ("Ærøskøbing", "aeroskobing"),
        ("'s-Hertogenbosch", "shertogenbosch"),
        ("Weißenfels", "weissenfels"),
        ("दिल्ली", "दिलली"),
        ("東京 都", "東京都"),
        ("…", ""),
    ],
)
def test_fold_leaves_letters_only(name: str, folded: str) -> None:
    answer = fold(name)

    assert answer == folded


def test_composition_and_capitals_are_no_difference() -> None:
    composed, taken_apart = "Málaga", "MA\u0301LAGA"

    assert same_but_case(composed, taken_apart)
    assert not same_but_case(composed, "Malaga")
