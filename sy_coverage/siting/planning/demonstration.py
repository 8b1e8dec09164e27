"""Choose demonstration sites among stations that stand or are proposed, by stated criteria and for most elders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage import coverage
from sy_coverage.errors import InputError
from sy_coverage.policy.targets import CITY, FacilityCount
from sy_coverage.roads.travel_times import within_cutoff
from sy_coverage.siting.classic.maximal import mclp
from sy_coverage.siting.planning.rules.criteria import Criteria, eligible, shortcomings
from sy_coverage.siting.planning.rules.criteria import marked as marks
from sy_coverage.siting.reasons import reason_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.policy import Policy, Target
    from sy_coverage.roads import TravelTimes
    from sy_coverage.siting.plan import SitingPlan, Stage
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.solve.highs import SolveOptions


def demonstration_sites(
    stations: GeoDataFrame,
    units: GeoDataFrame,
    demand: GeoDataFrame,
    times: TravelTimes,
    *,
    policy: Policy,
    target_id: str,
    criteria: Criteria | None = None,
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return the sites to make demonstration sites: as many as the target asks, those already marked among them, for most elders.

    Parameters
    ----------
    stations
        Stations that are open and those that are proposed, one frame, indexed by id, with `kind`, and where the criteria
        ask for them `floor_area_m2`, `functions`, `has_medical`; the target's mark (``demonstration``), if it is a column,
        says which are chosen already: they stay.
    units, demand
        As for `policy_plan`; the elders of the policy's reading are counted.
    times
        Minutes from demand to the located stations of the target's kinds.
    policy, target_id
        The target counts marked facilities of some kinds; its number is how many are chosen.
    criteria
        What each site must have; None: nothing but a place on the road.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        `objective` is the number of elders within the cutoff of a chosen site. Where fewer sites meet the criteria than
        are asked for, all of them are chosen and `findings` says so; `findings` also names each criterion a site fails.

    Raises
    ------
    InputError
        If the target does not count marked facilities, or no site meets the criteria.
    CutoffError
        If `times` are shorter than the cutoffs of the kind.
    """
    target = _target(policy, target_id)
    measure: Any = target.measure
    criteria = criteria or Criteria()
    mine = stations[stations["kind"].isin(measure.kinds)].sort_index()
    marked = mine.index[marks(mine, measure)]
    rows = [row for i in mine.index if i not in marked for row in _fails(policy, mine, i, times, criteria)]
    failed = {row["subject"] for row in rows}
    placed = set(times.site_ids)
    chosen_from = [i for i in mine.index if i in placed and (i in marked or i not in failed)]
    asked = int(target.value or 0)
    kept = [i for i in marked if i in placed]
    # a marked site without a place counts, though nobody can be said to be near it
    count = min(max(asked - (len(marked) - len(kept)), len(kept)), len(chosen_from))
    if not count:
        raise InputError(f"{target_id}: no station of {', '.join(measure.kinds)} meets the criteria")
    if count + len(marked) - len(kept) < asked:
        short = {"value": count + len(marked) - len(kept), "other": asked, "target_id": target_id}
        rows.append({"reason_id": "demonstration_too_few", "subject": "", "scope_id": "city", **short})
    weights = demand[policy.readings.elders].astype("float64")
    here = demand.index[demand["unit_id"].isin(units.index)]
    near = _within(demand, units, times.select(sites=chosen_from, demand=sorted(here)), policy, mine)
    plan = mclp(
        near, near.cutoff_min, weights.loc[list(near.demand_ids)], p=count, required=kept, options=options
    )
    return replace(plan, findings=reason_frame(rows, policy=policy))


def _target(policy: Policy, target_id: str) -> Target:
    found = next((t for t in policy.targets if t.id == target_id), None)
    if found is None or not isinstance(found.measure, FacilityCount) or found.measure.mark is None:
        marked = [t.id for t in policy.targets if isinstance(t.measure, FacilityCount) and t.measure.mark]
        raise InputError(
            f"target '{target_id}': counts no marked facilities; these do: {', '.join(marked) or 'none'}"
        )
    return found


def _fails(
    policy: Policy, stations: GeoDataFrame, site_id: str, times: TravelTimes, criteria: Criteria
) -> Iterator[dict[str, Any]]:
    """Yield each criterion that a station does not meet, and whether it has no place on the road."""
    if site_id not in times.site_ids:
        yield {"reason_id": "demonstration_no_place", "subject": site_id}
    yield from shortcomings(policy, stations, site_id, criteria)


