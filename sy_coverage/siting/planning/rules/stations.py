"""Tell through which stations each proposed centre would serve its villages, and which premises are too small for a station."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from sy_coverage._frames import metric_crs
from sy_coverage.errors import InputError
from sy_coverage.policy.targets import FloorArea
from sy_coverage.roads.travel_times import within_cutoff
from sy_coverage.siting.planning.rules.targets import coverage_kinds

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from pandas import Series

    from sy_coverage.siting.planning.rules.case import PlanCase

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


def village_clusters(demand: GeoDataFrame, units: GeoDataFrame, *, within_m: float) -> Series:
    """Return for every demand point which cluster of villages of its unit it belongs to.

    Two villages of a unit are in one cluster when a chain of villages no more than `within_m` metres apart links them.

    Returns
    -------
    cluster_id
        Indexed like `demand`: the id of the cluster's first village; missing where a row has no unit.

    Raises
    ------
    InputError
        If `within_m` is negative or no number.
    """
    if not (np.isfinite(within_m) and within_m >= 0):
        raise InputError(f"within_m={within_m}: must be metres, 0 or more")
    points = demand.geometry.to_crs(metric_crs(units))
    metres = np.column_stack([points.x, points.y])
    unit = pd.factorize(demand["unit_id"])[0]
    pairs = KDTree(metres).query_pairs(within_m, output_type="ndarray")
    pairs = pairs[(unit[pairs[:, 0]] == unit[pairs[:, 1]]) & (unit[pairs[:, 0]] >= 0)]
    links = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(demand),) * 2)
    _, label = connected_components(links, directed=False)
    first = pd.Series(demand.index.astype(object), index=demand.index).groupby(label).transform("min")
    return first.where(demand["unit_id"].notna()).rename("cluster_id")


@dataclass(frozen=True)
class Service:
    """What one proposed centre needs so that one village cluster of its unit is served."""

    centre: int
    """Position of the candidate."""
    cluster: str
    stations: Integers
    """Positions of candidate stations of which one must open; none: the cluster cannot be served."""


def services(case: PlanCase) -> list[Service]:
    """Return what every proposed centre needs; clusters that an open station serves need nothing.

    A station serves a cluster when it lies in the unit and within the walk of one of the cluster's villages with elders.
    """
    return case.once("services", lambda: _services(case))


def _services(case: PlanCase) -> list[Service]:
    limit = case.rules.station_walk_min
    if limit is None:
        return []
    demand = case.demand
    named = demand["cluster_id"] if "cluster_id" in demand.columns else pd.Series(demand.index, demand.index)
    cluster = named.where(named.notna(), pd.Series(demand.index, demand.index)).astype(str).to_numpy()
    lived_in = demand[case.elders_column].to_numpy(float) > 0
    unit_of = demand["unit_id"].to_numpy()
    groups: dict[str, dict[str, set[int]]] = {}
    for i in np.flatnonzero(lived_in):
        groups.setdefault(unit_of[i], {}).setdefault(cluster[i], set()).add(int(i))
    standing, proposed = _near(case, limit)
    found = []
    for centre in np.flatnonzero(case.sites.of_kind(*coverage_kinds(case)) & ~case.stands):
        unit_id = case.candidates["unit_id"].iloc[centre]
        for name, villages in sorted(groups.get(unit_id, {}).items()):
            if any(i in standing.get(unit_id, ()) for i in villages):
                continue
            near = [j for j, reached in proposed.get(unit_id, {}).items() if reached & villages]
            found.append(Service(int(centre), name, np.array(sorted(near), dtype=np.int64)))
    return found


def _near(case: PlanCase, limit: float) -> tuple[dict[str, set[int]], dict[str, dict[int, set[int]]]]:
    """Return by unit the villages within the walk of its open stations, and of each candidate station."""
    standing: dict[str, set[int]] = {}
    proposed: dict[str, dict[int, set[int]]] = {}
    for kind in case.policy.station_kinds:
        times = case.times.get(kind)
        if times is None:
            continue
        times.require_cutoff(limit)
        minutes = sparse.csr_array(times.select(sites=times.site_ids, demand=case.demand.index).minutes)
        row_of = {site: r for r, site in enumerate(times.site_ids)}
        for frame, is_open in ((case.facilities, True), (case.candidates, False)):
            for site_id, unit_id in frame.loc[frame["kind"] == kind, "unit_id"].items():
                if site_id not in row_of:
                    continue
                at = slice(minutes.indptr[row_of[site_id]], minutes.indptr[row_of[site_id] + 1])
                reached = set(minutes.indices[at][within_cutoff(minutes.data[at], limit)].tolist())
                if is_open:
                    standing.setdefault(unit_id, set()).update(reached)
                else:
                    proposed.setdefault(unit_id, {})[case.position(str(site_id))] = reached
    return standing, proposed


# --- floor area -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Premises:
    """Whether the premises of one station are large enough for the households it serves."""

    site: int
    """Position of the candidate."""
    area: float
    """m²; NaN where the list does not say."""
    asked: float
    """m²: by households where they are known, at least the smallest that is allowed."""

    @property
    def small(self) -> bool:
        """Whether the premises are known to be too small."""
        return self.area < self.asked


def premises(case: PlanCase) -> list[Premises]:
    """Return the floor area of every candidate that the policy asks floor area of, and how much is asked.

    A station serves the community that its `community_id` names, else the nearest demand point of its unit.
    """
    return case.once("premises", lambda: _premises(case))


def _premises(case: PlanCase) -> list[Premises]:
    found = []
    for target in case.policy.targets:
        measure = target.measure
        if not isinstance(measure, FloorArea):
            continue
        for j in np.flatnonzero(case.sites.of_kind(*measure.kinds) & ~case.stands):
            households = _households(case, int(j))
            asked = max(
                float(Fraction(str(measure.m2_per_100_households)) * Fraction(households) / 100),
                measure.least_m2,
            )
            area = pd.to_numeric(case.candidates["floor_area_m2"].iloc[j])
            found.append(Premises(int(j), float(area), asked))
    return found


def _households(case: PlanCase, j: int) -> float:
    """Return the households a station serves; 0 where nobody says."""
    demand, site = case.demand, case.candidates.iloc[j]
    named: Any = site.get("community_id")
    if isinstance(named, str) and named in demand.index:
        households = float(demand.loc[named, "households"])
        return households if np.isfinite(households) else 0.0
    minutes = sparse.csr_array(case.reach(site["kind"]).minutes[[j]])
    own = demand["unit_id"].to_numpy()[minutes.indices] == site["unit_id"]
    if not own.any():
        return 0.0
    at, away = minutes.indices[own], minutes.data[own]
    households = float(demand["households"].iloc[int(at[np.lexsort((at, away))[0]])])
    return households if np.isfinite(households) else 0.0


def too_small(case: PlanCase) -> Integers:
    """Return the positions of stations whose premises are known to be too small."""
    return np.array(sorted({p.site for p in premises(case) if p.small}), dtype=np.int64)


def barred_stations(case: PlanCase) -> Integers:
    """Return the positions of candidates that cannot open: premises too small (if that bars), or a cluster no station can serve."""
    small = too_small(case) if case.rules.floor_area == "bar" else np.empty(0, dtype=np.int64)
    without = [s.centre for s in services(case) if not len(s.stations)]
    return np.concatenate([small, np.array(without, dtype=np.int64)])
