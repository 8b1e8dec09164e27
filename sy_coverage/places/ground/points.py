"""Read where a row says it is: coordinates in the system it declares, or a refusal with a guess."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage._frames import GEOGRAPHIC, metric_crs
from sy_coverage.errors import CoordinateSystemError, MissingCRSError, some
from sy_coverage.places.ground.coordinates import are_metres, known_system, to_wgs84
from sy_coverage.places.ground.evidence import say_doubtful
from sy_coverage.places.ground.names import UnitNames
from sy_coverage.places.sheets import cells, words

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

    from sy_coverage.places.sheets.cells import Breaches
    from sy_coverage.places.sheets.tables import Report, Table

AREA_MARGIN_M = 20_000.0
"""A point farther than this outside the bounds of all units is no place of the study."""
_DEGREE_M = 111_320.0
_PAIR = re.compile(r"[,;/\s、]+")


def placed(shapes: GeoSeries) -> Series:
    """Return, indexed like `shapes`, which of them are there and not empty."""
    import shapely  # noqa: PLC0415  (heavy)

    values = shapes.to_numpy()
    return pd.Series(~(shapely.is_missing(values) | shapely.is_empty(values)), index=shapes.index)


def read_points(
    table: Table,
    breaches: Breaches,
    report: Report,
    *,
    coordinate_system: str | None,
    units: GeoDataFrame | None,
) -> DataFrame:
    """Return `lon`, `lat` (WGS84 degrees, NaN where none), and `system` as received, for every row of a table.

    Raises
    ------
    CoordinateSystemError
        If coordinates are undeclared: with a guess, when `units` are given to compare with.
    MissingCRSError
        If a layer's geometry has no CRS and none is declared.
    """
    if table.geometry is not None:
        return _layer_points(table, breaches, report, coordinate_system, units)
    given = _written(table, breaches, report)
    found = given["x"].notna() & given["y"].notna()
    system = _systems(table, breaches, coordinate_system)
    undeclared = found & system.isna()
    if undeclared.any():
        breaches.stop(table.file)
        raise CoordinateSystemError(_undeclared(table, given[undeclared], units))
    points = pd.DataFrame({"lon": np.nan, "lat": np.nan, "system": system.where(found)}, index=given.index)
    _refuse_impossible(table, given, found, breaches)
    usable = found & given["possible"]
    for name in sorted(set(system[usable])):
        here = usable & (system == name)
        x, y = given.loc[here, "x"].to_numpy(), given.loc[here, "y"].to_numpy()
        meridian = _central_meridian(x, y, units) if name == "cgcs2000" else None
        if are_metres(x, y).any():
            report.say(table.file, "", "metres_read", name, "" if meridian is None else f"{meridian:g}")
        points.loc[here, "lon"], points.loc[here, "lat"] = to_wgs84(x, y, name, central_meridian=meridian)
        report.say(table.file, "", "coordinates_read", name, int(here.sum()))
        if units is not None:
            say_doubtful(table, here.to_numpy(bool), x, y, name, units, report)
    if units is not None:
        _refuse_swapped(table, points, units, breaches)
    return points


def _layer_points(
    table: Table,
    breaches: Breaches,
    report: Report,
    coordinate_system: str | None,
    units: GeoDataFrame | None,
) -> DataFrame:
    shapes = table.geometry
    assert shapes is not None  # noqa: S101  (the caller has looked)
    system = None if coordinate_system is None else known_system(coordinate_system)
    if shapes.crs is None:
        if system is None:
            raise MissingCRSError(
                f"{table.file}: no coordinate system is declared; say which one, for example "
                'coordinate_system = "cgcs2000"'
            )
        shapes = shapes.set_crs(GEOGRAPHIC)
    elif not shapes.crs.is_geographic:
        shapes = shapes.to_crs(GEOGRAPHIC)
    name = system or (
        "cgcs2000" if "CGCS2000" in shapes.crs.name or "China Geodetic" in shapes.crs.name else "wgs84"
    )
    if system is None:
        report.say(table.file, "", "system_from_file", name, shapes.crs.name)
    there = placed(shapes)
    shapes = shapes.where(there, None)
    spots = shapes.representative_point()
    reshaped = there & (shapes.geom_type != "Point")
    if reshaped.any():
        report.say(table.file, "", "points_inside_shapes", "", int(reshaped.sum()))
    given = pd.DataFrame({"x": spots.x.astype("float64"), "y": spots.y.astype("float64")})
    _refuse_impossible(table, given, there, breaches)
    x, y = given[["x", "y"]].where(given["possible"]).to_numpy().T
    meridian = _central_meridian(x, y, units) if name == "cgcs2000" else None
    if are_metres(x, y).any():
        report.say(table.file, "", "metres_read", name, "" if meridian is None else f"{meridian:g}")
    lon, lat = to_wgs84(x, y, name, central_meridian=meridian)
    report.say(table.file, "", "coordinates_read", name, int(there.sum()))
    if units is not None:
        say_doubtful(table, np.ones(len(shapes), dtype=bool), x, y, name, units, report)
    system_column = pd.Series(name, index=shapes.index, dtype=object).where(there, None)
    return pd.DataFrame({"lon": lon, "lat": lat, "system": system_column}, index=shapes.index)


def _written(table: Table, breaches: Breaches, report: Report) -> DataFrame:
    """Return the numbers `x` and `y` as written in the table, NaN where a row has no pair."""
    if "lonlat" in table.headers and not {"lon", "lat"} <= set(table.headers):
        pairs = cells.column(table, "lonlat").map(
            lambda c: _PAIR.split(unicodedata.normalize("NFKC", c).strip("()"))
        )
        first = pairs.map(lambda p: p[0] if len(p) == 2 else "")
        second = pairs.map(lambda p: p[1] if len(p) == 2 else "")
        headers = ("lonlat", "lonlat")
    else:
        headers = ("lon", "lat") if {"lon", "lat"} <= set(table.headers) else ("x", "y")
        first, second = cells.column(table, headers[0]), cells.column(table, headers[1])
    values = {}
    for axis, header, column in (("x", headers[0], first), ("y", headers[1], second)):
        numbers = column.map(lambda c: None if words.is_blank(c) else words.angle(c)).astype("float64")
        wrong = ~column.map(words.is_blank).astype(bool) & ~np.isfinite(numbers)
        for row in column.index[wrong]:
            breaches.add(
                f"column '{table.headers.get(header, header)}' is no coordinate",
                f"{table.where(row)} '{column[row]}'",
            )
        values[axis] = numbers
    given = pd.DataFrame(values)
    zero = (given["x"] == 0) & (given["y"] == 0)
    half = given["x"].isna() != given["y"].isna()
    for row in given.index[zero]:
        report.say(table.file, row, "zero_coordinates")
    for row in given.index[half]:
        report.say(table.file, row, "half_coordinates")
    given.loc[zero | half, ["x", "y"]] = np.nan
    return given


def _systems(table: Table, breaches: Breaches, coordinate_system: str | None) -> Series:
    """Return the system of every row: its own cell, else what the file was declared to be, else missing."""
    by_row = cells.column(table, "coordinate_system")
    declared = None
    if coordinate_system is not None:
        if coordinate_system in table.rows.columns:
            by_row = table.rows[coordinate_system]
        else:
            declared = known_system(coordinate_system)
    found = []
    for row, cell in by_row.items():
        meant = words.exactly(cell, "coordinate_systems") if cell else declared
        if cell and meant is None:
            breaches.add(
                "the coordinate system is unknown (say wgs84, cgcs2000, gcj02 or bd09)",
                f"{table.where(row)} '{cell}'",
            )
        found.append(meant)
    return pd.Series(found, index=by_row.index, dtype=object)


def _refuse_impossible(table: Table, given: DataFrame, found: Series, breaches: Breaches) -> None:
    """Note pairs that are no place on earth, and say so where exchanging them would make one."""
    x, y = given["x"], given["y"]
    metres = are_metres(x, y)
    impossible = found & ~metres & ((y.abs() > 90) | (x.abs() > 180))
    swapped = impossible & (x.abs() <= 90) & (y.abs() <= 180)
    for row in given.index[swapped]:
        breaches.add(
            "longitude and latitude look swapped: exchange the two columns",
            f"{table.where(row)} ({x[row]:g}, {y[row]:g})",
        )
    for row in given.index[impossible & ~swapped]:
        breaches.add("no place on earth has such coordinates", f"{table.where(row)} ({x[row]:g}, {y[row]:g})")
    given["possible"] = ~impossible


def area_box(units: GeoDataFrame, margin_m: float = AREA_MARGIN_M) -> tuple[float, float, float, float]:
    """Return west, south, east, north (degrees) of all `units` with a margin in metres around them."""
    west, south, east, north = units.to_crs(GEOGRAPHIC).total_bounds
    up = margin_m / _DEGREE_M
    aside = up / max(np.cos(np.radians((south + north) / 2)), 0.01)
    return float(west - aside), float(south - up), float(east + aside), float(north + up)


def inside_box(
    lon: NDArray[np.float64], lat: NDArray[np.float64], box: tuple[float, float, float, float]
) -> NDArray[np.bool_]:
    """Return which points lie in a box of west, south, east and north."""
    west, south, east, north = box
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def _refuse_swapped(table: Table, points: DataFrame, units: GeoDataFrame, breaches: Breaches) -> None:
    box = area_box(units)
    lon, lat = points["lon"].to_numpy(), points["lat"].to_numpy()
    swapped = ~inside_box(lon, lat, box) & inside_box(lat, lon, box)
    for row in points.index[swapped]:
        breaches.add(
            "longitude and latitude look swapped: exchange the two columns",
            f"{table.where(row)} ({points.loc[row, 'lon']:.5f}, {points.loc[row, 'lat']:.5f})",
        )


def _central_meridian(
    x: NDArray[np.float64], y: NDArray[np.float64], units: GeoDataFrame | None
) -> float | None:
    """Return the 3-degree meridian that puts metres without a zone number into the units' area, if one does."""
    metres = are_metres(x, y) & (np.abs(x) < 1e7) & (np.abs(y) < 1e7)
    if units is None or not metres.any():
        return None
    box = area_box(units)
    fitting = []
    for meridian in range(75, 136, 3):
        try:
            lon, lat = to_wgs84(x[metres], y[metres], "cgcs2000", central_meridian=meridian)
        except CoordinateSystemError:
            continue
        fitting.append(
            (int(inside_box(lon, lat, box).sum()), -abs((box[0] + box[2]) / 2 - meridian), meridian)
        )
    best = max(fitting, default=(0, 0.0, 0))
    return float(best[2]) if best[0] * 2 > metres.sum() else None


