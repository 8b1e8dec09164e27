"""Bring the areas of a layer into WGS84 degrees, whatever system they are drawn in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj.exceptions import CRSError

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.errors import CoordinateSystemError, GeometryError, MissingCRSError, some
from sy_coverage.places.ground.coordinates import are_metres, known_system, to_wgs84

if TYPE_CHECKING:
    from geopandas import GeoSeries

    from sy_coverage.places.sheets.tables import Report, Table

WIDEST_DEGREES = 90.0
"""Units that span more than this cross the antimeridian or are no study area."""
NORTHERNMOST = 84.0
"""Beyond this latitude there is no projection for a study."""
_EPSG = re.compile(r"epsg:\d{4,6}", re.IGNORECASE)


def valid_areas(table: Table, report: Report, coordinate_system: str | None) -> GeoSeries:
    """Return the areas of a layer in WGS84 degrees, made valid, without what has no area.

    Raises
    ------
    GeometryError
        If the table is no layer of areas.
    MissingCRSError, CoordinateSystemError
        As `in_degrees`.
    """
    if table.geometry is None:
        raise GeometryError(f"{table.file}: a table without areas; give a GeoPackage, GeoJSON or shapefile")
    shapes = in_degrees(table, report, coordinate_system)
    valid = shapely.make_valid(shapes.to_numpy())
    kept = shapely.area(valid) > 0
    if not kept.any():
        raise GeometryError(f"{table.file}: holds no areas; give a layer of polygons")
    return type(shapes)(valid[kept], index=shapes.index[kept], crs=shapes.crs)


def in_degrees(table: Table, report: Report, coordinate_system: str | None) -> GeoSeries:
    """Return the shapes of a layer in WGS84 degrees, in two dimensions.

    Parameters
    ----------
    coordinate_system
        What the vertices are in, where the layer does not say, or says it wrongly: one of the four systems (``cgcs2000``
        also in Gauss–Kruger metres with a zone number), or a code such as ``EPSG:4546``.

    Raises
    ------
    MissingCRSError
        If neither the layer nor `coordinate_system` says it.
    CoordinateSystemError
        If the system is unknown, or its metres do not tell their zone.
    GeometryError
        If what results is no place on earth, or too large.
    """
    shapes = table.geometry
    assert shapes is not None  # noqa: S101  (the caller has looked)
    if coordinate_system is not None and _EPSG.fullmatch(coordinate_system.strip()):
        shapes = _declared(shapes, coordinate_system.strip())
        report.say(table.file, "", "system_declared", "", coordinate_system.strip())
        coordinate_system = None
    system = None if coordinate_system is None else known_system(coordinate_system)
    if shapes.crs is None and system is None:
        raise MissingCRSError(
            f"{table.file}: no coordinate system is declared; say which one, for example "
            'coordinate_system = "cgcs2000"'
        )
    if shapes.crs is None:
        shapes = shapes.set_crs(GEOGRAPHIC)
    if system is None:
        report.say(table.file, "", "system_from_file", "", shapes.crs.name)
    if not shapes.crs.is_geographic:
        shapes = shapes.to_crs(GEOGRAPHIC)
    flat = shapely.force_2d(shapes.to_numpy())
    if system is not None and system != "wgs84":
        flat = _converted(flat, system, table, report)
    _check_degrees(flat, shapes, table)
    return type(shapes)(flat, index=shapes.index, crs=GEOGRAPHIC)


def _declared(shapes: GeoSeries, code: str) -> GeoSeries:
    """Return shapes under the CRS that was declared for them."""
    try:
        return shapes.set_crs(code, allow_override=True)
    except CRSError:
        raise CoordinateSystemError(f"coordinate_system = '{code}': there is no such EPSG code") from None


def _converted(flat: Any, system: str, table: Table, report: Report) -> Any:
    """Return shapes with every vertex converted from one of the four systems."""
    corners = shapely.get_coordinates(flat)
    metres = are_metres(corners[:, 0], corners[:, 1]).any()

    def moved(vertices: Any) -> Any:
        return np.column_stack(to_wgs84(vertices[:, 0], vertices[:, 1], system))

    try:
        flat = shapely.transform(flat, moved)
    except CoordinateSystemError as error:
        if "no zone number" not in str(error):
            raise CoordinateSystemError(f"{table.file}: {error}") from None
        raise CoordinateSystemError(
            f"{table.file}: its metres carry no zone number; say which projection they are in, for example "
            'coordinate_system = "EPSG:4546" (CGCS2000, 3-degree zone of 111° E)'
        ) from None
    if metres:
        report.say(table.file, "", "metres_read", system)
    report.say(table.file, "", "vertices_converted", system, len(corners))
    return flat


def _check_degrees(flat: Any, shapes: GeoSeries, table: Table) -> None:
    count = int(shapely.get_num_coordinates(flat).sum())
    most = table.limits.vertices
    if count > most:
        raise GeometryError(
            f"{table.file}: {count:,} vertices; at most {most:,} are read. Simplify the boundaries, or "
            f"{table.limits.more('vertices')}"
        )
    bounds = shapely.bounds(flat)
    wrong = (np.abs(bounds[:, [1, 3]]).max(axis=1) > 90) | (np.abs(bounds[:, [0, 2]]).max(axis=1) > 180)
    if wrong.any():
        raise GeometryError(
            f"{table.file}: rows {some(shapes.index[wrong])} lie at no degrees of longitude and latitude; the axes look "
            "swapped, or the declared coordinate system is wrong"
        )
    west, south, east, north = shapely.total_bounds(flat)
    if east - west > WIDEST_DEGREES or max(abs(south), abs(north)) > NORTHERNMOST:
        raise GeometryError(
            f"{table.file}: the units span {west:.1f} to {east:.1f} degrees of longitude and {south:.1f} to {north:.1f} of "
            "latitude; areas across the antimeridian or at a pole are not supported"
        )
