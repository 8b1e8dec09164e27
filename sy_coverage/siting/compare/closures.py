"""Tell what is left if one open centre closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage.errors import InputError
from sy_coverage.siting.planning.check.figures import count, covered_units, figures, opened_with
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


def idle_centres(plan: SitingPlan) -> DataFrame:
    """Return the centres that a plan opens though as many elders would be within the cutoff without them, and why they are in.

    Returns
    -------
    idle
        Indexed by `site_id`: `cost` (10⁴ yuan), `why` (``targets``: the targets in `targets` fail without it; ``required``;
        ``rules``: without it another rule is broken, such as a host or stations; ``equal``: it costs nothing or shortens ways),
        `targets` (ids), `units` (ids of the units that it covers alone).

    Raises
    ------
    InputError
        If the plan is none of `policy_plan`, or has no sites.
    """
    lost, case = closures(plan), case_of(plan)
    lost = lost[lost["planned"] & (lost["elders_lost"] == 0)]
    kept, rows = case.with_kept(plan.sites, plan.figures.closed), {}
    for site_id, row in lost.iterrows():
        without = [s for s in kept if s != site_id]
        why = "equal"
        if case.required[case.position(str(site_id))]:
            why = "required"
        elif row["targets_lost"]:
            why = "targets"
        elif {b.partition(":")[0] for b in figures(case, without).broken} - {"required"}:
            why = "rules"
        rows[site_id] = [
            float(case.candidates.loc[site_id, "cost"]),
            why,
            row["targets_lost"],
            row["units_lost"],
        ]
    columns = ["cost", "why", "targets", "units"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("site_id")
