"""Read where a row says it is: coordinates in the system it declares, or a refusal with a guess."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.errors import CoordinateSystemError, MissingCRSError
from sy_coverage.places.ground.area import area_box, central_meridian, inside_box
from sy_coverage.places.ground.coordinates import are_metres, known_system, to_wgs84
from sy_coverage.places.ground.evidence import fitting_systems, say_doubtful, undeclared_words
from sy_coverage.places.sheets import cells, words

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries
    from pandas import DataFrame, Series

    from sy_coverage.places.sheets.cells import Breaches
    from sy_coverage.places.sheets.tables import Report, Table

_LABEL = re.compile(r"(经度|纬度|longitude|latitude|lng|lon|lat|point)\s*[:=]?", re.IGNORECASE)
_PAIR = re.compile(r"[,;/\s、]+")


def placed(shapes: GeoSeries) -> Series:
    """Return, indexed like `shapes`, which of them are there and not empty."""
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
        if breaches.strict:
            breaches.stop(table.file)
            raise CoordinateSystemError(undeclared_words(table, given[undeclared], units))
        _ask_for_system(table, given[undeclared], units, breaches)
        found &= ~undeclared
    points = pd.DataFrame({"lon": np.nan, "lat": np.nan, "system": system.where(found)}, index=given.index)
    _refuse_impossible(table, given, found, breaches)
    _refuse_metres(table, given, found & (system != "cgcs2000"), breaches)
    usable = found & given["possible"]
    for name in sorted(set(system[usable])):
        here = usable & (system == name)
        x, y = given.loc[here, "x"].to_numpy(), given.loc[here, "y"].to_numpy()
        meridian = central_meridian(x, y, units) if name == "cgcs2000" else None
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
    meridian = central_meridian(x, y, units) if name == "cgcs2000" else None
    if are_metres(x, y).any():
        report.say(table.file, "", "metres_read", name, "" if meridian is None else f"{meridian:g}")
    lon, lat = to_wgs84(x, y, name, central_meridian=meridian)
    report.say(table.file, "", "coordinates_read", name, int(there.sum()))
    if units is not None:
        say_doubtful(table, np.ones(len(shapes), dtype=bool), x, y, name, units, report)
    system_column = pd.Series(name, index=shapes.index, dtype=object).where(there, None)
    return pd.DataFrame({"lon": lon, "lat": lat, "system": system_column}, index=shapes.index)


def _pair(cell: str) -> tuple[str, str]:
    """Return longitude and latitude as a cell writes them, whatever brackets and words stand about them."""
    text = unicodedata.normalize("NFKC", cell).strip()
    labels = _LABEL.findall(text)
    text = _LABEL.sub(" ", text).strip(" ()[]{}【】<>;,")
    parts = [part for part in _PAIR.split(text) if part]
    if len(parts) != 2:
        return "", ""
    is_turned = bool(labels) and labels[0].casefold() in ("纬度", "lat", "latitude")
    return (parts[1], parts[0]) if is_turned else (parts[0], parts[1])


def _written(table: Table, breaches: Breaches, report: Report) -> DataFrame:
    """Return the numbers `x` and `y` as written in the table, NaN where a row has no pair."""
    if "lonlat" in table.headers and not {"lon", "lat"} <= set(table.headers):
        pairs = cells.column(table, "lonlat").map(_pair)
        first, second = pairs.str[0], pairs.str[1]
        headers = ("lonlat", "lonlat")
    else:
        headers = ("lon", "lat") if {"lon", "lat"} <= set(table.headers) else ("x", "y")
        first, second = cells.column(table, headers[0]), cells.column(table, headers[1])
    values = {}
    for axis, header, column in (("x", headers[0], first), ("y", headers[1], second)):
        numbers = column.map(lambda c: None if words.is_blank(c) else words.angle(c)).astype("float64")
        wrong = ~column.map(words.is_blank).astype(bool) & ~np.isfinite(numbers)
        for row in column.index[wrong]:
            called = table.headers.get(header, header)
            breaches.row(
                table,
                row,
                "coordinates_unread",
                f"column '{called}' is no coordinate",
                field="geometry",
                written=column[row],
                subject=called,
                value=column[row],
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
    declared = _system_of_headers(table) or declared
    found = []
    for row, cell in by_row.items():
        meant = words.exactly(cell, "coordinate_systems") if cell else declared
        if cell and meant is None:
            breaches.row(
                table,
                row,
                "system_unread",
                "the coordinate system is unknown (say wgs84, cgcs2000, gcj02 or bd09)",
                field="coordinate_system",
                written=cell,
                subject=cell,
            )
        found.append(meant)
    return pd.Series(found, index=by_row.index, dtype=object)


def _system_of_headers(table: Table) -> str | None:
    """Return the system that the headers of coordinates name themselves: 经纬度（高德）."""
    for field in ("lonlat", "lon", "lat", "x", "y"):
        noted = words.inside_brackets(table.headers.get(field, ""))
        meant = words.exactly(noted, "coordinate_systems") if noted else None
        if meant is not None:
            return meant
    return None


def _refuse_impossible(table: Table, given: DataFrame, found: Series, breaches: Breaches) -> None:
    """Note pairs that are no place on earth, and say so where exchanging them would make one."""
    x, y = given["x"], given["y"]
    metres = are_metres(x, y)
    impossible = found & ~metres & ((y.abs() > 90) | (x.abs() > 180))
    swapped = impossible & (x.abs() <= 90) & (y.abs() <= 180)
    for row in given.index[swapped]:
        _ask_swapped(table, row, x[row], y[row], breaches)
    for row in given.index[impossible & ~swapped]:
        pair = f"{x[row]:g}, {y[row]:g}"
        breaches.row(
            table,
            row,
            "coordinates_impossible",
            "no place on earth has such coordinates",
            field="geometry",
            written=pair,
            subject=pair,
        )
    given["possible"] = ~impossible


def _refuse_metres(table: Table, given: DataFrame, in_degrees: Series, breaches: Breaches) -> None:
    """Note pairs that are metres though a system of degrees was declared for them; they are no longer `possible`."""
    metres = in_degrees & given["possible"] & are_metres(given["x"], given["y"])
    for row in given.index[metres]:
        pair = f"{given['x'][row]:.12g}, {given['y'][row]:.12g}"
        breaches.row(
            table,
            row,
            "coordinates_metres",
            'metres stand where degrees are declared; declare coordinate_system = "cgcs2000"',
            field="geometry",
            written=pair,
            subject=pair,
        )
    given["possible"] &= ~metres


def _ask_swapped(table: Table, row: object, x: float, y: float, breaches: Breaches) -> None:
    pair = f"{x:.6g}, {y:.6g}"
    breaches.row(
        table,
        row,
        "coordinates_swapped",
        "longitude and latitude look swapped: exchange the two columns",
        field="geometry",
        written=pair,
        subject=pair,
    )


def _ask_for_system(table: Table, given: DataFrame, units: GeoDataFrame | None, breaches: Breaches) -> None:
    """Ask once what the undeclared coordinates of a table are in, with the system that fits best as a suggestion."""
    likely = ""
    if units is not None:
        best, *others = fitting_systems(table, given, units)
        as_good = any((fit.inside, fit.off_m) == (best.inside, best.off_m) for fit in others)
        likely = best.system if best.inside and not as_good else ""
    breaches.ask(
        table,
        "",
        "coordinates_undeclared",
        field="coordinate_system",
        value=str(len(given)),
        suggestion=likely,
        subject=likely or "—",
    )


def _refuse_swapped(table: Table, points: DataFrame, units: GeoDataFrame, breaches: Breaches) -> None:
    box = area_box(units)
    lon, lat = points["lon"].to_numpy(), points["lat"].to_numpy()
    swapped = ~inside_box(lon, lat, box) & inside_box(lat, lon, box)
    for row in points.index[swapped]:
        _ask_swapped(table, row, points.loc[row, "lon"], points.loc[row, "lat"], breaches)
    if not breaches.strict:
        points.loc[swapped, ["lon", "lat"]] = np.nan
