"""Read where people live from a raster or from settled areas: points inside the units, whose sums are the source's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from sy_coverage import _files
from sy_coverage._frames import GEOGRAPHIC, metric_crs, require_crs
from sy_coverage.errors import FrameError, GeometryError, InputError
from sy_coverage.places.ground.area import area_box
from sy_coverage.places.ground.shapes import in_degrees
from sy_coverage.places.sheets.tables import Report, read_table

if TYPE_CHECKING:
    import os

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CELL_M = 1000.0
"""Raster cells are gathered into points of this mesh unless another is asked for."""
_MARGIN_M = 100.0
_CLOSE = 1e-9
"""Sums agree when they differ by less than this share: the rounding of floating point."""


def read_raster(
    path: str | os.PathLike[str], *, units: GeoDataFrame, cell_m: float = CELL_M, band: int = 1
) -> GeoDataFrame:
    """Return the people of a raster (GeoTIFF, such as WorldPop's persons a cell) as points inside `units`.

    A cell belongs to the unit that holds its middle (on a shared edge the lowest id). The cells of a unit are gathered
    in a mesh of `cell_m` metres; each mesh is one point, at the middle of the cell nearest to its people's centre.

    Parameters
    ----------
    path
        GeoTIFF of people in each cell, with its CRS.
    units
        Units frame.
    cell_m
        Width of the mesh in metres, above 0.
    band
        Which band of the raster.

    Returns
    -------
    people
        Indexed by `demand_id` (``<unit_id>-1``, …, from the north-west), EPSG:4326: `persons` (above 0), `unit_id`,
        `county_id`, geometry. Their sum over each unit is the raster's. ``.attrs["report"]`` says how many persons lie in
        units, and how many of the window around them do not.

    Raises
    ------
    InputError
        If `cell_m` is not above 0, a cell is negative, or there is nobody inside the units.
    ConfigError, MissingFileError, UnreadableFileError, MissingCRSError
        If the extra ``raster`` is not installed, or the file cannot be read.
    """
    if not (math.isfinite(cell_m) and cell_m > 0):
        raise InputError(f"cell_m = {cell_m}: say metres above 0")
    require_crs(units, "units")
    raster = _files.read_raster(path, box=area_box(units, _MARGIN_M), band=band)
    name = Path(path).name
    band_values = raster.values  # noqa: PD011  (of a raster, not of a frame)
    persons = band_values.astype("float64").ravel()
    if (persons < 0).any():
        raise InputError(
            f"{name}: {int((persons < 0).sum()):,} cells are negative; declare the value that means no data in the file"
        )
    cells = np.flatnonzero(persons > 0)
    columns = band_values.shape[1]
    x = raster.west + (cells % columns + 0.5) * raster.width
    y = raster.north - (cells // columns + 0.5) * raster.height
    owner = _owners(units.to_crs(raster.crs).sort_index(), x, y)
    inside = owner >= 0
    if not inside.any():
        raise InputError(
            f"{name}: nobody lives inside the units; is it the right raster, and its right band?"
        )
    metric = metric_crs(units)
    east, north = Transformer.from_crs(raster.crs, metric, always_xy=True).transform(x[inside], y[inside])
    people = persons[cells]
    points = _meshed(units, owner[inside], np.asarray(east), np.asarray(north), people[inside], cell_m)
    _check_sum(name, points["persons"].to_numpy(), people[inside])
    report = Report()
    report.say(name, "", "raster_read", f"{math.fsum(people[inside]):.1f}", len(points))
    if not inside.all():
        report.say(name, "", "raster_outside", "", f"{math.fsum(people[~inside]):.1f}")
    points.attrs["report"] = report.frame()
    return points


def _owners(units: GeoDataFrame, x: Floats, y: Floats) -> NDArray[np.int64]:
    """Return the position of the unit that holds each point, edges to the first, or -1."""
    owner = np.full(len(x), -1, dtype="int64")
    for position, shape in enumerate(units.geometry):
        west, south, east, north = shape.bounds
        near = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north) & (owner < 0))
        shapely.prepare(shape)
        owner[near[shapely.intersects_xy(shape, x[near], y[near])]] = position
    return owner


def _meshed(
    units: GeoDataFrame, owner: NDArray[np.int64], east: Floats, north: Floats, persons: Floats, cell_m: float
) -> GeoDataFrame:
    """Return one point for the cells of each unit in each mesh, ordered by unit, then from the north-west."""
    ordered = units.sort_index()
    row, column = np.floor(-north / cell_m), np.floor(east / cell_m)
    order = np.lexsort((east, -north, column, row, owner))
    key = np.column_stack([owner, row, column])[order]
    first = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]).any(axis=1)])
    group = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(order)]))
    weight, x, y = persons[order], east[order], north[order]
    total = np.add.reduceat(weight, first)
    middle_x = (np.add.reduceat(weight * x, first) / total)[group]
    middle_y = (np.add.reduceat(weight * y, first) / total)[group]
    # the middle of a bent unit's cells may lie outside it; a cell never does
    away = np.round(np.hypot(x - middle_x, y - middle_y), 3)
    chosen = np.lexsort((away, group))[first]
    owner = owner[order][first]
    unit_ids = ordered.index.to_numpy()[owner]
    number = np.arange(len(first)) - np.searchsorted(owner, owner) + 1
    return gpd.GeoDataFrame(
        {
            "name": pd.Series([None] * len(first), dtype=object).to_numpy(),
            "persons": total,
            "unit_id": unit_ids.astype(object),
            "county_id": ordered["county_id"].to_numpy()[owner].astype(object),
        },
        geometry=gpd.points_from_xy(x[chosen], y[chosen], crs=metric_crs(units)),
        index=pd.Index([f"{u}-{n}" for u, n in zip(unit_ids, number, strict=True)], name="demand_id"),
    ).to_crs(GEOGRAPHIC)


def _check_sum(name: str, points: Floats, source: Floats) -> None:
    """Raise if the people of the points are not those of the source."""
    got, expected = math.fsum(points), math.fsum(source)
    if abs(got - expected) > _CLOSE * expected:
        raise FrameError("demand", [f"{name}: its points hold {got} persons and its cells {expected}"])


def read_settled(
    path: str | os.PathLike[str],
    *,
    units: GeoDataFrame,
    layer: str | None = None,
    coordinate_system: str | None = None,
    limits: _files.Limits = _files.USUAL,
) -> GeoDataFrame:
    """Return the settled areas of a layer of polygons as points inside `units`, one for each area in each unit.

    Returns
    -------
    settled
        Indexed by `demand_id` (``<unit_id>-1``, …), EPSG:4326: `settled_m2` (square metres, above 0), `unit_id`,
        `county_id`, and a point inside the part of the area that lies in the unit.

    Raises
    ------
    GeometryError
        If the layer has no areas inside the units, or is no layer.
    MissingFileError, UnreadableFileError, MissingCRSError
        If the file cannot be read.
    """
    report = Report()
    table = read_table(path, "units", report, layer=layer, limits=limits)
    if table.geometry is None:
        raise GeometryError(f"{table.file}: a table without areas; give a GeoPackage, GeoJSON or shapefile")
    crs = metric_crs(units)
    shapes = shapely.make_valid(in_degrees(table, report, coordinate_system).to_crs(crs).to_numpy())
    ordered = units.sort_index().to_crs(crs)
    at, owner = ordered.sindex.query(shapes, predicate="intersects")
    parts = shapely.intersection(shapes[at], ordered.geometry.to_numpy()[owner])
    area = shapely.area(parts)
    kept = area > 0
    at, owner, parts, area = at[kept], owner[kept], parts[kept], area[kept]
    if not len(at):
        raise GeometryError(
            f"{table.file}: no settled area lies inside the units; check its coordinate system"
        )
    order = np.lexsort((at, owner))
    owner, parts, area = owner[order], parts[order], area[order]
    spots = gpd.GeoSeries(parts, crs=crs).representative_point().to_crs(GEOGRAPHIC)
    unit_ids = ordered.index.to_numpy()[owner]
    number = np.arange(len(owner)) - np.searchsorted(owner, owner) + 1
    frame = gpd.GeoDataFrame(
        {
            "name": pd.Series([None] * len(owner), dtype=object).to_numpy(),
            "settled_m2": area,
            "unit_id": unit_ids.astype(object),
            "county_id": ordered["county_id"].to_numpy()[owner].astype(object),
        },
        geometry=spots.to_numpy(),
        crs=GEOGRAPHIC,
        index=pd.Index([f"{u}-{n}" for u, n in zip(unit_ids, number, strict=True)], name="demand_id"),
    )
    report.say(table.file, "", "settled_read", f"{area.sum() / 1e6:.3f}", len(frame))
    frame.attrs["report"] = report.frame()
    return frame


def unit_points(units: GeoDataFrame) -> GeoDataFrame:
    """Return one point inside each unit, for a census that says no more than how many live there.

    Returns
    -------
    points
        Indexed by `demand_id` (the unit's id), EPSG:4326: `name`, `unit_id`, `county_id`. ``.attrs["report"]`` says how
        many units are one point.
    """
    ordered = units.to_crs(GEOGRAPHIC).sort_index()
    points = gpd.GeoDataFrame(
        {
            "name": pd.Series(None, index=ordered.index, dtype=object),
            "unit_id": ordered.index.astype(object),
            "county_id": ordered["county_id"].astype(object),
        },
        geometry=ordered.geometry.representative_point(),
        index=ordered.index.rename("demand_id"),
    )
    report = Report()
    report.say("", "", "units_as_points", "", len(points))
    points.attrs["report"] = report.frame()
    return points
