"""Work out how many minutes elders are from facilities and candidates, kind by kind, and sites from each other."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import shapely
from scipy import sparse

from sy_coverage.roads.travel_times import within_cutoff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame, Series

    from sy_coverage.policy import Kind, Policy
    from sy_coverage.roads import TravelTimes
    from sy_coverage.study.config.questions.siting import Siting
    from sy_coverage.study.steps.roads.ways import Ways

HORIZON = 2.0
"""Travel times reach this many cutoffs far, so that a plan can also shorten the way of elders beyond the cutoff."""
_COLUMNS = ["kind", "geometry"]


def sites_of(kinds: tuple[str, ...], *frames: GeoDataFrame) -> GeoDataFrame:
    """Return the located rows of `frames` that are of `kinds` in one frame, ordered by id."""
    found = [frame[frame["kind"].isin(kinds) & frame.geometry.notna()][_COLUMNS] for frame in frames]
    return pd.concat(found).sort_index()


def digest_of(sites: GeoDataFrame) -> str:
    """Return the SHA-256 of the ids and points of `sites`, in their order."""
    ids = "\0".join(map(str, sites.index)).encode()
    return hashlib.sha256(ids + shapely.get_coordinates(sites.geometry.array).tobytes()).hexdigest()


def horizon_min(kind: Kind, asked: Siting, policy: Policy) -> float:
    """Return how many minutes far the times of a kind reach."""
    walk = asked.station_walk_min if kind.id in policy.station_kinds else None
    way = asked.worst_min if kind.id in policy.covered_kinds else None
    return max(HORIZON * kind.longest_min, walk or 0.0, way or 0.0)


def joined(known: TravelTimes, new: TravelTimes | None, site_ids: list[str]) -> TravelTimes:
    """Return the minutes to `site_ids`, in this order, out of those that are `known` and those that are `new`."""
    if new is None:
        return known if list(known.site_ids) == site_ids else known.select(sites=site_ids)
    both = replace(
        known,
        minutes=sparse.vstack([known.minutes, new.minutes], format="csr"),
        site_ids=(*known.site_ids, *new.site_ids),
        unreachable_sites=(*known.unreachable_sites, *new.unreachable_sites),
    )
    return both.select(sites=site_ids)


def catchment(
    ways: Ways, site: GeoDataFrame, demand: GeoDataFrame, *, minutes: float, kind: Kind
) -> GeoDataFrame:
    """Return the drawing of how far one site reaches in `minutes`, and the elders who reach it in that time."""
    drawn = ways.network.catchments(site, mode=kind.mode, cutoffs_min=(minutes,), **vars(ways.by))
    times = ways.travel_times(site, demand, mode=kind.mode, cutoff_min=minutes)
    within = times.nearest_minutes().notna()
    elders = float(demand["elders"].to_numpy()[within.to_numpy()].sum())
    return drawn.assign(elders=elders, kind=kind.id)


def shares_within(
    minutes: Mapping[str, Series | None], demand: GeoDataFrame, units: GeoDataFrame, kind: Kind
) -> DataFrame:
    """Return by unit the share of elders whose minutes by each mode are within the cutoff of `kind`, as ``share_<mode>``.

    A unit without elders has no share, nor has any by a mode of which nothing is known (None).
    """
    lived_in = demand["unit_id"].map(units["kind"]).fillna("other")
    cutoff = lived_in.map(kind.cutoff_min.__getitem__)
    elders = demand["elders"].groupby(demand["unit_id"]).sum().reindex(units.index)
    answer = pd.DataFrame(index=units.index)
    for mode, taken in minutes.items():
        if taken is None:
            answer[f"share_{mode}"] = float("nan")
            continue
        near = within_cutoff(taken, cutoff).fillna(value=False).astype(bool)
        reached = demand["elders"].where(near, 0.0).groupby(demand["unit_id"]).sum().reindex(units.index)
        answer[f"share_{mode}"] = (reached / elders).where(elders > 0)
    return answer
