"""Say so where the units that rows name speak against the coordinate system their points are declared in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.places.ground.coordinates import are_metres, to_wgs84
from sy_coverage.places.ground.names import UnitNames
from sy_coverage.places.sheets import cells

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from sy_coverage.places.sheets.tables import Report, Table

    Floats = NDArray[np.float64]

DOUBT_SIGMA = 2.5
"""Rows that change sides must speak for another system by so many standard deviations; nothing is converted for it."""
OTHERS = ("gcj02", "wgs84", "bd09")
"""Systems of degrees that lie apart; CGCS2000 degrees are those of WGS84."""


def say_doubtful(
    table: Table,
    rows: NDArray[np.bool_],
    x: Floats,
    y: Floats,
    name: str,
    units: GeoDataFrame,
    report: Report,
) -> None:
    """Report the system that puts clearly more rows inside the units they name than the declared one, if there is one.

    Parameters
    ----------
    table
        Whose columns `unit` and `county` say where each row should lie.
    rows
        Which rows of `table` the coordinates belong to.
    x, y
        Their coordinates as received; metres are not judged.
    name
        The system they are declared in.
    units
        Units frame.
    """
    there = np.isfinite(x) & np.isfinite(y)
    if not there.any() or are_metres(x[there], y[there]).any():
        return
    named = _named(table, units)[rows]
    judged = there & (named != "")
    if not judged.any():
        return
    shapes = units.geometry.to_crs(GEOGRAPHIC)
    inside = {
        system: _inside(*to_wgs84(x[judged], y[judged], system), named[judged], shapes) for system in OTHERS
    }
    declared = inside["wgs84" if name == "cgcs2000" else name]
    scores = []
    for system, other in inside.items():
        for_it, against = int((other & ~declared).sum()), int((declared & ~other).sum())
        if for_it - against > DOUBT_SIGMA * np.sqrt(for_it + against):
            scores.append((int(other.sum()), system))
    if scores:
        best, system = max(scores)
        counts = f"{int(declared.sum())} → {best} / {int(judged.sum())}"
        report.say(table.file, "", "system_doubtful", f"{name}, {system}", counts)


def _named(table: Table, units: GeoDataFrame) -> NDArray[np.str_]:
    """Return the id of the one unit that each row names, or an empty text."""
    names = UnitNames.of(units)
    known: dict[tuple[str, str], str] = {}
    found = []
    for unit, county in zip(cells.column(table, "unit"), cells.column(table, "county"), strict=True):
        key = (str(unit or ""), str(county or ""))
        if key not in known:
            meant = names.units(key[0], names.county(key[1]) if key[1] else None) if key[0] else set()
            known[key] = next(iter(meant)) if len(meant) == 1 else ""
        found.append(known[key])
    return np.array(found, dtype=str)


def _inside(lon: Floats, lat: Floats, named: NDArray[np.str_], shapes: GeoDataFrame) -> NDArray[np.bool_]:
    """Return which points lie inside the unit of their row."""
    import shapely  # noqa: PLC0415  (heavy)

    found = np.zeros(len(named), dtype=bool)
    for unit_id in np.unique(named):
        here = named == unit_id
        found[here] = shapely.contains_xy(shapes[unit_id], lon[here], lat[here])
    return found
