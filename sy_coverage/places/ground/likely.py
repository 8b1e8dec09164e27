"""Suggest which unit a row means whose name is a slip, of another class, divided since or abolished, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA

from sy_coverage.places.ground.addresses import NO_NAMES, Addresses, Names
from sy_coverage.places.ground.names import same, short_county, short_unit, short_village, unit_class

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

LEAST = 2
"""What speaks for a suggestion must weigh at least so much: an alike name, an address, a village; never neighbours alone."""
_ALIKE, _LONG_ALIKE, _FROM_TEXT, _FROM_PLACE, _AROUND = 2, 3, 2, 3, 1
_LONG = 4
"""Names of so many characters that differ in one are hardly two names."""
MOST = 3
"""So many units are named where no single one is likeliest."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a row says of its place, in the office's own words."""

    unit: str
    county_id: str = ""
    address: str = ""
    village: str = ""
    name: str = ""
    unit_of_point: str = ""
    around: tuple[str, str] = ("", "")
    """Ids of the units of the rows before and after it in its list."""


@dataclass(frozen=True)
class Likely:
    """A unit that a row may mean; `evidence` quotes the office's own words and names."""

    unit_id: str
    weight: int
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class LikelyUnits:
    """All names of a study by which a slip can be understood."""

    addresses: Addresses
    names: dict[str, str]
    """Unit id to its name as it is compared."""
    called: dict[str, str]
    """Unit id to its county's and its own name."""
    villages: dict[str, Names] = field(default_factory=dict)
    """Villages and communities to their units, by county id."""
    stems: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(county id, name of a village without its ending) to the units of such villages."""

    @classmethod
    def of(cls, units: GeoDataFrame, villages: GeoDataFrame | None = None) -> LikelyUnits:
        """Return the names of a units frame and, if they are given, of its villages (columns `name`, `unit_id`)."""
        ordered = units.sort_index()
        names = {str(i): same(str(name)) for i, name in ordered["name"].items()}
        called = dict(zip(names, ordered["county"].astype(str) + ordered["name"].astype(str), strict=True))
        addresses = Addresses.of(units)
        pairs: dict[str, list[tuple[str, str]]] = {}
        stems: dict[tuple[str, str], set[str]] = {}
        if villages is not None:
            known = villages[villages["name"].notna() & villages["unit_id"].isin(ordered.index)]
            for name, unit_id in zip(known["name"], known["unit_id"], strict=True):
                county = addresses.names.county_of[str(unit_id)]
                pairs.setdefault(county, []).append((same(str(name)), str(unit_id)))
                stems.setdefault((county, short_village(same(str(name)))), set()).add(str(unit_id))
        return cls(addresses, names, called, {county: Names.of(p) for county, p in pairs.items()}, stems)

    def of_row(self, row: Row) -> list[Likely]:
        """Return the units a row may mean, likeliest first: one where one is clearly ahead, else up to `MOST`, or none."""
        county = row.county_id or self.addresses.county_in(same(row.address)) or ""
        votes = _Votes()
        self._by_name(row, county, votes)
        self._by_text(row, county, votes)
        if (
            row.unit_of_point in votes.weights
        ):  # where a point lies says nothing of what a name means, but supports it
            votes.add((row.unit_of_point,), _FROM_PLACE, f"◎{self.names[row.unit_of_point]}")
        if row.around[0] in votes.weights and row.around[0] == row.around[1]:
            votes.add((row.around[0],), _AROUND, f"↑↓{self.names[row.around[0]]}")
        ranked = sorted(votes.weights, key=lambda i: (-votes.weights[i], i))
        best = [
            Likely(i, votes.weights[i], tuple(votes.evidence[i])) for i in ranked if votes.weights[i] >= LEAST
        ]
        is_clear = len(best) > 1 and best[0].weight > best[1].weight
        return best[:1] if is_clear else best[:MOST]

    def _by_name(self, row: Row, county: str, votes: _Votes) -> None:
        """Let names speak that are like the one written, and the parts of a unit that was divided."""
        said = self._without_county(same(row.unit))
        for unit_id, name in self.names.items():
            if not county or self.addresses.names.county_of[unit_id] == county:
                votes.add((unit_id,), _alike(said, name), f"{row.unit} → {name}")
        divided = tuple(sorted(self.addresses.names.units(row.unit, county or None)))
        if len(divided) > 1:
            votes.add(divided, _ALIKE, f"{row.unit} → {'、'.join(self.names[i] for i in divided)}")

    def _by_text(self, row: Row, county: str, votes: _Votes) -> None:
        """Let the address, the facility's name and the villages speak that a row names."""
        for text, weight in ((row.address, _FROM_PLACE), (row.name, _FROM_TEXT)):
            named = self.addresses.units_in(text, county) or self._short_in(text, county)
            if len(named) == 1:
                votes.add(named, weight, f"“{text}”")
        stem = short_unit(self._without_county(same(row.unit)))
        kept = tuple(self.stems.get((county, stem), ()))
        if len(kept) == 1:  # a unit that was merged into another often lives on as one of its villages
            votes.add(kept, _FROM_TEXT, f"{self.called[kept[0]]}{stem}")
        for text in (row.village, row.address):
            found = self.villages.get(county, NO_NAMES).find(same(text))
            if found and len(found[2]) == 1:
                words = f"{self.called[found[2][0]]}{same(text)[found[0] : found[1]]}"
                return votes.add(found[2], _FROM_TEXT, words)
        return None

    def _without_county(self, said: str) -> str:
        for word, _ in self.addresses.county_words:
            if said.startswith(word) and len(said) > len(word) + 1:
                return said[len(word) :]
        return said

    def _short_in(self, text: str, county: str) -> tuple[str, ...]:
        """Return the units with whose short name a text begins, after its county (六都寨区域性中心敬老院)."""
        rest = same(text)
        for word, _ in self.addresses.county_words:
            for begun in (word, short_county(word)):
                rest = rest.removeprefix(begun)
        for length in range(min(len(rest), 8), 1, -1):
            ids = self.addresses.names.unit_ids.get((county, rest[:length]))
            if ids:
                return tuple(sorted(ids))
        return ()


@dataclass(frozen=True)
class _Votes:
    """What speaks for each unit, and how much it weighs."""

    weights: dict[str, int] = field(default_factory=dict)
    evidence: dict[str, list[str]] = field(default_factory=dict)

    def add(self, unit_ids: tuple[str, ...], weight: int, words: str) -> None:
        for unit_id in unit_ids if weight else ():
            self.weights[unit_id] = self.weights.get(unit_id, 0) + weight
            self.evidence.setdefault(unit_id, []).append(words)


def _alike(said: str, name: str) -> int:
    """Return how much the likeness of two names weighs: one character apart, or of another class; 0 where it says nothing."""
    stems = short_unit(said), short_unit(name)
    if stems[0] == stems[1] and unit_class(said) != unit_class(name):
        return _LONG_ALIKE
    if min(len(said), len(name)) < _LONG - 1:
        return 0
    if OSA.distance(said, name, score_cutoff=1) == 1:
        return _LONG_ALIKE if min(len(said), len(name)) >= _LONG else _ALIKE
    if min(map(len, stems)) >= _LONG - 1 and OSA.distance(*stems, score_cutoff=1) == 1:
        return _ALIKE
    return 0
