"""Give every facility a point, or the reason why it has none, and the unit it belongs to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd

from sy_coverage._frames import GEOGRAPHIC, metric_crs, require_crs
from sy_coverage.errors import InputError
from sy_coverage.places.ground.addresses import Addresses
from sy_coverage.places.ground.area import area_box, inside_box
from sy_coverage.places.ground.names import same
from sy_coverage.places.ground.points import placed
from sy_coverage.places.locating.providers import Provider

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from geopandas import GeoDataFrame, GeoSeries
    from pandas import DataFrame, Series

BORDER_M = 500.0
"""Borders are generalised: a point so little beyond its county is kept, as a doubt, and not refused."""
EDGE_M = 0.01
"""A point this near to an edge lies on it: reprojecting moves edges by less."""
PRECISIONS = ("point", "village", "town", "county")
_STATUS_RANK = {"located": 4, "approximate": 3, "rejected": 2, "ambiguous": 1, "not_located": 0}
_TEXTS = (
    "located_by",
    "location_precision",
    "location_status",
    "location_reason",
    "location_detail",
    "location_query",
    "coordinate_system",
)


class Source(Protocol):
    """Anything that locates rows: the offline gazetteer, or a map service."""

    @property
    def name(self) -> str:
        """How the source is called in `located_by`."""

    def locate(self, rows: DataFrame) -> DataFrame:
        """Return an answer for each row: indexed like `rows`, columns `addresses.ANSWER_COLUMNS`."""


def geocode(
    facilities: GeoDataFrame,
    sources: Sequence[Source],
    *,
    units: GeoDataFrame,
    accept: Iterable[str] = ("village",),
    chosen: Mapping[str, str] | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> GeoDataFrame:
    """Return `facilities` located: given coordinates first, then each of `sources` for the rows still open.

    Parameters
    ----------
    facilities
        Facilities or candidates frame; rows with geometry keep it.
    sources
        Asked in this order. A better answer of a later source replaces an approximate one of an earlier.
    units
        Units frame; `unit_named` and `county_named` of the rows are looked up in it first.
    accept
        Precisions that may set a point, of ``"village"``, ``"town"``; a coarser match is ``not_located``, too_coarse.
    chosen
        Id of a row to the place that is meant where several are: as it is called in `location_detail`. A choice that is
        none of them changes nothing; the row stays ``ambiguous``.
    cache
        SQLite file that keeps the answers of map services: killed and run again, nothing is asked twice.

    Returns
    -------
    located
        Same index, EPSG:4326, with `located_by`, `location_precision`, `location_status`, `location_reason` (the id of
        a label ``places.doubt_title_<id>``), `location_detail`, `location_query` and, of map services,
        `location_time` (when the answer was received, UTC). A point outside the row's county is
        ``rejected``, its distance in km in `location_detail`; one no more than `BORDER_M` outside is kept, with the reason
        ``beyond_border`` and its distance in metres.

    Raises
    ------
    InputError
        If `accept` names an unknown precision.
    MissingCRSError
        If a frame has no CRS.
    OfflineError, ServiceStoppedError
        If a map service cannot be asked or stops us; what it answered so far is in the cache.
    """
    accepted = set(accept) | {"point"}
    if accepted - set(PRECISIONS):
        raise InputError(
            f"accept: unknown precision {sorted(accepted - set(PRECISIONS))}; say village or town"
        )
    require_crs(facilities, "facilities")
    frame = name_units(facilities.to_crs(GEOGRAPHIC), units)
    for column in _TEXTS:
        values = frame[column] if column in frame.columns else pd.Series(None, index=frame.index)
        frame[column] = values.astype(object).where(values.notna(), None)
    given = placed(frame.geometry)
    frame.loc[given & frame["located_by"].isna(), "located_by"] = "given"
    frame.loc[given & frame["location_precision"].isna(), "location_precision"] = "point"
    frame.loc[given & frame["location_status"].isna(), "location_status"] = "located"
    frame.loc[~given & frame["location_status"].isna(), "location_status"] = "not_located"
    for number, given_source in enumerate(sources):
        source = given_source
        if isinstance(source, Provider):
            source = source if cache is None else source.with_cache(cache)
            source = replace(source, goes_on=any(isinstance(s, Provider) for s in sources[number + 1 :]))
        open_rows = ~(frame["location_status"] == "located")
        if open_rows.any():
            rows = frame.loc[open_rows]
            rows = rows.assign(chosen=[(chosen or {}).get(str(i)) for i in rows.index])
            frame = _taken(frame, _judged(source.locate(rows), rows, units, accepted), source.name)
    return frame


def name_units(frame: GeoDataFrame, units: GeoDataFrame) -> GeoDataFrame:
    """Return `frame` with `unit_id` and `county_id` filled from the names or codes its rows give.

    Names are matched inside their county only. An id or name that is no unit of the study is kept in `unit_named`
    (`county_named`) and leaves the id empty; a name that several units share does too, and a code in another county than its
    row says. Of a row without a point that says nothing else, the address says the county.
    """
    addresses = Addresses.of(units)
    names = addresses.names
    frame = frame.copy()
    filled: dict[str, list[str | None]] = {
        c: [] for c in ("unit_id", "county_id", "unit_named", "county_named")
    }
    columns = [_or_none(frame, c) for c in (*filled, "address")]
    has_point = placed(frame.geometry)
    for unit_id, county_id, unit_named, county_named, address, is_placed in zip(
        *columns, has_point, strict=True
    ):
        said_unit, said_county = unit_named or unit_id, county_named or county_id
        county = names.county(said_county) if said_county else None
        found = names.units(said_unit, county) if said_unit else set()
        unit = next(iter(found)) if len(found) == 1 else None
        if unit and county and names.county_of[unit] != county:
            unit = None
        if not (unit or county or said_county or is_placed) and address:
            county = addresses.county_in(same(address))
        filled["unit_id"].append(unit)
        filled["county_id"].append(names.county_of[unit] if unit and not county else county)
        filled["unit_named"].append(said_unit)
        filled["county_named"].append(said_county)
    for column, values in filled.items():
        frame[column] = pd.Series(values, index=frame.index, dtype=object)
    return frame


def _or_none(frame: DataFrame, column: str) -> list[str | None]:
    if column not in frame.columns:
        return [None] * len(frame)
    return [None if pd.isna(value) else str(value) for value in frame[column]]


def _judged(answers: DataFrame, rows: GeoDataFrame, units: GeoDataFrame, accepted: set[str]) -> DataFrame:
    """Return `answers` with those far outside their row's county rejected, and those too coarse refused."""
    answers = answers.copy()
    has_point = answers["lon"].notna() & answers["lat"].notna()
    off_km = _outside_km(answers[has_point], rows.loc[has_point, "county_id"], units).reindex(answers.index)
    beyond = (off_km > 0) & (off_km * 1000 <= BORDER_M) & (answers["status"] == "located")
    answers.loc[beyond, "detail"] = (off_km[beyond] * 1000).map("{:.0f}".format)
    answers.loc[beyond, "reason"] = "beyond_border"
    outside = (off_km > 0) & ~beyond
    answers.loc[outside, "detail"] = off_km[outside].map("{:.1f}".format)
    answers.loc[outside, ["status", "reason"]] = ["rejected", "outside_county"]
    coarse = has_point & ~outside & ~answers["precision"].isin(accepted)
    answers.loc[coarse, ["status", "reason"]] = ["not_located", "too_coarse"]
    answers.loc[outside | coarse, ["lon", "lat"]] = np.nan
    return answers


