"""Count minutes on a network: to every site, to the nearest, from node to node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.roads.graph.connected import ARRIVES, LEAVES
from sy_coverage.roads.graph.legs import Legs
from sy_coverage.roads.kernel import sweep
from sy_coverage.roads.questions.joining import require_count, require_cutoff, require_to_site
from sy_coverage.roads.travel_times import SLACK_MIN, TravelTimes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.roads.graph.snap import Snapped
    from sy_coverage.roads.questions.joining import Direction, Joining
    from sy_coverage.roads.questions.prepared import Prepared


def _both_ends(
    by: Joining, sites: GeoDataFrame, demand: GeoDataFrame, *, to_site: bool
) -> tuple[Snapped, Snapped]:
    leaving, arriving = (demand, "demand", LEAVES), (sites, "sites", ARRIVES)
    if not to_site:
        leaving, arriving = (demand, "demand", ARRIVES), (sites, "sites", LEAVES)
    return by.snapped(*arriving), by.snapped(*leaving)


def within(
    by: Joining,
    sites: GeoDataFrame,
    demand: GeoDataFrame,
    *,
    cutoff_min: float,
    direction: Direction,
    threads: int | None,
) -> TravelTimes:
    """Return the minutes between all sites and all demand points; see `RoadNetwork.travel_times`."""
    to_site = require_to_site(direction)
    require_cutoff(cutoff_min)
    require_count("threads", threads)
    ready, mode = by.prepared, by.mode
    here, there = _both_ends(by, sites, demand, to_site=to_site)
    minutes = sweep.reached(
        ready.runs(mode, reverse=to_site),
        ready.legs(here, mode, outgoing=not to_site),
        ready.legs(there, mode, outgoing=to_site).by_node(ready.kernel_nodes(mode)),
        ready.direct(here, there, mode, to_site=to_site),
        points=len(there.ids),
        cutoff_min=cutoff_min + SLACK_MIN,
        threads=threads,
    )
    reached = np.bincount(minutes.indices, minlength=len(there.ids)) > 0
    return TravelTimes(
        minutes=minutes,
        site_ids=here.ids,
        demand_ids=there.ids,
        cutoff_min=float(cutoff_min),
        mode=mode,
        unreachable_sites=here.cut_off(np.diff(minutes.indptr) > 0),
        unreachable_demand=there.cut_off(reached),
    )


def nearest(
    by: Joining,
    sites: GeoDataFrame,
    demand: GeoDataFrame,
    *,
    k: int,
    cutoff_min: float | None,
    direction: Direction,
) -> DataFrame:
    """Return the sites nearest to every demand point; see `RoadNetwork.nearest`."""
    to_site = require_to_site(direction)
    cutoff = np.inf if cutoff_min is None else cutoff_min
    require_cutoff(cutoff)
    require_count("k", k)
    ready, mode = by.prepared, by.mode
    sites = sites.iloc[np.argsort(sites.index.astype(str), kind="stable")]
    here, there = _both_ends(by, sites, demand, to_site=to_site)
    found = sweep.nearest(
        ready.runs(mode, reverse=to_site),
        ready.legs(here, mode, outgoing=not to_site),
        ready.legs(there, mode, outgoing=to_site),
        ready.direct(there, here, mode, to_site=not to_site),
        k=k,
        cutoff_min=cutoff + SLACK_MIN,
    )
    names = np.array([*here.ids, None], dtype=object)
    frame = pd.DataFrame(index=demand.index)
    for rank in range(k):
        suffix = "" if k == 1 else f"_{rank + 1}"
        minutes = found.minutes[:, rank]
        frame[f"site_id{suffix}"] = pd.Series(names[found.site[:, rank]], index=demand.index, dtype="str")
        frame[f"nearest_min{suffix}"] = np.where(np.isfinite(minutes), minutes, np.nan)
    return frame


def from_nodes(
    prepared: Prepared, node_ids: Iterable[Any], *, mode: str, cutoff_min: float, threads: int | None
) -> TravelTimes:
    """Return the minutes from some nodes to all nodes; see `RoadNetwork.node_times`."""
    prepared.require_mode(mode)
    require_cutoff(cutoff_min)
    require_count("threads", threads)
    at = prepared.positions(list(node_ids))
    minutes = sweep.reached(
        prepared.runs(mode, reverse=False),
        Legs(np.arange(at.size + 1), at.astype(np.int32), np.zeros(at.size)),
        None,
        sweep.no_legs(at.size),
        points=0,
        cutoff_min=cutoff_min + SLACK_MIN,
        threads=threads,
    )
    return TravelTimes(
        minutes=minutes,
        site_ids=tuple(prepared.parts.node_ids[at].tolist()),
        demand_ids=prepared.kernel_ids(mode),
        cutoff_min=float(cutoff_min),
        mode=mode,
    )
