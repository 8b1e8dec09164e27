"""Set the sites and sums of two plans side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage.siting.planning.explain.sites import case_of

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.siting.plan import SitingPlan


def compare_plans(one: SitingPlan, other: SitingPlan) -> DataFrame:
    """Return the sites of two plans side by side.

    Returns
    -------
    comparison
        Indexed by `site_id`, sorted: `kind`, `unit_id`, `cost`, `in_one`, `in_other`. `.attrs["totals"]` is a frame
        of `cost`, `new_sites` and `elders_covered` of both, and how many sites they share.

    Raises
    ------
    InputError
        If a plan is none of `policy_plan`.
    """
    cases = [case_of(p).candidates for p in (one, other)]
    rows = []
    for site_id in sorted({*one.sites, *other.sites}):
        site = next(c.loc[site_id] for c in cases if site_id in c.index)
        rows.append(
            {
                "site_id": site_id,
                "kind": site["kind"],
                "unit_id": site["unit_id"],
                "cost": float(site["cost"]),
                "in_one": site_id in one.sites,
                "in_other": site_id in other.sites,
            }
        )
    columns = ["site_id", "kind", "unit_id", "cost", "in_one", "in_other"]
    frame = pd.DataFrame(rows, columns=columns).set_index("site_id")
    totals = pd.DataFrame([summary(p) for p in (one, other)], index=pd.Index(["one", "other"], name="plan"))
    frame.attrs["totals"] = totals.drop(columns="sites").assign(
        shared=int((frame["in_one"] & frame["in_other"]).sum())
    )
    return frame


def summary(plan: SitingPlan) -> dict[str, object]:
    """Return cost, number of sites, elders covered and sites of a plan."""
    return {
        "cost": plan.figures.cost,
        "new_sites": len(plan.sites),
        "elders_covered": plan.figures.elders_covered,
        "sites": plan.sites,
    }
