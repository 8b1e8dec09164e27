"""Read where people live from a raster or from settled areas: points inside the units, whose sums are the source's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from sy_coverage import _files
from sy_coverage._frames import GEOGRAPHIC, metric_crs, require_crs
from sy_coverage.errors import FrameError, GeometryError, InputError
from sy_coverage.places.ground.area import area_box
from sy_coverage.places.ground.shapes import valid_areas
from sy_coverage.places.sheets.doubts.doubtful import Doubt, doubts_frame
from sy_coverage.places.sheets.tables import Report, read_table

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from sy_coverage._files import Raster

    Floats = NDArray[np.float64]

CELL_M = 1000.0
"""Raster cells are gathered into points of this mesh unless another is asked for."""
MOST_PERSONS = 1e7
"""No cell of any raster has more people: larger numbers are what some programs write where nothing is known."""
LARGE_M2 = 1e6
"""A settled area above this is said where one point stands for it …"""
CUT_M2 = 4e6
"""… and above this it is cut along a mesh of `CUT_M`, each part a point."""
CUT_M = 2000.0
_NOTHING = 0.001
"""A share of a unit's area below which it is nothing: borders of units and rasters never fit to the metre."""
_MARGIN_M = 100.0
_CLOSE = 1e-9
"""Sums agree when they differ by less than this share: the rounding of floating point."""


