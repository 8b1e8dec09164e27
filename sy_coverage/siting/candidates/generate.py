"""Propose further candidate sites where the lists have too few: amid the elders who are not reached, at real places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage import coverage
from sy_coverage._frames import CANDIDATES, DEMAND, FACILITIES, UNITS, checked
from sy_coverage.errors import InputError
from sy_coverage.policy.targets import UpgradeCount
from sy_coverage.roads.travel_times import TravelTimes, within_cutoff
from sy_coverage.siting.candidates.costs import COSTS
from sy_coverage.siting.candidates.rows import Maker, Where, joined
from sy_coverage.siting.planning.rules.columns import without_blanks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.policy import Policy


EVERYWHERE = Where()
"""In every unit without a centre, listed candidates or not."""


def generate_candidates(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    candidates: GeoDataFrame,
    demand: GeoDataFrame,
    *,
    policy: Policy,
    times: TravelTimes | Mapping[str, TravelTimes] | None = None,
    per_unit: int = 3,
    kinds: tuple[str, ...] | None = None,
    costs: Mapping[str, Mapping[str, float]] | None = None,
    premises: str = "village_office",
    junctions: GeoDataFrame | None = None,
    where: Where = EVERYWHERE,
) -> GeoDataFrame:
    """Return `candidates` with generated ones added for every unit that counts towards a coverage rate and has no centre.

    In each such unit the elders are grouped into at most `per_unit` clusters (weighted k-means in metres, fixed seed),
    and each cluster's centre is moved to the nearest village with elders, so that a site is always a real place. Elders
    who are within the cutoff of an open centre count only where the unit has no others. For kinds that are counted by
    county, sites are added only where open and listed ones do not suffice: as many as are lacking, at the places with
    most elders around. In a county where a home must be rebuilt and no listed candidate rebuilds one, each of its located
    homes for the destitute becomes a candidate ``G-<kind>-<facility_id>``.

    Parameters
    ----------
    units, facilities, candidates, demand
        As in the column contract; facilities are those open on the study's date.
    policy
        Its targets say which kinds cover units and which are counted by county.
    times
        Minutes of the open centres (or a mapping by kind); None: no elders count as reached.
    per_unit
        Generated sites for each unit without a centre; 0 adds none.
    kinds
        Only these kinds; None: every kind the targets count by unit or county.
    costs
        10⁴ yuan by kind and premises; None: `costs.COSTS`.
    premises
        What it is priced as, ``village_office`` or ``new``; what it will be nobody knows, and its `premises` say so.
    junctions
        Points where roads meet (`roads.junctions`). Where elders are counted at nameless points (the cells of a raster,
        settled areas), a site is moved on to the nearest of them in its unit, and priced as new.
    where
        Whether units with a listed candidate get sites too, how far from listed ones, and where not at all.

    Returns
    -------
    candidates
        EPSG:4326, sorted by id; generated ids are ``G-<unit_id>-1``, … (``G-<kind>-<county_id>-1`` for those of a county),
        `origin` and `located_by` are ``generated``, `premises` ``unknown``.

    Raises
    ------
    InputError
        If `per_unit` is negative, `premises` is no choice, or a cost is missing.
    """
    if per_unit < 0:
        raise InputError(f"per_unit={per_unit}: must be 0 or more")
    if premises not in {"village_office", "new"}:
        raise InputError(f"premises={premises!r}: must be village_office or new")
    units, demand = checked(units, UNITS).sort_index(), checked(demand, DEMAND).sort_index()
    facilities = coverage.open_on(checked(facilities, FACILITIES))
    listed = without_blanks(checked(candidates, CANDIDATES))
    demand = demand[demand["unit_id"].isin(units.index)]
    maker = Maker(units, facilities, listed, demand, policy, costs or COSTS, premises, junctions, where)
    rows = _rows(maker, policy, times, per_unit, kinds) if per_unit else []
    return joined(listed, rows, crs=demand.crs, facilities=facilities)


def generate_stations(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    candidates: GeoDataFrame,
    demand: GeoDataFrame,
    *,
    policy: Policy,
    times: Mapping[str, TravelTimes],
    walk_min: float,
    costs: Mapping[str, Mapping[str, float]] | None = None,
    floor_area_m2: Mapping[str, float] | None = None,
    premises: str = "village_office",
    junctions: GeoDataFrame | None = None,
    where: Where = EVERYWHERE,
) -> GeoDataFrame:
    """Return `candidates` with a station added for every village cluster that none reaches and a centre must reach.

    Looked at are the units that a coverage rate counts and that have a centre, open or among `candidates`. Where no station
    of the unit, open or listed, is within the walk of a cluster, one is proposed at its village with elders that is nearest
    to the middle of its elders. A plan opens those it needs: one may serve several clusters. Other villages might serve more
    at once; whoever wants them weighed lists them.

    Parameters
    ----------
    units, facilities, candidates, demand
        As for `generate_candidates`; `candidates` hold the centres that may open. A column `cluster_id` of `demand` says
        which villages form a cluster (see `village_clusters`); without it each is one.
    policy
        Its `station_kinds` are stations; `station_of_unit` says of which kind a unit of each class gets one.
    times
        Minutes by kind, from demand to the located open and listed stations.
    walk_min
        How far a cluster may be from a station, in minutes: from one of its villages with elders.
    costs
        As for `generate_candidates`.
    floor_area_m2
        What a station is taken to have, by kind; missing where it is not given, and then flagged in a plan.
    premises, junctions, where
        As for `generate_candidates`.

    Returns
    -------
    candidates
        EPSG:4326, sorted by id; generated ids are ``G-<kind>-<unit_id>-1``, …, for most elders first.

    Raises
    ------
    InputError
        If the policy has no kinds of stations, or a cost is missing.
    CutoffError
        If `times` are shorter than the walk.
    """
    if not policy.station_kinds:
        raise InputError("policy: names no kinds of stations (station_kinds), so none can be generated")
    units, demand = checked(units, UNITS).sort_index(), checked(demand, DEMAND).sort_index()
    facilities = coverage.open_on(checked(facilities, FACILITIES))
    listed = without_blanks(checked(candidates, CANDIDATES))
    demand = demand[demand["unit_id"].isin(_with_centres(units, facilities, listed, policy))]
    maker = Maker(units, facilities, listed, demand, policy, costs or COSTS, premises, junctions, where)
    walked = _walked(policy, facilities, listed, demand, times, walk_min)
    own = demand["cluster_id"] if "cluster_id" in demand.columns else demand.index.to_series()
    cluster = own.where(own.notna(), demand.index.to_series()).astype(str)
    rows: list[dict[str, Any]] = []
    lived_in = (maker.elders > 0) & ~maker.closed
    for unit_id, at in pd.Series(np.arange(len(demand))).groupby(demand["unit_id"].to_numpy()):
        kind = policy.station_of(units.loc[unit_id, "kind"])
        groups = at[lived_in[at]].groupby(cluster.to_numpy()[at[lived_in[at]]])
        lacking = [(name, g.to_numpy()) for name, g in groups if not walked[g.to_numpy()].any()]
        lacking.sort(key=lambda found: (-maker.elders[found[1]].sum(), found[0]))
        for n, (_, villages) in enumerate(lacking, start=1):
            row = maker.row(f"G-{kind}-{unit_id}-{n}", kind, maker.clusters(villages, 1)[0])
            rows.append(row | {"floor_area_m2": (floor_area_m2 or {}).get(kind, np.nan)})
    return joined(listed, rows, crs=demand.crs, facilities=facilities)


def _with_centres(
    units: GeoDataFrame, facilities: GeoDataFrame, listed: GeoDataFrame, policy: Policy
) -> set[str]:
    """Return the units that a coverage rate counts and that have, or may get, a facility of the kind it counts."""
    found: set[str] = set()
    for kind, unit_kinds in covering_kinds(policy).items():
        for frame in (facilities, listed[listed.geometry.notna()]):
            found |= set(frame.loc[frame["kind"] == kind, "unit_id"].dropna()) & set(
                units.index[units["kind"].isin(unit_kinds)]
            )
    return found


def _walked(
    policy: Policy,
    facilities: GeoDataFrame,
    listed: GeoDataFrame,
    demand: GeoDataFrame,
    times: Mapping[str, TravelTimes],
    walk_min: float,
) -> Any:
    """Return which demand points are within the walk of a station of their unit, open or listed."""
    unit_of = pd.concat([facilities["unit_id"], listed["unit_id"]])
    near = np.zeros(len(demand), dtype=bool)
    for kind in policy.station_kinds:
        if kind not in times:
            continue
        times[kind].require_cutoff(walk_min)
        here = times[kind].select(sites=times[kind].site_ids, demand=demand.index)
        pairs = sparse.coo_array(here.minutes)
        site_unit = unit_of.reindex(list(here.site_ids)).to_numpy()[pairs.coords[0]]
        own = site_unit == demand["unit_id"].to_numpy()[pairs.coords[1]]
        near[pairs.coords[1][own & within_cutoff(pairs.data, walk_min)]] = True
    return near


def _rows(
    maker: Maker,
    policy: Policy,
    times: TravelTimes | Mapping[str, TravelTimes] | None,
    per_unit: int,
    kinds: tuple[str, ...] | None,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    covering = covering_kinds(policy)
    for kind, unit_kinds in covering.items():
        if kinds is None or kind in kinds:
            # ids of the first kind are the plain ones; a second kind names itself in them
            prefix = "G" if kind == next(iter(covering)) else f"G-{kind}"
            rows += maker.in_units(kind, unit_kinds, _of_kind(times, kind), per_unit, prefix=prefix)
    for kind, needed in _counted(policy).items():
        if kinds is None or kind in kinds:
            rows += maker.in_counties(kind, needed)
    for target in policy.targets:
        measure = target.measure
        if isinstance(measure, UpgradeCount) and (kinds is None or measure.facility_kind in kinds):
            rows += maker.rebuilt(target)
    return rows


def covering_kinds(policy: Policy) -> dict[str, set[str]]:
    """Return the classes of units that each kind covers, by the policy's rates."""
    found: dict[str, set[str]] = {}
    for target in policy.targets:
        if target.measure.of == "unit_coverage":
            found.setdefault(target.measure.facility_kind, set()).add(target.measure.unit_kind)
    return found


def _counted(policy: Policy) -> dict[str, int]:
    """Return how many of each kind a county needs."""
    found: dict[str, int] = {}
    for target in policy.targets:
        if target.measure.of == "facility_count" and target.scope == "county" and target.measure.mark is None:
            kind = target.measure.facility_kinds[0]
            found[kind] = max(found.get(kind, 0), int(target.value or 0))
    return found


def _of_kind(times: TravelTimes | Mapping[str, TravelTimes] | None, kind: str) -> TravelTimes | None:
    return times if times is None or isinstance(times, TravelTimes) else times.get(kind)