def _within(
    demand: GeoDataFrame, units: GeoDataFrame, times: TravelTimes, policy: Policy, stations: GeoDataFrame
) -> TravelTimes:
    """Return `times` with only the pairs within the cutoff of the site's kind and the class of the elder's unit."""
    kinds = stations["kind"].reindex(list(times.site_ids)).to_numpy()
    minutes = times.minutes.tocoo()
    keep = np.zeros(minutes.nnz, dtype=bool)
    width = max(1, minutes.shape[1])
    for kind in sorted(set(kinds)):
        reached = coverage.reached(demand, units, times, kind=policy.kind(kind)).tocoo()
        inside = np.isin(minutes.row * width + minutes.col, reached.row * width + reached.col)
        keep |= (kinds[minutes.row] == kind) & inside
    kept = (minutes.data[keep], (minutes.row[keep], minutes.col[keep]))
    matrix = sparse.csr_array(sparse.coo_array(kept, shape=minutes.shape))
    matrix.sort_indices()
    # what is left is within its own cutoff, so that the longest of them decides nothing any more
    longest = max(policy.kind(kind).longest_min for kind in kinds)
    return replace(times, minutes=matrix, metres=None, cutoff_min=min(times.cutoff_min, longest))


@dataclass(frozen=True)
class Shown:
    """The demonstration sites of one plan."""

    stages: tuple[Stage, ...] = ()
    """One for each target, after all the plan's own: most elders near a demonstration site."""
    table: DataFrame | None = None
    """Frame of `target_id`, `kind`, `unit_id`, `county_id`, `planned`, `marked_before`, indexed by `site_id`."""
    findings: tuple[DataFrame, ...] = ()


def shown(case: PlanCase, sites: tuple[str, ...], *, options: SolveOptions) -> Shown:
    """Return which open sites, standing or of the plan, become demonstration sites for each target the rules name."""
    if not case.rules.demonstration:
        return Shown()
    stages, frames, findings = [], [], []
    for target_id, criteria in case.rules.demonstration.items():
        target = case.policy.target(target_id)
        stations = stations_of(case, sites, target_id)
        may = eligible(stations, target.measure, criteria, policy=case.policy)
        if not target.value or not (may & stations.index.isin(_timed(case, stations))).any():
            if target.value:
                row = {"reason_id": "demonstration_too_few", "subject": CITY, "scope_id": CITY, "value": 0}
                row |= {"other": target.value, "target_id": target_id}
                findings.append(reason_frame([row], policy=case.policy))
            continue
        plan = demonstration_sites(
            stations,
            case.units,
            case.demand,
            _times_of_kinds(case, stations),
            policy=case.policy,
            target_id=target_id,
            criteria=criteria,
            options=options,
        )
        findings.append(plan.findings)
        measure: Any = case.policy.target(target_id).measure
        before = stations.index[marks(stations, measure)]
        chosen = sorted({*plan.sites, *before})
        frame = pd.DataFrame(stations.loc[chosen, ["kind", "unit_id", "county_id"]]).rename_axis("site_id")
        frame.insert(0, "target_id", target_id)
        frame["planned"], frame["marked_before"] = (
            frame.index.isin(case.opened_in(sites)),
            frame.index.isin(before),
        )
        frames.append(frame)
        if plan.certificate is not None:
            last = plan.certificate.stages[-1]
            stages.append(replace(last, objective_id=f"demonstration_{target_id}"))
    empty = pd.DataFrame(columns=["target_id", "kind", "unit_id", "county_id", "planned", "marked_before"])
    table = pd.concat(frames) if frames else empty.rename_axis("site_id")
    return Shown(tuple(stages), table, tuple(findings))


def stations_of(case: PlanCase, sites: Iterable[str], target_id: str) -> GeoDataFrame:
    """Return the open sites of the kinds a target counts, standing in these counties or opened by the plan, in one frame."""
    measure: Any = case.policy.target(target_id).measure
    columns = [
        "name",
        "kind",
        "unit_id",
        "county_id",
        "floor_area_m2",
        "functions",
        "has_medical",
        "geometry",
    ]
    ours = np.isin(case.county_of_facility.astype(str), list(case.counties))
    frames = []
    for frame, county, keep in (
        (case.facilities, case.county_of_facility, ours),
        (case.candidates, case.county_of_site, case.candidates.index.isin(list(sites))),
    ):
        mine = keep & frame["kind"].isin(measure.kinds).to_numpy()
        picked = frame.loc[mine, [*columns, *([measure.mark] if measure.mark in frame.columns else [])]]
        frames.append(picked.assign(county_id=county[mine]).astype(object))
    together = pd.concat(frames).sort_index()
    return gpd.GeoDataFrame(together, geometry="geometry", crs=case.facilities.crs)


