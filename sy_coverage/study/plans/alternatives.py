"""Ask for a county's plan in other ways: what money buys, what other readings and cutoffs give, what one closure costs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage import coverage, siting
from sy_coverage.errors import CoverageError
from sy_coverage.roads.travel_times import shortest, within_cutoff
from sy_coverage.siting.planning.explain.sites import Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pandas import DataFrame

    from sy_coverage.labels import Language
    from sy_coverage.policy import Policy
    from sy_coverage.siting import SitingPlan
    from sy_coverage.study.config.questions.compare import Compare

    Tables = dict[str, DataFrame]

SENSITIVITY = ["reading_id", "factor", "street", "township", "status", "cost", "new_sites", "elders_covered"]
"""The columns of the table of other readings; `street` and `township` are cutoffs in minutes."""


def narrowed(case: Mapping[str, Any], county_id: str | None) -> dict[str, Any]:
    """Return a study's `case` for one county, or (None) all of it: what lies beyond the border still counts for access."""
    own = dict(case)
    if county_id is not None:
        for name in ("units", "candidates", "demand"):
            frame = case[name]
            own[name] = frame[frame["county_id"] == county_id]
        rules: siting.PlanRules = case["rules"]
        own["rules"] = replace(
            rules,
            demonstration={},  # as many as the whole city shows are not one county's to show
            require=tuple(i for i in rules.require if i in own["candidates"].index),
            forbid=tuple(i for i in rules.forbid if i in own["candidates"].index or i in rules.close),
            move={i: facility for i, facility in rules.move.items() if i in own["candidates"].index},
            paid_over={i: years for i, years in rules.paid_over.items() if i in own["candidates"].index},
            phases=_phases_of(rules.phases, county_id, own["units"]),
        )
    return own


def _phases_of(
    phases: Mapping[int, Mapping[str, Any]], county_id: str, units: DataFrame
) -> dict[int, dict[str, Any]]:
    """Return what the years have for one county: of budgets by county its own."""
    named = {county_id, *units["county"]}
    return {
        year: {
            **limits,
            "counties": {c: v for c, v in (limits.get("counties") or {}).items() if c in named},
        }
        for year, limits in phases.items()
    }


def read_county(case: Mapping[str, Any], county_id: str | None) -> siting.PlanCase:
    """Return a study's `case` for one county, or (None) all of it, as a plan reads it."""
    own = narrowed(case, county_id)
    return siting.read_case(**{k: v for k, v in own.items() if k != "options"})


def plan_county(case: Mapping[str, Any], county_id: str | None) -> SitingPlan:
    """Return the proved plan of one county of a study's `case`, or (None) one plan for all of it, counted again.

    `figures.verification` is what `siting.verify` came to, without the solver.
    """
    plan = siting.policy_plan(**narrowed(case, county_id))
    if plan.best.objective is None or plan.certificate is None:
        return plan
    return replace(plan, figures=replace(plan.figures, verification=siting.verify(plan)))


def spoken(plan: SitingPlan, language: Language) -> SitingPlan:
    """Return `plan`, and the best that can be had meanwhile, as they show themselves in `language`."""
    best = plan.figures.attainable
    if best is not None:
        plan = replace(plan, figures=replace(plan.figures, attainable=replace(best, language=language)))
    return replace(plan, language=language)


def with_case(
    plan: SitingPlan, case: Mapping[str, Any], county_id: str | None, *, language: Language
) -> SitingPlan:
    """Return a plan that came from another process as one that can be looked at again: its case is read from a study's."""

    @cache
    def again() -> siting.PlanCase:
        return read_county(case, county_id)

    def known(plan: SitingPlan) -> SitingPlan:
        if not isinstance(plan.reasons, Told):
            return plan
        return replace(plan, reasons=replace(plan.reasons, again=again))

    meanwhile = plan.figures.attainable
    if meanwhile is not None:
        plan = replace(plan, figures=replace(plan.figures, attainable=known(meanwhile)))
    return spoken(known(plan), language)


def compared(
    case: Mapping[str, Any], county_id: str | None, plan: SitingPlan, asked: Compare
) -> dict[str, DataFrame]:
    """Return what stands beside the plan of one county, or (None) of the whole city.

    Returns
    -------
    tables
        `trade_off` as `siting.trade_off`, from opening nothing that is not required to the most elders; `closures` as
        `siting.closures`; `sensitivity` with the columns `SENSITIVITY`, first the plan itself; the figures of an
        ``infeasible`` one are those of the best that can be had. What was not asked for, or cannot be said of this plan,
        is not there.
    """
    best = plan.best
    tables: Tables = {}
    if best.sites or best.certificate is not None:
        if asked.trade_off_points:
            tables |= _kept("trade_off", best, asked)
        if asked.closures:
            tables |= _kept("closures", best, asked)
        if asked.trade_off_points:
            tables |= _more_money(case, county_id, plan)
    readings = list(_readings(case["policy"], asked))
    if readings:
        rows = [_row("base", case["policy"], plan)]
        for reading_id, policy, factor in readings:
            other = plan_county({**case, "policy": policy}, county_id)
            rows.append(_row(reading_id, policy, other, factor=factor))
        tables["sensitivity"] = pd.DataFrame(rows, columns=SENSITIVITY)
    return tables


