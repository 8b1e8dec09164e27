"""Choose demonstration sites among stations that stand or are proposed, by stated criteria and for most elders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage import coverage
from sy_coverage.errors import InputError
from sy_coverage.policy.targets import FacilityCount
from sy_coverage.siting.explain import reason_frame
from sy_coverage.siting.maximal import mclp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.policy import Policy, Target
    from sy_coverage.roads import TravelTimes
    from sy_coverage.siting._solver import SolveOptions
    from sy_coverage.siting.certificate import SitingPlan


@dataclass(frozen=True)
class Criteria:
    """What a site must have to be shown as an example; what a list does not say, a site does not have."""

    floor_area_m2: float = 0.0
    """At least so much floor area; 0: whatever it is."""
    all_functions: bool = False
    """Every function that its kind is meant to have."""
    has_medical: bool = False
    """Medical care in the house."""


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
    marked = mine.index[_yes(mine, measure.mark)]
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


def _yes(frame: DataFrame, column: str) -> np.ndarray:
    if column not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    return np.asarray(frame[column].eq(other=True).fillna(value=False), dtype=bool)


def _fails(
    policy: Policy, stations: GeoDataFrame, site_id: str, times: TravelTimes, criteria: Criteria
) -> Iterator[dict[str, Any]]:
    """Yield each criterion that a station does not meet."""
    site = stations.loc[site_id]
    if site_id not in times.site_ids:
        yield {"reason_id": "demonstration_no_place", "subject": site_id}
    area = pd.to_numeric(site.get("floor_area_m2"))
    if criteria.floor_area_m2 and not (area is not None and area >= criteria.floor_area_m2):
        known = area is not None and np.isfinite(area)
        yield {
            "reason_id": "demonstration_area_small" if known else "demonstration_area_unknown",
            "subject": site_id,
            "value": area if known else np.nan,
            "other": criteria.floor_area_m2,
        }
    if criteria.all_functions:
        lacking = coverage.missing_functions(stations.loc[[site_id]], policy.kind(site["kind"])).iloc[0]
        if lacking is None or len(lacking):
            yield {
                "reason_id": "demonstration_functions_missing"
                if lacking
                else "demonstration_functions_unknown",
                "subject": site_id,
                "places": tuple(lacking or ()),
            }
    if criteria.has_medical and site.get("has_medical") is not True:
        yield {"reason_id": "demonstration_no_medical", "subject": site_id}


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
    return replace(times, minutes=matrix, cutoff_min=min(times.cutoff_min, longest))