def _timed(case: PlanCase, stations: GeoDataFrame) -> set[str]:
    """Return the stations that lie on the road."""
    kinds = set(stations["kind"]) & set(case.times)
    return {i for kind in kinds for i in set(case.times[kind].site_ids) & set(stations.index)}


def _times_of_kinds(case: PlanCase, stations: GeoDataFrame) -> TravelTimes:
    """Return the minutes of all `stations` that have some, of whichever kind, in one table."""
    parts, longest = [], 0.0
    for kind in sorted(set(stations["kind"])):
        times, reach = case.times.get(kind), case.policy.kind(kind).longest_min
        if times is not None:
            times.require_cutoff(reach)
            there = [i for i in stations.index[stations["kind"] == kind] if i in set(times.site_ids)]
            own = times.select(sites=sorted(there), demand=case.demand.index)
            # beyond its own cutoff no site of the kind counts, however far the times of another kind go
            parts.append(_shortened(own, reach))
            longest = max(longest, reach)
    if not parts:
        raise InputError(
            f"times: give those of {', '.join(sorted(set(stations['kind'])))}, to choose demonstration sites"
        )
    order = np.argsort(np.array([i for t in parts for i in t.site_ids], dtype=object), kind="stable")
    matrix = sparse.csr_array(sparse.vstack([t.minutes for t in parts]))[order]
    ids = tuple(np.array([i for t in parts for i in t.site_ids], dtype=object)[order])
    return replace(parts[0], minutes=matrix, metres=None, site_ids=ids, cutoff_min=longest)


def _shortened(times: TravelTimes, cutoff: float) -> TravelTimes:
    """Return `times` with the pairs within `cutoff` only."""
    pairs = times.minutes.tocoo()
    near = within_cutoff(pairs.data, cutoff)
    kept = (pairs.data[near], (pairs.row[near], pairs.col[near]))
    matrix = sparse.csr_array(sparse.coo_array(kept, shape=pairs.shape))
    matrix.sort_indices()
    return replace(times, minutes=matrix, metres=None, cutoff_min=min(times.cutoff_min, cutoff))


def recount(case: PlanCase, plan: SitingPlan) -> dict[str, float]:
    """Return by stage how many elders are within the cutoff of the demonstration sites that a plan names, counted anew."""
    table = plan.figures.demonstration
    found: dict[str, float] = {}
    if table is None:
        return found
    for target_id in case.rules.demonstration:
        chosen = table.index[table["target_id"] == target_id]
        near = np.zeros(len(case.demand), dtype=bool)
        for kind in sorted(set(table.loc[chosen, "kind"])):
            times = case.times[kind]
            there = [i for i in chosen if table.loc[i, "kind"] == kind and i in set(times.site_ids)]
            mine = times.select(sites=sorted(there), demand=case.demand.index)
            within = coverage.reached(case.demand, case.units, mine, kind=case.policy.kind(kind))
            near |= np.asarray(within.sum(axis=0)).ravel() > 0
        found[f"demonstration_{target_id}"] = float(case.demand[case.policy.readings.elders][near].sum())
    return found


def breaches(case: PlanCase, plan: SitingPlan) -> list[str]:
    """Return the demonstration sites of a plan that are not open or do not meet the criteria, and the targets they miss."""
    if not case.rules.demonstration:
        return []
    table = plan.figures.demonstration
    if table is None:
        return ["demonstration:"]
    found = []
    for target_id, criteria in case.rules.demonstration.items():
        stations = stations_of(case, case.with_kept(plan.sites, plan.figures.closed), target_id)
        measure: Any = case.policy.target(target_id).measure
        chosen = table.index[table["target_id"] == target_id]
        found += [f"demonstration:{i}" for i in chosen if i not in stations.index]
        may = stations.index[eligible(stations, measure, criteria, policy=case.policy)]
        found += [f"demonstration:{i}" for i in chosen if i in stations.index and i not in may]
        asked = int(case.policy.target(target_id).value or 0)
        if plan.figures.targets_met and len(set(chosen)) < asked:
            found.append(f"demonstration:{target_id}")
    return found
