"""Understand what a map service answered: which places, how precise each is by the service's own word, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    from collections.abc import Iterable

APART_M = 100.0
"""Answers farther apart than this are different places: ambiguous. Nearer ones are gates and buildings of one place."""
FINE_TO_COARSE = ("point", "village", "town", "county")
_EARTH_DEGREE_M = 111_320.0


@dataclass(frozen=True)
class Hit:
    """One place a service found: degrees in the service's own system, its word for how precise it is, its name."""

    lon: float
    lat: float
    level: str
    label: str = ""
    adcode: str = ""
    """Code of the county it lies in, where the service says it."""
    radius_m: float = 0.0
    """How far off the service itself says it may be; 0 where it does not say."""

    @property
    def is_possible(self) -> bool:
        """Whether it is a place on earth: not 0, 0, and not with longitude and latitude exchanged."""
        spot = np.array([self.lon, self.lat])
        return bool(np.isfinite(spot).all() and abs(self.lon) <= 180 and abs(self.lat) <= 90 and spot.any())


class RefusedError(Exception):
    """A documented error answer: what it says, and whose fault it is."""

    def __init__(self, what: str, fault: str = "service") -> None:
        """Keep `what` the service says.

        `fault`: ``row`` (it cannot deal with this question), ``service`` (it fails, perhaps not the next time), ``wait`` (it
        asks to slow down), ``quota`` (a day's requests are spent) or ``key`` (it does not let us in).
        """
        super().__init__(what)
        self.what, self.fault = what, fault


def told(value: Any) -> str:
    """Return a field of an answer as text; services write an empty one as ``[]``, ``{}`` or null."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def degrees(value: Any) -> float:
    """Return a field of an answer as a number, or NaN."""
    try:
        return float(told(value) or "nan")
    except ValueError:
        return float("nan")


def precision(service: str, hit: Hit) -> str:
    """Return how precise a place is: by its level, and never finer than the service's own error radius."""
    table = words.table("providers", room="locating")
    levels = table[service]
    by_level = next(
        (p for p in FINE_TO_COARSE if hit.level in levels[p]), str(levels["else"] if hit.level else "town")
    )
    within = table["radius_m"]
    by_radius = next((p for p in FINE_TO_COARSE[:-1] if hit.radius_m <= within[p]), "county")
    return max(by_level, by_radius, key=FINE_TO_COARSE.index)


def radius_of(service: str, score: Any, measure: str) -> float:
    """Return the error radius in metres that a service's score stands for, 0 where there is no score."""
    number = degrees(score)
    if not np.isfinite(number):
        return 0.0
    steps = words.table("providers", room="locating")[service][measure]
    return float(next((metres for least, metres in steps if number >= least), steps[-1][1]))


def in_county(hits: list[Hit], county_id: str, county: str) -> list[Hit]:
    """Return those of several places that lie in a county, by the service's own code or words, or all if none says so."""
    is_code = county_id.isdigit() and len(county_id) == 6
    inside = [hit for hit in hits if is_code and hit.adcode == county_id] or [
        hit for hit in hits if county and not county.isdigit() and county in hit.label
    ]
    return inside or hits


def spread_m(lon: np.ndarray, lat: np.ndarray) -> float:
    """Return the farthest of the points from the first, in metres, to first order."""
    aside = (lon - lon[0]) * np.cos(np.radians(lat[0]))
    return float(np.hypot(aside, lat - lat[0]).max() * _EARTH_DEGREE_M)


def possible(hits: Iterable[Hit]) -> list[Hit]:
    """Return the places that can be."""
    return [hit for hit in hits if hit.is_possible]
