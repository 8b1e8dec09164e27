"""Say how much of each unit a catchment holds: of its area, its elders and its villages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from sy_coverage._frames import metric_crs
from sy_coverage.errors import FrameError, MissingCRSError, some

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.roads.graph.links import Array


COLUMNS = ("area_km2", "area_share", "elders", "elder_share", "villages", "village_share")


def catchment_overlap(catchments: GeoDataFrame, units: GeoDataFrame, demand: GeoDataFrame) -> DataFrame:
    """Return for each catchment and each unit it touches how much of the unit lies in the drawing.

    It describes the drawing. Who is covered is decided by travel times: a village may lie in the drawing of a road that
    it cannot reach in time, and the other way round. Catchments overlap each other, so shares of a unit do not add up.

    Parameters
    ----------
    catchments
        As `RoadNetwork.catchments` returns them, indexed by (`facility_id`, `cutoff_min`).
    units
        Polygons indexed by `unit_id`.
    demand
        Points with `elders` and `unit_id`: a village counts for the unit it belongs to.

    Returns
    -------
    overlap
        Indexed by (`facility_id`, `cutoff_min`, `unit_id`), sorted: `area_km2` and `area_share` (of the unit's area),
        `elders` and `elder_share` (of the unit's elders, missing where it has none), `villages` and `village_share`.

    Raises
    ------
    MissingCRSError
        If a frame has no CRS.
    FrameError
        If ids repeat, columns are missing, or a demand point belongs to no unit of `units`.
    """
    _require(catchments, units, demand)
    if units.empty:  # and so is the demand
        return _table([np.zeros(0)] * len(COLUMNS), [[], [], []])
    crs = metric_crs(units)
    sheds, places = catchments.sort_index().to_crs(crs), units.sort_index().to_crs(crs)
    demand = demand.sort_index()
    shapes, ground = np.asarray(sheds.geometry), np.asarray(places.geometry)
    shed, unit, km2 = _common(shapes, ground)
    parts = [pd.DataFrame({"shed": shed, "unit": unit, "area_km2": km2})]
    at = np.asarray(demand.to_crs(crs).geometry)
    known = np.flatnonzero(~shapely.is_missing(at))
    point, shed = shapely.STRtree(shapes).query(at[known], predicate="intersects")
    owner = places.index.get_indexer(demand["unit_id"].astype(str))
    elders = demand["elders"].to_numpy(float)
    point = known[point]
    parts.append(pd.DataFrame({"shed": shed, "unit": owner[point], "elders": elders[point], "villages": 1}))
    table = pd.concat(parts).groupby(["shed", "unit"], sort=True)[["area_km2", "elders", "villages"]].sum()
    which, unit = (table.index.get_level_values(level).to_numpy() for level in ("shed", "unit"))
    count = len(places)
    people = np.bincount(owner, elders, minlength=count)[unit]
    settled = np.bincount(owner, minlength=count)[unit]
    return _table(
        [
            table["area_km2"],
            _share(table["area_km2"], (shapely.area(ground) / 1e6)[unit]),
            table["elders"],
            _share(table["elders"], people),
            table["villages"],
            _share(table["villages"], settled),
        ],
        [*(sheds.index.get_level_values(level)[which] for level in (0, 1)), places.index[unit]],
    )


def _table(columns: list[Any], levels: list[Any]) -> DataFrame:
    index = pd.MultiIndex.from_arrays(levels, names=["facility_id", "cutoff_min", "unit_id"])
    values = dict(zip(COLUMNS, map(np.asarray, columns), strict=True))
    return pd.DataFrame(values, index=index).astype({"villages": np.int64}).sort_index()


def _common(shapes: Array, ground: Array) -> tuple[Array, Array, Array]:
    """Return the pairs of a shape and a unit that meet, and the km² they have in common."""
    shapely.prepare(shapes)
    shed, unit = shapely.STRtree(ground).query(shapes, predicate="intersects")
    # most units lie wholly in the drawing or out of it: only those on its outline need to be cut
    whole = shapely.covers(shapes[shed], ground[unit])
    km2 = shapely.area(ground[unit]) / 1e6
    cut = ~whole
    km2[cut] = shapely.area(shapely.intersection(shapes[shed[cut]], ground[unit[cut]])) / 1e6
    return shed, unit, km2


def _share(part: Any, whole: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Array = np.where(whole > 0, np.asarray(part, float) / whole, np.nan)
    return share


def _require(catchments: GeoDataFrame, units: GeoDataFrame, demand: GeoDataFrame) -> None:
    for name, frame in (("catchments", catchments), ("units", units), ("demand", demand)):
        if frame.crs is None:
            raise MissingCRSError(f"{name}: has no CRS; set it with .set_crs()")
        if not frame.index.is_unique:
            twice = frame.index[frame.index.duplicated()].unique()
            raise FrameError(name, [f"ids must be unique, these repeat: {some(twice)}"])
    lacking = [column for column in ("elders", "unit_id") if column not in demand.columns]
    if lacking:
        raise FrameError("demand", [f"columns are missing: {some(lacking)}"])
    homeless = demand.index[~demand["unit_id"].isin(units.index)]
    if len(homeless):
        raise FrameError("demand", [f"unit_id names no unit for {some(homeless)}"])
