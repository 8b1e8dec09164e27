"""Tell how long the chain of referral is: from a home to the nearest medical institution, and on to the county's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage.errors import InputError
from sy_coverage.siting.planning.explain.sites import case_of
from sy_coverage.siting.planning.rules.targets import medical_kinds

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.roads import TravelTimes
    from sy_coverage.siting.plan import SitingPlan


def referral_chain(
    plan: SitingPlan, *, to_county: TravelTimes, to_medical: TravelTimes | None = None
) -> DataFrame:
    """Return for every home, standing or opened by a plan, the minutes to its medical institution and on to the county's.

    Of all medical institutions in reach the nearest is taken, of those equally near the first id; from there the nearest county
    institution. A home that is nearer to a county institution than to any other still shows both legs.

    Parameters
    ----------
    plan
        A plan of `policy_plan` that has sites.
    to_county
        Minutes between medical institutions (and homes) and county institutions, the latter as sites.
    to_medical
        Minutes between homes and medical institutions, the homes on either side; None: those the plan was made with.

    Returns
    -------
    chain
        Indexed by `site_id`: `planned`, `county_id`, `medical_id`, `medical_min`, `institution_id`, `institution_min` (from the
        medical institution), `chain_min` (both), `direct_min` (from the home itself, where `to_county` knows it). Missing where
        nothing is within the times.

    Raises
    ------
    InputError
        If the plan has no sites, or minutes to medical institutions are neither given nor known.
    """
    if plan.objective is None:
        raise InputError("referral_chain: needs a plan of policy_plan that has sites")
    case = case_of(plan)
    times = case.to_medical if to_medical is None else to_medical
    if times is None:
        raise InputError(
            "referral_chain: give to_medical, the minutes between homes and medical institutions"
        )
    kept = case.with_kept(plan.sites, plan.figures.closed)
    open_ = {**dict(zip(case.standing.ids, case.standing.kind, strict=True))}
    county = dict(zip(case.standing.ids, case.standing.county, strict=True))
    for site_id in kept:
        j = case.position(site_id)
        open_[site_id], county[site_id] = case.sites.kind[j], case.sites.county[j]
    homes = sorted(
        i for i, kind in open_.items() if kind in medical_kinds(case) and county[i] in case.counties
    )
    rows = {}
    for home in homes:
        medical, minutes = _nearest(times, home)
        institution, further = _nearest(to_county, medical) if medical is not None else (None, np.nan)
        rows[home] = [
            home in plan.sites,
            county[home],
            medical,
            minutes,
            institution,
            further,
            minutes + further,
            _nearest(to_county, home)[1],
        ]
    columns = ["planned", "county_id", "medical_id", "medical_min", "institution_id", "institution_min", "chain_min", "direct_min"]  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("site_id")


def _nearest(times: TravelTimes, place: str) -> tuple[str | None, float]:
    """Return the nearest on the other side of the table, of equals the first id, and the minutes; None and NaN where there is none."""
    if place in times.demand_at:
        column = times.minutes[:, [times.demand_at[place]]].tocoo()
        found = list(zip(column.data.tolist(), (times.site_ids[r] for r in column.row), strict=True))
    elif place in times.site_at:
        row = times.minutes[[times.site_at[place]]].tocoo()
        found = list(zip(row.data.tolist(), (times.demand_ids[c] for c in row.col), strict=True))
    else:
        return None, np.nan
    minutes, other = min((f for f in found if f[1] != place), default=(np.nan, None))
    return other, minutes
