"""Say what is to be looked at in a plan: units it leaves out, sites left out of it, homes far from care, premises too small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage.policy.targets import CITY
from sy_coverage.siting.planning.explain.units import left_out
from sy_coverage.siting.planning.rules.bars import medical_minutes
from sy_coverage.siting.planning.rules.beds import out_of_reach_of_beds
from sy_coverage.siting.planning.rules.stations import premises
from sy_coverage.siting.planning.rules.targets import (
    counted_kinds,
    coverage_kinds,
    medical_kinds,
    served_kinds,
)
from sy_coverage.siting.reasons import reason_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from sy_coverage.siting.planning.rules.case import PlanCase


def no_answer(case: PlanCase, stopped: tuple[str, ...] = ()) -> DataFrame:
    """Return the finding that the time, or as `stopped` notes the memory, was too little for any plan."""
    reason = "no_answer_memory" if "memory_limit" in stopped else "no_answer"
    row = {"reason_id": reason, "subject": CITY, "value": float((~case.stands).sum())}
    return reason_frame([row], policy=case.policy)


def remarks(case: PlanCase, sites: tuple[str, ...]) -> DataFrame:
    """Return what is to be said of a plan: units it leaves without a centre and why, and what is to be looked at."""
    return reason_frame([*left_out(case, sites), *to_look_at(case, sites)], policy=case.policy)


def with_more(findings: DataFrame, more: Sequence[DataFrame]) -> DataFrame:
    """Return `findings` with those of another room behind them."""
    more = [frame for frame in more if len(frame)]
    return pd.concat([findings, *more], ignore_index=True) if more else findings


def to_look_at(case: PlanCase, sites: tuple[str, ...]) -> list[dict[str, object]]:
    """Return what a plan leaves to be looked at: candidates that were left out, homes far from medical care."""
    chosen, sites = sites, case.opened_in(sites)
    rows: list[dict[str, object]] = [{"reason_id": reason, "subject": site} for reason, site in case.left_out]
    rows += [
        {"reason_id": "centre_without_location", "subject": i, "places": (case.facilities.loc[i, "unit_id"],)}
        for i in case.facilities.index[
            case.standing.of_kind(*coverage_kinds(case)) & case.facilities.geometry.isna().to_numpy()
        ]
    ]
    homes = [s for s in sites if case.sites.kind[case.position(s)] in medical_kinds(case)]
    if homes and case.to_medical is not None and case.rules.medical_min is not None:
        minutes = pd.Series(medical_minutes(case), index=case.candidates.index)
        rows += [
            {
                "reason_id": "far_from_medical",
                "subject": s,
                "value": minutes[s],
                "other": case.rules.medical_min,
            }
            for s in homes
            if minutes[s] > case.rules.medical_min
        ]
    rows += [
        {"reason_id": "no_medical_in_house", "subject": s}
        for s in homes
        if case.candidates.loc[s, "has_medical"] is not True
    ]
    rows += [
        {"reason_id": "served_not_said", "subject": CITY, "target_id": k}
        for k in counted_kinds(case)
        if case.policy.kind(k).serves is not None and k not in served_kinds(case) and k in case.times
    ]
    rows += _premises_to_look_at(case, sites)
    rows += [
        {"reason_id": "no_bed_in_reach", "subject": county, "value": len(villages), "places": villages}
        for county, villages in out_of_reach_of_beds(case, chosen).items()
    ]
    return rows


def _premises_to_look_at(case: PlanCase, sites: tuple[str, ...]) -> list[dict[str, object]]:
    """Return the opened stations whose floor area is too small, or not known."""
    found = [(case.ids[p.site], p) for p in premises(case) if case.ids[p.site] in sites]
    return [
        {
            "reason_id": "floor_area_small" if p.small else "floor_area_unknown",
            "subject": site_id,
            "value": p.area,
            "other": p.asked,
        }
        for site_id, p in found
        if p.small or np.isnan(p.area)
    ]


def notes(case: PlanCase) -> tuple[str, ...]:
    """Return what a reader of the certificate must know."""
    caps = [f"{k}: {case.reach(k).cap_min:g} min" for k in coverage_kinds(case) if k in case.times]
    return ("elders beyond all travel times count " + ", ".join(caps),) if caps else ()
