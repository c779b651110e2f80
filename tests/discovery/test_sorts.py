"""In which order events are found: by time, by distance, and those first whose name it is."""

import httpx2
from tests.discovery import asking
from tests.discovery.asking import make


async def test_sort_by_relevance_has_first_what_has_every_word_in_its_name(
    api: httpx2.AsyncClient,
) -> None:
    await make(api, "Evening", 1, description="jazz night")
    await make(api, "Night", 2, tags=["jazz"])
    await make(api, "Jazz", 3, location="Night club")
    await make(api, "Night of jazz", 5)
    await make(api, "Jazz night", 4, description="rock")
    await make(api, "Nightly jazzy things", 6)
    await make(api, "Rock", 2, description="rock all night")
    asked = ["q=jazz+night", "q=night+jazz", "q=jazz", "q=night", "q=rock", "q=all+rock"]

    found = {each: await asking.names(api, f"{each}&sort=relevance") for each in asked}

    of_both = [
        "Jazz night", "Night of jazz", "Nightly jazzy things", "Evening", "Night", "Jazz",
    ]  # fmt: skip
    assert found == {
        "q=jazz+night": of_both,
        "q=night+jazz": of_both,
        "q=jazz": ["Jazz", *of_both[:3], "Evening", "Night"],
        "q=night": ["Night", *of_both[:3], "Evening", "Rock", "Jazz"],
        "q=rock": ["Rock", "Jazz night"],
        "q=all+rock": ["Rock"],
    }


async def test_sort_by_relevance_looks_at_the_name_alone_whatever_else_is_asked(
    api: httpx2.AsyncClient,
) -> None:
    """A facet or a circle is in no name, and still those with the words in theirs come first."""
    for day, (name, text) in enumerate((("Talk", "jazz"), ("Jazz", ""), ("Walk", "jazz")), 1):
        await make(api, name, day, description=text, place=asking.BERLIN, tags=["a"])
    beside = ["tag=a", "city=Berlin", "near=52.5,13.4", "min_seats=1", "mine=true", "country=DE"]

    asked = [f"q=jazz&sort=relevance&{each}" for each in beside]

    expected = {key: ["Jazz", "Talk", "Walk"] for key in asked}
    assert await asking.names_of_each(api, asked) == expected


async def test_sort_of_what_begins_at_one_time_is_that_of_making_and_its_reverse(
    api: httpx2.AsyncClient,
) -> None:
    for n in range(5):
        await make(api, f"Event {n}", 3, place=asking.BERLIN)
    in_order = [f"Event {n}" for n in range(5)]
    near = "near=52.5208,13.4165"

    for beside in ("", "q=event", "city=Berlin", "min_seats=1", "mine=true", near):
        found = [
            await asking.names(api, f"{beside}&sort={sort}")
            for sort in ("start_time", "-start_time")
        ]
        assert found == [in_order, in_order[::-1]], beside
    assert await asking.names(api, f"{near}&sort=distance") == in_order
    assert await asking.names(api, "q=event&sort=relevance") == in_order