def _kept(name: str, plan: SitingPlan, asked: Compare) -> Tables:
    """Return one table of a plan, or nothing where it is a plan of which that cannot be asked."""
    try:
        if name == "closures":
            return {name: siting.closures(plan)}
        options = siting.SolveOptions(time_limit_s=asked.time_limit_s)
        points = asked.trade_off_points
        return {name: siting.trade_off(plan, points=points, keep_targets=False, options=options)}
    except CoverageError:
        return {}


MORE = 0.05
"""So much more than the least cost is asked about, as a share of it."""


def _more_money(case: Mapping[str, Any], county_id: str | None, plan: SitingPlan) -> Tables:
    """Return what `MORE` money would buy with all targets kept: one row; nothing where money is limited or no plan is proved.

    `slack`, `limit`, `cost` and `cost_before`, `elders_covered` and `elders_before`, `new_sites`.
    """
    rules: siting.PlanRules = case["rules"]
    before = plan.figures
    bound = rules.budget is not None or rules.slack is not None or rules.phases
    if plan.status != "optimal" or bound or before.cost is None or before.targets_met is False:
        return {}
    try:
        richer = siting.policy_plan(**narrowed({**case, "rules": replace(rules, slack=MORE)}, county_id))
    except CoverageError:
        return {}
    if richer.status != "optimal":
        return {}
    row = {
        "slack": MORE,
        "limit": before.cost * (1 + MORE),
        "cost": richer.figures.cost,
        "cost_before": before.cost,
        "elders_covered": richer.figures.elders_covered,
        "elders_before": before.elders_covered,
        "new_sites": len(richer.sites),
    }
    return {"more_money": pd.DataFrame([row])}


def _readings(policy: Policy, asked: Compare) -> Iterator[tuple[str, Policy, float]]:
    """Yield id, policy and factor of every other reading: shorter and longer cutoffs, and the other rule."""
    kind = policy.kind(policy.coverage_kind)
    for factor in sorted(set(asked.cutoff_factors) - {1.0}):
        cutoffs = {unit: minutes * factor for unit, minutes in kind.cutoff_min.items()}
        yield "cutoff", policy.with_access(cutoff_min=cutoffs, kind=kind.id), factor
    if asked.rule:
        other = "access" if policy.readings.rule == "presence" else "presence"
        yield f"rule_{other}", policy.with_readings(rule=other), 1.0


def _row(reading_id: str, policy: Policy, plan: SitingPlan, *, factor: float = 1.0) -> dict[str, object]:
    cutoffs = policy.kind(policy.coverage_kind).cutoff_min
    best = plan.best
    there = best.status in {"optimal", "feasible"}
    return {
        "reading_id": reading_id,
        "factor": factor,
        "street": cutoffs["street"],
        "township": cutoffs["township"],
        "status": plan.status,
        "cost": best.figures.cost if there else np.nan,
        "new_sites": len(best.sites) if there else np.nan,
        "elders_covered": best.figures.elders_covered if there else np.nan,
    }


def other_scope(case: Mapping[str, Any], counties: Mapping[str, str]) -> DataFrame:
    """Return what each county would build with the other scope of the coverage rates.

    Returns
    -------
    other
        Indexed by `county_id`, with the columns `SENSITIVITY`: `reading_id` is ``scope_city`` (the county's part of one
        plan for the whole city, its own sites alone) or ``scope_county``; numbers are missing where there is no plan.
    """
    policy: Policy = case["policy"]
    scope = "city" if policy.readings.scope == "county" else "county"
    asked = {**case, "policy": policy.with_readings(scope=scope)}
    whole = plan_county(asked, None) if scope == "city" else None
    rows = {}
    for county_id in counties:
        plan = plan_county(asked, county_id) if whole is None else whole
        rows[county_id] = _row(f"scope_{scope}", asked["policy"], plan)
        if whole is not None and whole.best.sites:
            rows[county_id] |= _part(asked, whole.best.sites, county_id)
    return pd.DataFrame.from_dict(rows, orient="index", columns=SENSITIVITY).rename_axis("county_id")


def _part(case: Mapping[str, Any], sites: tuple[str, ...], county_id: str) -> dict[str, object]:
    """Return what those of `sites` that lie in one county cost, and how many of its elders are then within the cutoff."""
    own, policy = narrowed(case, county_id), case["policy"]
    here = [site for site in sites if site in own["candidates"].index]
    demand, near = own["demand"], np.zeros(len(own["demand"]), dtype=bool)
    for kind in (k for k in policy.covered_kinds if k in case["times"]):
        times = case["times"][kind]
        standing = set(times.site_ids) - set(case["candidates"].index)
        reached = times.select(sites=sorted({*standing, *here} & set(times.site_ids)), demand=demand.index)
        cutoff = coverage.cutoffs_of(demand, own["units"], kind=policy.kind(kind))
        near |= within_cutoff(shortest(reached.minutes), cutoff)
    elders = demand[policy.readings.elders].to_numpy(dtype=float)
    return {
        "cost": float(own["candidates"].loc[here, "cost"].sum()),
        "new_sites": len(here),
        "elders_covered": float(elders[near].sum()),
    }
