"""Say so where the units that rows name speak against the coordinate system their points are declared in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from sy_coverage._frames import GEOGRAPHIC, metric_crs
from sy_coverage.errors import CoordinateSystemError, some
from sy_coverage.places.ground.addresses import Addresses
from sy_coverage.places.ground.area import area_box, central_meridian, inside_box
from sy_coverage.places.ground.coordinates import are_metres, to_wgs84
from sy_coverage.places.sheets import cells

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from pandas import DataFrame

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
        Whose columns `unit`, `county` and `address` say where each row should lie.
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
    spoken = spoken_units(table, units)
    named = np.array(["、".join(ids) for ids in spoken], dtype=str)[rows]
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


def spoken_units(table: Table, units: GeoDataFrame) -> list[tuple[str, ...]]:
    """Return for every row the units it should lie in: the one that its cell names, else its address, else all of its county."""
    addresses = Addresses.of(units)
    names = addresses.names
    of_county: dict[str, list[str]] = {}
    for unit_id, county_id in sorted(names.county_of.items()):
        of_county.setdefault(county_id, []).append(unit_id)
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    found = []
    columns = [cells.column(table, field) for field in ("unit", "county", "address")]
    for row in zip(*columns, strict=True):
        key = unit, county, address = tuple(str(cell or "") for cell in row)
        if key not in known:
            in_county = names.county(county) if county else None
            meant = tuple(sorted(names.units(unit, in_county))) if unit else ()
            meant = meant or addresses.spoken_of(address, in_county)
            known[key] = meant or tuple(of_county.get(in_county or "", ()))
        found.append(known[key])
    return found


def _inside(lon: Floats, lat: Floats, named: NDArray[np.str_], shapes: GeoDataFrame) -> NDArray[np.bool_]:
    """Return which points lie inside the units of their row, ids joined by 、."""
    shape_of = dict(zip(shapes.index, shapes.to_numpy(), strict=True))
    found = np.zeros(len(named), dtype=bool)
    for ids in np.unique(named):
        here = named == ids
        known = [shape_of[one] for one in ids.split("、")]
        area = known[0] if len(known) == 1 else shapely.union_all(known)
        found[here] = shapely.contains_xy(area, lon[here], lat[here])
    return found


def undeclared_words(table: Table, given: DataFrame, units: GeoDataFrame | None) -> str:
    """Return the sentence that refuses undeclared coordinates, and what they most likely are, with the evidence."""
    rows = some([str(row) for row in given.index])
    start = f"{table.file}: the coordinate system of rows {rows} is not declared"
    how = 'declare it, for example coordinate_system = "{}"'
    if units is None:
        return (
            f"{start}; {how.format('gcj02')} (wgs84, cgcs2000, gcj02 or bd09), or give the units for a guess"
        )
    if _fit_swapped(given, units):
        return f"{start}, and longitude and latitude look swapped: exchange the two columns; then {how.format('gcj02')}"
    fits = fitting_systems(table, given, units)
    best = fits[0]
    listed = ", ".join(f"{fit.system} {fit.inside} of {fit.judged}, {fit.off_m:,.0f} m off" for fit in fits)
    if best.inside == 0:
        return f"{start}; in no known system do they lie inside the units ({listed}); {how.format('gcj02')}"
    evidence = f"rows inside the units they name, and mean distance outside them: {listed}"
    as_good = [fit.system for fit in fits if (fit.inside, fit.off_m) == (best.inside, best.off_m)]
    if len(as_good) > 1:
        return (
            f"{start}, and the rows do not tell: {', '.join(as_good)} fit them equally ({evidence}); ask where the "
            f"points are from (Amap and Tencent give gcj02, Baidu bd09), and {how.format(best.system)}"
        )
    return f"{start}; {best.system} fits best: {evidence}; {how.format(best.system)} if that is right"


def _fit_swapped(given: DataFrame, units: GeoDataFrame) -> bool:
    """Return whether most pairs would lie in the study's area if their numbers were exchanged."""
    inside = inside_box(given["y"].to_numpy(), given["x"].to_numpy(), area_box(units))
    return bool(inside.mean() > 0.5)


@dataclass(frozen=True)
class Fit:
    """How well rows fit the units they speak of if their coordinates are in `system`."""

    system: str
    inside: int
    judged: int
    """Rows that say where they lie, in a cell or their address; all rows where none does."""
    off_m: float
    """Mean metres outside."""


def fitting_systems(table: Table, given: DataFrame, units: GeoDataFrame) -> list[Fit]:
    """Return how well each system fits the coordinates `given` (`x`, `y`, indexed like rows of `table`), best first."""
    metric = units.geometry.to_crs(metric_crs(units))
    of_row = dict(zip(table.rows.index, spoken_units(table, units), strict=True))
    # rows that say nothing of where they lie speak for no system
    rows = [row for row in given.index if of_row[row]] or list(given.index)
    areas = {ids: metric.loc[list(ids) or metric.index].union_all() for ids in {of_row[row] for row in rows}}
    shapes = gpd.GeoSeries([areas[of_row[row]] for row in rows], crs=metric.crs)
    x, y = given.loc[rows, "x"].to_numpy(), given.loc[rows, "y"].to_numpy()
    fits = []
    for name in ("gcj02", "wgs84", "bd09", "cgcs2000"):
        if are_metres(x, y).any() != (name == "cgcs2000"):
            continue
        try:
            lon, lat = to_wgs84(x, y, name, central_meridian=central_meridian(x, y, units))
        except CoordinateSystemError:
            continue
        off = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=GEOGRAPHIC).to_crs(metric.crs).distance(shapes)
        fits.append(Fit(name, int((off <= 0).sum()), len(rows), float(off.mean())))
    return sorted(fits, key=lambda fit: (-fit.inside, fit.off_m)) or [
        Fit("wgs84", 0, len(rows), float("nan"))
    ]
