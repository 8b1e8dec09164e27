"""Find the county and the unit that a running text, such as an address, speaks of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sy_coverage.places.ground.names import UnitNames, same, short_county, short_unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geopandas import GeoDataFrame

_UNIT_FORMS = ("镇", "乡", "街道", "街道办事处", "办事处", "街道办")
"""In an address another class is no other place: 桃花坪镇 speaks of 桃花坪街道 where there is no other 桃花坪."""
_BEFORE_COUNTY = re.compile(r"^(?:.{2,8}?(?:省|自治区))?(?:[^市县区]{2,6}?市)?")


@dataclass(frozen=True)
class Names:
    """Names to what they name, searched in running text: the longest wins, then the first."""

    ids: dict[str, tuple[str, ...]]
    longest: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]], weaker: Iterable[tuple[str, str]] = ()) -> Names:
        """Return the (name, id) `pairs`; `weaker` forms stand in only where no true name is the same."""
        ids: dict[str, set[str]] = {}
        for name, thing in pairs:
            ids.setdefault(name, set()).add(thing)
        further: dict[str, set[str]] = {}
        for name, thing in weaker:
            if name not in ids:
                further.setdefault(name, set()).add(thing)
        every = {name: tuple(sorted(things)) for name, things in (ids | further).items() if len(name) > 1}
        return cls(every, max(map(len, every), default=0))

    def find(self, text: str) -> tuple[int, int, tuple[str, ...]] | None:
        """Return where the longest name begins and ends in `text` and what it names, or None."""
        for length in range(min(self.longest, len(text)), 1, -1):
            for start in range(len(text) - length + 1):
                ids = self.ids.get(text[start : start + length])
                if ids:
                    return start, start + length, ids
        return None


NO_NAMES = Names({}, 0)


@dataclass(frozen=True)
class Addresses:
    """The counties and units of a study as addresses write them."""

    names: UnitNames
    units: dict[str, Names]
    """By county id; ``""`` for all counties."""
    county_words: tuple[tuple[str, str], ...] = field(default=())
    """(county name, county id), longest name first."""

    @classmethod
    def of(cls, units: GeoDataFrame) -> Addresses:
        """Return the names in a units frame (columns `name`, `county_id`, `county`), and their aliases."""
        names = UnitNames.of(units)
        known: dict[str, list[tuple[str, str]]] = {}
        for unit_id, name, county_id in zip(units.index, units["name"], units["county_id"], strict=True):
            for scope in (str(county_id), ""):
                known.setdefault(scope, []).append((same(str(name)), str(unit_id)))
        words = sorted(
            ((n, i) for n, ids in names.county_ids.items() for i in ids), key=lambda w: (-len(w[0]), w)
        )
        return cls(
            names,
            {scope: _unit_names(scope, pairs, names) for scope, pairs in known.items()},
            tuple((n, i) for n, i in words if n != short_county(n)),
        )

    def county_in(self, text: str) -> str | None:
        """Return the id of the one county an address names, in full or short after its city, or None."""
        found = {county_id for word, county_id in self.county_words if word in text}
        if not found:
            rest = text[_BEFORE_COUNTY.match(text).end() :]  # type: ignore[union-attr]  # it always matches
            found = {i for word, i in self.county_words if rest.startswith(short_county(word))}
        return found.pop() if len(found) == 1 else None

    def units_in(self, text: str, county_id: str | None) -> tuple[str, ...]:
        """Return the ids of the units whose name `text` holds, inside a county (all counties if None); several of one name."""
        found = self.units.get(county_id or "", NO_NAMES).find(same(text))
        return found[2] if found else ()

    def spoken_of(self, text: str, county_id: str | None) -> tuple[str, ...]:
        """Return the ids of the units that an address is in: those it names, else all of the county it names, else none."""
        text = same(text)
        county = self.county_in(text)
        if county and county_id and county != county_id:
            return ()
        found = self.units_in(text, county_id or county)
        if found or not county:
            return found
        return tuple(sorted(u for u, c in self.names.county_of.items() if c == county))


def _unit_names(scope: str, known: list[tuple[str, str]], names: UnitNames) -> Names:
    pairs = known + [
        (name, unit_id)
        for (where, name), ids in names.unit_ids.items()
        if where == scope and name != short_unit(name)
        for unit_id in ids
    ]
    weaker = [
        (short_unit(name) + form, i) for name, i in known for form in _UNIT_FORMS if short_unit(name) != name
    ]
    return Names.of(pairs, weaker)
