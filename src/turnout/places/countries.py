"""Countries and their states, with the names people give them; it must not know any city."""

from collections.abc import Iterable
from dataclasses import dataclass

from turnout.places.folding import fold


@dataclass(frozen=True, slots=True)
class Area:
    """A country or one of its states, with the zone that most of its people are likely to keep.

    `code` is ISO 3166-1 alpha-2 for a country (and XK for Kosovo), the postal code for a state.
    `timezone` is that of its most populous city; `has_one_zone` says that there is no other.
    """

    code: str
    name: str
    timezone: str
    has_one_zone: bool


class Areas:
    """The countries and states of one gazetteer, found by any of their names."""

    __slots__ = ("_countries", "_country_names", "_state_names", "_states")

    def __init__(self) -> None:
        self._countries: dict[str, Area] = {}
        self._country_names: dict[str, str] = {}
        self._states: dict[tuple[str, str], Area] = {}
        self._state_names: dict[tuple[str, str], str] = {}

    def add_country(self, area: Area, keys: Iterable[str]) -> None:
        """Keep a country under its code and under folded names; an earlier name is not taken."""
        self._countries[area.code] = area
        for key in (fold(area.code), *keys):
            self._country_names.setdefault(key, area.code)

    def add_state(self, country_code: str, area: Area, keys: Iterable[str]) -> None:
        """Keep a state of a country under its code and under folded names."""
        self._states[country_code, area.code] = area
        for key in (fold(area.code), *keys):
            self._state_names[country_code, key] = area.code

    def country(self, name: str) -> Area | None:
        """The country of that code or name, in any spelling; None when nobody calls one so."""
        return self._countries.get(self._country_names.get(fold(name), ""))

    def state(self, country_code: str, name: str) -> Area | None:
        """The state of a country by code or name; None also where states are not known."""
        code = self._state_names.get((country_code, fold(name)), "")
        return self._states.get((country_code, code))

    def knows_states_of(self, country_code: str | None) -> bool:
        """Whether the states of this country are listed, so that one not found is a mistake."""
        return any(country == country_code for country, _ in self._states)
