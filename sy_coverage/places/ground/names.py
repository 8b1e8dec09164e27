"""Find the unit or county that a table means by a name or a code; names are matched inside their county only."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_VILLAGE_ENDS = re.compile(r"(社区|村)?(村民委员会|居民委员会|村委会|居委会)$|社区$|村$|居$")
_LISTED = re.compile(r"[、,，;；/\s]+")


@cache
def _endings() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of how names of counties and of units end."""
    peoples = "|".join(words.table()["peoples"]["names"])
    county = rf"(?:(?:{peoples})族)*自治[县旗]$|[县市区旗]$"
    unit = rf"(?:(?:{peoples})族)+乡(?:人民政府)?$|(?:街道)?办事处$|街道办$|街道$|[镇乡](?:人民政府|政府)?$"
    return re.compile(county), re.compile(unit)


def same(text: str) -> str:
    """Return a name as it is compared: NFKC, without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def short_county(name: str) -> str:
    """Return a county's name without its ending (城步苗族自治县 → 城步), or all of it if too little is left."""
    left = _endings()[0].sub("", name)
    return left if len(left) >= 2 else name


def short_unit(name: str) -> str:
    """Return a unit's name without its ending (桃洪镇 → 桃洪), or all of it if too little is left."""
    left = _endings()[1].sub("", name)
    return left if len(left) >= 2 else name


def short_village(name: str) -> str:
    """Return a village's or community's name without its ending (文仙社区居委会 → 文仙)."""
    return _VILLAGE_ENDS.sub("", name)


def unit_class(name: str) -> str:
    """Return what the ending of a unit's name says it is: ``street``, ``town``, ``township``, or nothing."""
    found = _endings()[1].search(name)
    if found is None or found.start() < 2:
        return ""
    ending = found.group(0).removesuffix("人民政府").removesuffix("政府")
    return {"镇": "town", "乡": "township"}.get(ending[-1], "street")


def unit_code(text: str) -> str:
    """Return the 9-digit code of a unit from 9 or 12 digits; any other text as it is."""
    code = same(text)
    if re.fullmatch(r"\d{12}", code):
        return code[:9]
    return code


def county_code(text: str) -> str:
    """Return the 6-digit code of a county from 6, 9 or 12 digits; any other text as it is."""
    code = same(text)
    return code[:6] if re.fullmatch(r"\d{6}|\d{9}|\d{12}", code) else code


def present_code(code: str) -> str:
    """Return the code a unit (9 digits) or county (6) goes under today: itself, or what the aliases say became of it."""
    aliases = words.table("aliases", room="ground")
    return str(aliases["codes"].get(code) or aliases["county_codes"].get(code, code))


def _former(units: GeoDataFrame) -> dict[str, list[str]]:
    """Return the former names and codes of each unit, as its frame lists them: 桃洪镇、430524100."""
    if "former" not in units.columns:
        return {}
    return {
        str(i): [same(one) for one in _LISTED.split(text) if same(one)]
        for i, text in zip(units.index, units["former"], strict=True)
        if isinstance(text, str)
    }


@dataclass(frozen=True)
class UnitNames:
    """All names and codes under which the units and counties of a study go, old ones too."""

    county_ids: dict[str, set[str]] = field(default_factory=dict)
    """County name (full, short, former) to the ids of the counties called so."""
    unit_ids: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(county id, unit name full, short or former) to unit ids; the county ``""`` holds all."""
    class_ids: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    """(county id, short name, what the ending says) to unit ids; so 桃花坪办事处 is 桃花坪街道 and 七江乡 is not 七江镇."""
    county_of: dict[str, str] = field(default_factory=dict)
    former: dict[str, str] = field(default_factory=dict)
    """Code a unit had, or that was merged into it, to its id: what the units frame says in its column `former`."""

    @classmethod
    def of(cls, units: GeoDataFrame) -> UnitNames:
        """Return the names in a units frame (columns `name`, `county_id`, `county`), and their aliases."""
        names = cls()
        aliases = words.table("aliases", room="ground")
        known = [
            (str(i), same(str(name)), str(county_id), same(str(county)))
            for i, name, county_id, county in zip(
                units.index, units["name"], units["county_id"], units["county"], strict=True
            )
        ]
        for unit_id, _, county_id, county in known:
            names.county_of[unit_id] = county_id
            former = [old for old, new in aliases["counties"].items() if new == county]
            for name in (county, *former):
                names.county_ids.setdefault(name, set()).add(county_id)
        for _, _, county_id, county in known:
            names.county_ids.setdefault(short_county(county), {county_id})
        of_frame = _former(units)
        for unit_id, given in of_frame.items():
            names.former.update({unit_code(one): unit_id for one in given if one.isdigit()})
        called = {
            unit_id: [
                name,
                *(a["was"] for a in aliases["units"] if a["is"] == name and unit_id.startswith(a["in"])),
                *of_frame.get(unit_id, []),
            ]
            for unit_id, name, _, _ in known
        }
        names._add(called)
        return names

    def _add(self, called: dict[str, list[str]]) -> None:
        """Add all names of each unit, short ones where no full name is the same."""
        for shape in (str, short_unit):
            fresh: dict[tuple[str, str], set[str]] = {}
            for unit_id, known in called.items():
                for name in {shape(one) for one in known}:
                    for scope in (self.county_of[unit_id], ""):
                        fresh.setdefault((scope, name), set()).add(unit_id)
            for key, ids in fresh.items():
                self.unit_ids.setdefault(key, ids)
        for unit_id, known in called.items():
            for name in known:
                for scope in (self.county_of[unit_id], ""):
                    of_class = (scope, short_unit(name), unit_class(name))
                    self.class_ids.setdefault(of_class, set()).add(unit_id)

    def county(self, text: str) -> str | None:
        """Return the id of the county that `text` names or codes, or None if none or several are called so."""
        code = county_code(text)
        for known in (code, present_code(code)):
            if known in self.county_of.values():
                return known
        found = self.county_ids.get(same(text), set())
        if not found and not same(text).endswith("市"):
            # of 市 the whole name must be known: 邵阳市 is no 邵阳县
            found = self.county_ids.get(short_county(same(text)), set())
        if not found:
            within = [name for name in self.county_ids if len(name) > 2 and name in same(text)]
            found = set().union(*(self.county_ids[n] for n in within if len(n) == max(map(len, within))))
        return next(iter(found)) if len(found) == 1 else None

    def units(self, text: str, county_id: str | None) -> set[str]:
        """Return the ids of the units that `text` names or codes inside a county (all counties if None).

        A name without its ending is understood, and so is another word for the same class (办事处 for 街道); 乡 for 镇 is
        only where that change is known: elsewhere it is a slip, for which `likely_units` has suggestions.
        """
        code = unit_code(text)
        for known in (self.former.get(code), code, present_code(code)):
            if known in self.county_of:
                return {known}
        scope, name = county_id or "", same(text)
        for county in sorted(self.county_ids, key=len, reverse=True):
            if name.startswith(county) and len(name) > len(county) and (scope, name) not in self.unit_ids:
                inside = {county_id} if county_id else self.county_ids[county]
                found = [self.unit_ids.get((c, name[len(county) :]), set()) for c in inside if c]
                if any(found):
                    return set().union(*found)
        meant = self.unit_ids.get((scope, name))
        return meant or self.class_ids.get((scope, short_unit(name), unit_class(name)), set())
