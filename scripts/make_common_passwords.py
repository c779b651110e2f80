"""Makes the list of common passwords of `turnout.accounts` from the lists that zxcvbn carries.

zxcvbn is no dependency, so that nobody installs it for a list that changes once in years. Put it
into a folder of its own, and that folder on the path:

    .venv/bin/python -m pip install --target <folder> zxcvbn==4.5.0
    PYTHONPATH=<folder> .venv/bin/python -m scripts.make_common_passwords

How the list is used, `turnout.accounts.passwords` says. The same input gives the same file.
"""

import gzip
from pathlib import Path

from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]  # has no types

from turnout.accounts.passwords import DATA_FILE, FORMAT

TARGET = Path(__file__).parents[1] / "src" / "turnout" / "accounts" / "data" / DATA_FILE

TAKEN = {
    "passwords": (2_000, 30_000),
    "male_names": (500, 1_000),
    "female_names": (500, 2_000),
    "surnames": (500, 2_000),
    "english_wikipedia": (500, 3_000),
    "us_tv_and_film": (500, 3_000),
}
"""How many of each list, most frequent first, are very common, and how many common at all.

zxcvbn keeps a word only in the list where it ranks highest: `michael` and `please` are missing
from its passwords, because they are even more common as a name and as a word.
"""

SHORTEST = 4  # shorter ones would make a listed password of nearly anything


def main() -> None:
    """Write the data file anew."""
    TARGET.parent.mkdir(exist_ok=True)
    packed = gzip.compress(made().encode(), compresslevel=9, mtime=0)
    TARGET.write_bytes(packed)
    print(f"{TARGET.name}: {len(packed):,} bytes")


def made() -> str:
    """The text: a head, the very common words, the others; sorted, an empty line between."""
    very_common = {word for name, (very, _) in TAKEN.items() for word in _first(name, very)}
    common = {word for name, (_, all_) in TAKEN.items() for word in _first(name, all_)}
    head = f"{FORMAT}; made from the lists of zxcvbn (MIT); see NOTICE"
    parts = ([head], sorted(very_common), sorted(common - very_common))
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _first(name: str, count: int) -> list[str]:
    return [word for word in FREQUENCY_LISTS[name][:count] if len(word) >= SHORTEST]


if __name__ == "__main__":
    main()