def _undeclared(table: Table, given: DataFrame, units: GeoDataFrame | None) -> str:
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
    scores = guess_system(table, given, units)
    best, (inside, off) = scores[0]
    listed = ", ".join(
        f"{name} {count} of {len(given)}, {metres:,.0f} m off" for name, (count, metres) in scores
    )
    if inside == 0:
        return f"{start}; in no known system do they lie inside the units ({listed}); {how.format('gcj02')}"
    evidence = f"rows inside the units they name, and mean distance outside them: {listed}"
    as_good = [name for name, score in scores if score == (inside, off)]
    if len(as_good) > 1:
        return (
            f"{start}, and the rows do not tell: {', '.join(as_good)} fit them equally ({evidence}); ask where the "
            f"points are from (Amap and Tencent give gcj02, Baidu bd09), and {how.format(best)}"
        )
    return f"{start}; {best} fits best: {evidence}; {how.format(best)} if that is right"


def _fit_swapped(given: DataFrame, units: GeoDataFrame) -> bool:
    """Return whether most pairs would lie in the study's area if their numbers were exchanged."""
    inside = inside_box(given["y"].to_numpy(), given["x"].to_numpy(), area_box(units))
    return bool(inside.mean() > 0.5)


def guess_system(table: Table, given: DataFrame, units: GeoDataFrame) -> list[tuple[str, tuple[int, float]]]:
    """Return, best first, each system with the rows it puts inside the units they name and the mean metres off."""
    import geopandas as gpd  # noqa: PLC0415

    names = UnitNames.of(units)
    metric = units.geometry.to_crs(metric_crs(units))
    whole = metric.union_all()
    shapes = []
    for row in given.index:
        county = names.county(cells.column(table, "county")[row] or "")
        found = names.units(cells.column(table, "unit")[row] or "", county)
        of_county = units["county_id"].astype(str) == county
        if found:
            shapes.append(metric.loc[sorted(found)].union_all())
        else:
            shapes.append(metric[of_county].union_all() if of_county.any() else whole)
    scores = []
    for name in ("gcj02", "wgs84", "bd09", "cgcs2000"):
        x, y = given["x"].to_numpy(), given["y"].to_numpy()
        if are_metres(x, y).any() != (name == "cgcs2000"):
            continue
        try:
            lon, lat = to_wgs84(x, y, name, central_meridian=_central_meridian(x, y, units))
        except CoordinateSystemError:
            continue
        spots = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=GEOGRAPHIC).to_crs(metric.crs)
        off = spots.distance(gpd.GeoSeries(shapes, crs=metric.crs))
        scores.append((name, (int((off <= 0).sum()), float(off.mean()))))
    if not scores:
        return [("wgs84", (0, float("nan")))]
    return sorted(scores, key=lambda s: (-s[1][0], s[1][1]))