def read_raster(
    path: str | os.PathLike[str],
    *,
    units: GeoDataFrame,
    cell_m: float = CELL_M,
    band: int = 1,
    nodata: float | None = None,
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
    nodata
        The value that means that nothing is known, where the file does not declare it.

    Returns
    -------
    people
        Indexed by `demand_id` (``<unit_id>-1``, …, from the north-west), EPSG:4326: `persons` (above 0), `unit_id`,
        `county_id`, geometry. Their sum over each unit is the raster's. ``.attrs["report"]`` says which band was read, how many
        persons lie in units, and how many of the window around them do not; ``.attrs["doubts"]`` names the units that lie
        outside the raster or half outside, and those in which it knows nobody.

    Raises
    ------
    InputError
        If `cell_m` is not above 0, a cell is negative, endless or holds more persons than can be, or the highest number of the
        file's type, of which it does not say that it means nothing; or if there is nobody inside the units.
    ConfigError, MissingFileError, UnreadableFileError, MissingCRSError
        If the extra ``raster`` is not installed, or the file cannot be read.
    """
    if not (math.isfinite(cell_m) and cell_m > 0):
        raise InputError(f"cell_m = {cell_m}: say metres above 0")
    require_crs(units, "units")
    raster = _files.read_raster(path, box=area_box(units, _MARGIN_M), band=band)
    name = Path(path).name
    persons = _persons(raster, name, nodata)
    cells = np.flatnonzero(persons > 0)
    columns = raster.shape[1]
    x = np.asarray(raster.west + (cells % columns + 0.5) * raster.width, dtype=np.float64)
    y = np.asarray(raster.north - (cells // columns + 0.5) * raster.height, dtype=np.float64)
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
    report.say(name, "", "raster_band", raster.band_name, f"{band} / {raster.bands}")
    report.say(name, "", "raster_read", f"{math.fsum(people[inside]):.1f}", len(points))
    if not inside.all():
        report.say(name, "", "raster_outside", "", f"{math.fsum(people[~inside]):.1f}")
    points.attrs["report"] = report.frame()
    points.attrs["doubts"] = doubts_frame(_uncovered(raster, name, units, set(points["unit_id"])))
    return points


def _persons(raster: Raster, name: str, nodata: float | None) -> Floats:
    """Return the persons of every cell, NaN where nothing is known, or refuse values that no count of people has."""
    persons = raster.values.astype("float64").ravel()  # noqa: PD011  (of a raster, not of a frame)
    if nodata is not None:
        persons[np.isin(persons, (nodata, float(np.float32(nodata))))] = np.nan
    how = "declare it in the file, or say nodata = … under [demand]"
    if (persons < 0).any():
        raise InputError(
            f"{name}: {int((persons < 0).sum()):,} cells are negative; if that means no data, {how}"
        )
    high = persons[persons > MOST_PERSONS]
    if len(high):
        raise InputError(
            f"{name}: {len(high):,} cells hold {high[0]:g} persons; if that means no data, {how}"
        )
    highest = raster.undeclared if nodata is None else None
    if highest is not None and (persons == highest).any():
        raise InputError(
            f"{name}: {int((persons == highest).sum()):,} cells hold {highest:g}, the highest number of the file's type, and "
            f"the file does not say what means no data; if it does, {how} (nodata = -1: it is a count)"
        )
    return persons


def _uncovered(raster: Raster, name: str, units: GeoDataFrame, peopled: set[str]) -> Iterator[Doubt]:
    """Yield a doubt for each kind of unit of which the raster knows nothing or only a part, naming the units."""
    rows, columns = raster.shape
    extent = shapely.box(
        raster.west,
        raster.north - rows * raster.height,
        raster.west + columns * raster.width,
        raster.north,
    )
    shapes = units.to_crs(raster.crs).sort_index()
    # shares of one shape are the same in degrees and metres, to well below what is nothing
    areas = shapes.geometry.to_numpy()
    inside = pd.Series(shapely.area(shapely.intersection(areas, extent)) / shapely.area(areas), shapes.index)
    nobody = ~shapes.index.isin(list(peopled))
    kinds = {
        "raster_lacks": inside < _NOTHING,
        "raster_in_part": (inside >= _NOTHING) & (inside < 1 - _NOTHING),
        "raster_nobody": (inside >= 1 - _NOTHING) & nobody,
    }
    for kind, here in kinds.items():
        rows_here = zip(shapes["county"][here], shapes["name"][here], inside[here], strict=True)
        part = "（{:.0%}）".format if kind == "raster_in_part" else (lambda _: "")
        named = [f"{county}{unit}{part(share)}" for county, unit, share in rows_here]
        if named:
            yield Doubt(kind=kind, list="demand", file=name, subject="、".join(named), value=str(len(named)))


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

    Ground that several areas hold counts once; areas above `CUT_M2` are cut along a mesh of `CUT_M` metres first.

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
    crs = metric_crs(units)
    shapes = valid_areas(table, report, coordinate_system).to_crs(crs).to_numpy()
    shapes, doubled_m2 = _apart(shapes)
    if doubled_m2 > 0:
        report.say(table.file, "", "settled_overlaps", "", f"{doubled_m2 / 1e6:.3f}")
    shapes = _cut(shapes)
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
    if (area > LARGE_M2).any():
        report.say(table.file, "", "settled_large", int((area > LARGE_M2).sum()), f"{area.max() / 1e6:.2f}")
    report.say(table.file, "", "settled_read", f"{area.sum() / 1e6:.3f}", len(frame))
    frame.attrs["report"] = report.frame()
    return frame


def _apart(shapes: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Return shapes without what an earlier one holds already, and how many square metres that is."""
    earlier, later = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = earlier < later
    earlier, later = earlier[pairs], later[pairs]
    double = shapely.area(shapely.intersection(shapes[earlier], shapes[later])) > 0
    earlier, later = earlier[double], later[double]
    found, before = shapes.copy(), float(shapely.area(shapes).sum())
    for one in np.unique(later):
        found[one] = shapely.difference(shapes[one], shapely.union_all(shapes[earlier[later == one]]))
    return found, before - float(shapely.area(found).sum()) if len(later) else 0.0


def _cut(shapes: NDArray[Any]) -> NDArray[Any]:
    """Return shapes with the large ones cut along a mesh, so that one point never stands for a whole town."""
    parts: list[Any] = []
    for shape in shapes:
        if shapely.area(shape) <= CUT_M2:
            parts.append(shape)
            continue
        west, south, east, north = np.floor(np.array(shapely.bounds(shape)) / CUT_M)
        x, y = np.meshgrid(np.arange(west, east + 1) * CUT_M, np.arange(south, north + 1) * CUT_M)
        pieces = shapely.intersection(shapely.box(x, y, x + CUT_M, y + CUT_M).ravel(), shape)
        parts += list(pieces[shapely.area(pieces) > 0])
    return np.array(parts, dtype=object)


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
