"""Place villages that a list gives by name only: by a layer of villages, else spread over their unit by a stated rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from sy_coverage._frames import GEOGRAPHIC, metric_crs, require_crs
from sy_coverage.places.ground.names import UnitNames, same, short_village
from sy_coverage.places.ground.points import placed
from sy_coverage.places.sheets.tables import Report

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

BY_NAME, ESTIMATED = "by_name", "estimated"
"""What `position_quality` says of a village that a layer knows by name, and of one that is spread over its unit."""
_MOST_TRIED = 200_000
"""Points of the sequence; only a unit that is no more than a line holds fewer of them than it has villages."""


def placed_by_name(
    villages: GeoDataFrame,
    units: GeoDataFrame,
    *,
    positions: GeoDataFrame | None = None,
    spots: GeoDataFrame | None = None,
) -> GeoDataFrame:
    """Return `villages` with a point for each that had none.

    First by its name among `positions`: in its unit, in full or without 村 or 社区, where one only is called so. Else by the rule:
    the villages of a unit, in the order of their names, take the first points of the Halton sequence (bases 2 and 3, over the
    unit's box) that lie in the unit, so that they are spread evenly over it; with `spots`, each is moved to the nearest of
    these in the unit, one for each as long as there are enough. A village of no known unit is spread over its county, or over all
    units if that is not known either, and stays without a unit.

    Parameters
    ----------
    villages
        Demand frame, geometry None where a row has no point; `name`, `unit_id`, `county_id` as `assign_units` returns them.
    units
        Units frame.
    positions
        Points with `name` and `unit_id`, such as a layer of villages that `read_demand` and `assign_units` returned.
    spots
        Points where people can live, such as junctions of roads.

    Returns
    -------
    placed
        Same index, EPSG:4326, a point each; `position_quality` is ``by_name`` or ``estimated`` in the rows that had none.
        ``.attrs["report"]`` says how many of each there are, by unit.

    Raises
    ------
    MissingCRSError
        If a frame has no CRS.
    """
    require_crs(villages, "demand")
    frame = villages.to_crs(GEOGRAPHIC)
    lacking = ~placed(frame.geometry)
    report = Report()
    if lacking.any():
        rows = frame[lacking]
        points = (
            _known(rows, positions)
            if positions is not None
            else pd.Series(None, index=rows.index, dtype=object)
        )
        quality = pd.Series(np.where(points.notna(), BY_NAME, ESTIMATED), index=rows.index, dtype=object)
        points = points.where(points.notna(), _spread(rows[points.isna()], units, spots).reindex(rows.index))
        geometry = frame.geometry.copy()
        geometry.loc[rows.index] = gpd.GeoSeries(points, index=rows.index, crs=GEOGRAPHIC)
        frame = frame.set_geometry(geometry)
        before = frame.get("position_quality", pd.Series(None, index=frame.index, dtype=object)).astype(
            object
        )
        frame["position_quality"] = before.where(~lacking, quality.reindex(frame.index))
        for found in (BY_NAME, ESTIMATED):
            if (quality == found).any():
                report.say("", "", f"villages_{found}", "", int((quality == found).sum()))
    frame.attrs = dict(villages.attrs) | {"report": report.frame()}
    return frame


def _known(rows: GeoDataFrame, positions: GeoDataFrame) -> pd.Series:
    """Return the point of each row that one village of its unit is called like, else None."""
    layer = positions.to_crs(GEOGRAPHIC)
    layer = layer[layer["name"].notna() & placed(layer.geometry)]
    index: dict[tuple[str, str], set[int]] = {}
    for at, (name, unit_id) in enumerate(zip(layer["name"], layer["unit_id"], strict=True)):
        if unit_id is None or pd.isna(unit_id):
            continue
        for called in {same(str(name)), short_village(same(str(name)))}:
            index.setdefault((str(unit_id), called), set()).add(at)
    spots = layer.geometry.to_numpy()
    found = []
    for name, unit_id in zip(rows["name"], rows["unit_id"], strict=True):
        full = same(str(name)) if isinstance(name, str) else ""
        meant = index.get((str(unit_id), full)) or index.get((str(unit_id), short_village(full)), set())
        found.append(spots[next(iter(meant))] if full and len(meant) == 1 else None)
    return pd.Series(found, index=rows.index, dtype=object)


@dataclass(frozen=True)
class _Area:
    """One area in metres, and the spots in it."""

    shape: object
    spots: NDArray[np.float64]


def _spread(rows: GeoDataFrame, units: GeoDataFrame, spots: GeoDataFrame | None) -> pd.Series:
    """Return a point for each of `rows` inside its unit, or else its county, or else all units, in degrees."""
    crs = metric_crs(units)
    shapes = units.geometry.to_crs(crs).sort_index()
    county_of = UnitNames.of(units).county_of
    known = (
        np.empty((0, 2)) if spots is None else shapely.get_coordinates(spots.geometry.to_crs(crs).to_numpy())
    )
    found: dict[object, NDArray[np.float64]] = {}
    where = [
        (str(unit) if unit in county_of else "", str(county) if county in set(county_of.values()) else "")
        for unit, county in zip(rows["unit_id"], rows["county_id"], strict=True)
    ]
    names = [str(name) for name in rows["name"]]
    order = sorted(range(len(rows)), key=lambda n: (where[n], names[n], str(rows.index[n])))
    for place in sorted(set(where)):
        unit, county = place
        inside = [i for i, c in county_of.items() if i == unit or (not unit and county in ("", c))]
        area = shapely.union_all(shapes.loc[sorted(inside)].to_numpy())
        here = known[shapely.contains_xy(area, known[:, 0], known[:, 1])] if len(known) else known
        members = [n for n in order if where[n] == place]
        for n, spot in zip(members, _even(_Area(area, here), len(members)), strict=True):
            found[rows.index[n]] = spot
    xy = np.array([found[i] for i in rows.index]).reshape(-1, 2)
    points = gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]), index=rows.index, crs=crs).to_crs(
        GEOGRAPHIC
    )
    return pd.Series(points.to_numpy(), index=rows.index, dtype=object)


def _even(area: _Area, count: int) -> NDArray[np.float64]:
    """Return `count` points spread evenly over an area, moved to its spots where there are any."""
    west, south, east, north = shapely.bounds(area.shape)
    shapely.prepare(area.shape)
    chosen, begun = np.empty((0, 2)), 1
    while len(chosen) < count and begun < _MOST_TRIED:
        step = np.arange(begun, begun + max(64, 4 * count))
        x = west + _radical_inverse(step, 2) * (east - west)
        y = south + _radical_inverse(step, 3) * (north - south)
        inside = shapely.contains_xy(area.shape, x, y)
        chosen = np.concatenate([chosen, np.column_stack([x, y])[inside]])
        begun += len(step)
    middle = shapely.get_coordinates(shapely.point_on_surface(area.shape))
    chosen = np.concatenate([chosen, np.repeat(middle, count, axis=0)])[:count]
    if not len(area.spots):
        return chosen
    free = np.ones(len(area.spots), dtype=bool)
    for n, spot in enumerate(chosen):
        if not free.any():
            free[:] = True
        away = np.where(free, np.hypot(*(area.spots - spot).T), np.inf).round(3)
        at = int(np.argmin(away))
        free[at] = False
        chosen[n] = area.spots[at]
    return chosen


def _radical_inverse(numbers: NDArray[np.int64], base: int) -> NDArray[np.float64]:
    """Return the numbers' digits in `base` mirrored at the point: one coordinate of the Halton sequence, in 0..1."""
    left, part, value = numbers.copy(), 1.0, np.zeros(len(numbers))
    while left.any():
        part /= base
        value += part * (left % base)
        left //= base
    return value
