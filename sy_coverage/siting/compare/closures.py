"""Tell what is left if one open centre closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage.errors import InputError
from sy_coverage.siting.planning.check.figures import count, covered_units, opened_with
from sy_coverage.siting.planning.explain.sites import case_of
from sy_coverage.siting.planning.rules.targets import coverage_kinds

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.sites import Sites


def closures(plan: SitingPlan) -> DataFrame:
    """Return what is left if one open centre closes, each in turn, those of today and those of the plan.

    Returns
    -------
    closures
        Indexed by `site_id`, sorted: `planned` (opened by the plan), `elders_lost` (within the cutoff no more),
        `elders_left`, `units_lost` (ids of units that are then not covered), `targets_lost` (ids of targets then missed).

    Raises
    ------
    InputError
        If the plan is none of `policy_plan`, or has no sites.
    """
    if plan.objective is None:
        raise InputError("closures: needs a plan of policy_plan that has sites")
    case = case_of(plan)
    sites = case.with_kept(plan.sites, plan.figures.closed)
    kinds, opened = coverage_kinds(case), opened_with(case, sites)
    rows, whole = [], count(case, opened)
    met = whole.targets.set_index(["target_id", "scope_id"])["met"]
    here = case.facilities["kind"].isin(kinds) & case.facilities["unit_id"].isin(case.units.index)
    others = [s for s in sites if case.candidates.loc[s, "kind"] in kinds]
    for site_id in sorted([*case.facilities.index[here], *others]):
        without = opened.without(site_id)
        left = count(case, without)
        then = left.targets.set_index(["target_id", "scope_id"])["met"]
        rows.append(
            {
                "site_id": site_id,
                "planned": site_id in plan.sites,
                "elders_lost": whole.elders_covered - left.elders_covered,
                "elders_left": left.elders_covered,
                "units_lost": _units_lost(case, opened, without),
                "targets_lost": tuple(dict.fromkeys(t for t, _ in met.index[met & ~then.reindex(met.index)])),
            }
        )
    columns = ["site_id", "planned", "elders_lost", "elders_left", "units_lost", "targets_lost"]
    return pd.DataFrame(rows, columns=columns).set_index("site_id")


def _units_lost(case: PlanCase, opened: Sites, without: Sites) -> tuple[str, ...]:
    lost: set[str] = set()
    for kind in coverage_kinds(case):
        before, after = (covered_units(case, kind, there) for there in (opened, without))
        lost |= set(case.units.index[before & ~after])
    return tuple(sorted(lost))