def _outside_km(answers: DataFrame, county_ids: Series, units: GeoDataFrame) -> Series:
    """Return how far each point lies outside its row's county, in km; outside all units where no county is known."""
    crs = metric_crs(units)
    points = gpd.GeoSeries(
        gpd.points_from_xy(answers["lon"], answers["lat"]), index=answers.index, crs=GEOGRAPHIC
    )
    shapes = units.geometry.to_crs(crs)
    in_reach = inside_box(answers["lon"].to_numpy(), answers["lat"].to_numpy(), area_box(units, 1_000_000.0))
    found = pd.Series(np.where(in_reach, 0.0, np.inf), index=answers.index)
    metric = points[in_reach].to_crs(crs)
    of_row = county_ids[in_reach].astype(object).where(county_ids[in_reach].notna(), "")
    for county_id in sorted(set(of_row)):
        here = metric[of_row == county_id]
        area = shapes[units["county_id"] == county_id] if county_id else shapes
        found[here.index] = here.distance(area.union_all()).to_numpy() / 1000
    return found


def _taken(frame: GeoDataFrame, answers: DataFrame, source: str) -> GeoDataFrame:
    """Return `frame` with the answers that know more than what it has so far."""
    frame = frame.copy()
    before = frame.loc[answers.index, "location_status"].map(_STATUS_RANK)
    after = answers["status"].map(_STATUS_RANK)
    # of two that found nothing, the later says why
    better = answers[(after > before) | ((after == before) & (after < _STATUS_RANK["approximate"]))]
    if better.empty:
        return frame
    has_point = better["lon"].notna()
    # a row whose own point was rejected stays rejected unless this source found one
    points = gpd.GeoSeries(
        gpd.points_from_xy(better["lon"], better["lat"]), index=better.index, crs=GEOGRAPHIC
    ).where(has_point, None)
    geometry: GeoSeries = frame.geometry.copy()
    geometry.loc[better.index] = points
    frame = frame.set_geometry(geometry)
    renamed = {"precision": "location_precision", "status": "location_status", "reason": "location_reason"}
    renamed |= {"detail": "location_detail", "query": "location_query"}
    for column, target in renamed.items():
        values = better[column].astype(object)
        frame.loc[better.index, target] = values.where(values.notna(), None)
    if "received" in better.columns:
        times = better["received"].astype(object)
        before_times = frame["location_time"] if "location_time" in frame.columns else None
        frame["location_time"] = (
            pd.Series(None, index=frame.index, dtype=object) if before_times is None else before_times
        )
        frame.loc[better.index, "location_time"] = times.where(times.notna(), None)
    frame.loc[better.index, "located_by"] = pd.Series(source, index=better.index, dtype=object).where(
        has_point, None
    )
    frame.loc[better.index[has_point], "coordinate_system"] = better.loc[has_point, "system"]
    return frame


def assign_units(frame: GeoDataFrame, units: GeoDataFrame) -> GeoDataFrame:
    """Return `frame` with the unit and county of every row: as its row says, else by where its point lies.

    Parameters
    ----------
    frame
        Facilities, candidates or demand; `unit_named`, `county_named` (or `unit_id`, `county_id`) are what rows say.
    units
        Units frame.

    Returns
    -------
    assigned
        Same index, EPSG:4326: `unit_id`, `county_id`, and `unit_distance_m`, metres from the point to the unit of the
        row: 0 inside, above 0 where it lies outside the unit its row names (which is kept), missing without a point or
        unit. A point on a shared edge belongs to the lowest id.
    """
    require_crs(frame, "frame")
    frame = name_units(frame.to_crs(GEOGRAPHIC), units)
    crs = metric_crs(units)
    shapes = units.geometry.to_crs(crs).sort_index()
    there = placed(frame.geometry)
    points = frame.geometry[there].to_crs(crs)
    row_at, unit_at = shapes.sindex.query(points, predicate="dwithin", distance=EDGE_M)
    # the frame's own order inside a row is by unit id, because the shapes are sorted
    order = np.lexsort((unit_at, row_at))
    row_at, first = np.unique(row_at[order], return_index=True)
    containing = pd.Series(shapes.index[unit_at[order][first]], index=points.index[row_at], dtype=object)
    open_rows = frame["unit_id"].isna()
    fill = containing.reindex(frame.index)
    # a row that names its county is never moved into another one
    county_of = units["county_id"].astype(object)
    fits = frame["county_id"].isna() | (fill.map(county_of) == frame["county_id"])
    frame.loc[open_rows & fits, "unit_id"] = fill[open_rows & fits]
    from_unit = frame["unit_id"].map(county_of)
    frame["county_id"] = frame["county_id"].where(frame["county_id"].notna(), from_unit)
    for column in ("unit_id", "county_id"):
        frame[column] = frame[column].astype(object).where(frame[column].notna(), None)
    known = there & frame["unit_id"].notna()
    distance = pd.Series(np.nan, index=frame.index)
    here = frame.geometry[known].to_crs(crs)
    of_row = shapes.loc[frame.loc[known, "unit_id"]]
    off = here.distance(of_row.set_axis(here.index)).to_numpy()
    distance[known] = np.where(off <= EDGE_M, 0.0, off)
    frame["unit_distance_m"] = distance
    return frame
