"""Give a plan its certificate, once every rule is recounted and our own search cannot beat it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage import coverage
from sy_coverage.errors import CertificateError, some
from sy_coverage.siting.plan import Certificate, PlanFigures, SitingPlan
from sy_coverage.siting.planning import demonstration
from sy_coverage.siting.planning.check.beat import require_unbeaten
from sy_coverage.siting.planning.explain import remarks
from sy_coverage.siting.planning.explain.sites import Reasons
from sy_coverage.siting.planning.rules import nursing
from sy_coverage.siting.planning.rules.bars import hosts, one_of
from sy_coverage.siting.planning.rules.targets import medical_kinds, requirements
from sy_coverage.siting.planning.stages import TIE_BREAK, Solved
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.siting.planning.check.figures import Figures
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.solve.highs import SolveOptions

RULES = (
    "coverage_targets",
    "counts",
    "upgrades",
    "required",
    "forbidden",
    "host",
    "one_upgrade",
    "group",
    "replaced",
    "spread",
    "medical",
    "budget",
    "cost_limit",
    "running_budget",
    "worst",
    "stations",
    "floor_area",
    "beds",
    "nursing_beds",
    "demonstration",
)
"""Ids of the rules that a plan's certificate has recomputed, as far as the rules ask for them."""


TARGET_RULES = frozenset({"coverage_targets", "counts", "upgrades", "demonstration"})
"""Those that a plan which only comes near to the targets does not keep."""


def finished(
    case: PlanCase, solved: Solved, *, options: SolveOptions, findings: DataFrame | None = None
) -> SitingPlan:
    """Return the certified plan of what the stages came to.

    Raises
    ------
    CertificateError
        If a rule does not hold, or our own search finds something better.
    """
    if solved.figures is None:
        return SitingPlan(
            (), "no_answer", None, None, None, None, findings=remarks.no_answer(case, solved.stopped)
        )
    checked = solved.figures
    if checked.broken:
        raise CertificateError(f"the plan breaks rules: {some(checked.broken)}; it is not shown")
    if not solved.elastic and not checked.met:
        missed = checked.targets[~checked.targets["met"]]
        named = (f"{t} in {s}" for t, s in zip(missed["target_id"], missed["scope_id"], strict=True))
        raise CertificateError(f"the plan misses targets: {some(named)}; it is not shown")
    beyond = case.rules.cost_limit is not None or bool(case.rules.differ_from or case.rules.adopted)
    heuristic = require_unbeaten(
        case, solved.sites, checked, elastic=solved.elastic or beyond, proved=solved.status == "optimal"
    )
    first = solved.stages[0]
    opened = case.opened_in(solved.sites)
    shown = demonstration.shown(case, solved.sites, options=options)
    stages = (*solved.stages, *shown.stages)
    proved = solved.status == "optimal" and all(s.proved for s in stages)
    certificate = Certificate(
        problem="policy_plan",
        rules=rules_of(case, elastic=solved.elastic),
        stages=stages,
        solver=solved.solver or "no solver was needed",
        options=(
            *case.rules.written(),
            ("gap", str(options.gap)),
            ("time_limit_s", str(options.time_limit_s)),
        ),
        heuristic_value=heuristic,
        notes=(*remarks.notes(case), *solved.stopped, *_unsettled(solved)),
    )
    gap = 0.0 if first.proved else highs.relative_gap(first.value, first.bound)
    return SitingPlan(
        sites=opened,
        status="optimal" if proved else "feasible",
        objective=first.value,
        bound=first.bound,
        gap=gap,
        certificate=certificate,
        assignment=checked.assignment.rename("site_id"),
        reasons=Reasons(case, solved, replace(options, progress=None)),
        findings=remarks.with_more(
            remarks.remarks(case, solved.sites) if findings is None else findings, shown.findings
        ),
        figures=plan_figures(case, solved.sites, checked, shown),
    )


def plan_figures(
    case: PlanCase, sites: tuple[str, ...], checked: Figures, shown: demonstration.Shown
) -> PlanFigures:
    """Return what a plan says of itself, as it was recounted; of beds where the rules ask for them."""
    beds, converted = case.rules.beds_per_elder is not None, case.rules.conversion_cost is not None
    return PlanFigures(
        cost=checked.cost,
        elders_covered=checked.elders_covered,
        elder_minutes=checked.elder_minutes,
        home_minutes=checked.home_minutes,
        targets=checked.targets,
        targets_met=checked.met,
        new_sites=len(case.opened_in(sites)),
        closed=case.closed_in(sites),
        conversions=checked.conversions if converted else None,
        conversion_cost=float(checked.conversions["cost"].sum()) if converted else None,
        beds=checked.beds if beds else None,
        demonstration=shown.table,
        running_cost=_running_cost(case, sites),
        served=checked.served if len(checked.served) else None,
        **_fairness(case, checked),
    )


def _running_cost(case: PlanCase, sites: tuple[str, ...]) -> float | None:
    if "running_cost" not in case.candidates.columns:
        return None
    return float(sum(case.running_costs[case.position(s)] for s in sites))


def _fairness(case: PlanCase, checked: Figures) -> dict[str, Any]:
    """Return how unequal the ways of elders to the nearest centre are, of those whose way is known."""
    known = checked.nearest.notna().to_numpy()
    weights, minutes = case.elders[known], checked.nearest.to_numpy(float)[known]
    if not weights.sum():
        return {}
    order = np.argsort(minutes, kind="stable")[::-1]
    # how many of each point's elders are among the tenth whose way is longest
    before = np.cumsum(weights[order]) - weights[order]
    among_worst = np.clip(weights.sum() / 10 - before, 0.0, weights[order])
    return {
        "worst_min": float(minutes[weights > 0].max()),
        "worst_tenth_min": float(among_worst @ minutes[order] / (weights.sum() / 10)),
        "gini_min": float(coverage.gini(minutes, weights)),
    }


def rules_of(case: PlanCase, *, elastic: bool) -> tuple[str, ...]:
    """Return the rules that a plan of `case` has kept: those that there was anything to look at for."""
    rules, sites, needs = case.rules, case.sites, requirements(case)
    new = ~case.stands
    counted = {n.target_id for n in needs if n.counts == "sites"}
    measures = {t.id: t.measure.of for t in case.policy.targets}
    applied = {
        "coverage_targets": any(n.counts == "units" for n in needs),
        "counts": any(measures[i] == "facility_count" for i in counted - {*rules.demonstration}),
        "upgrades": any(measures[i] == "upgrade_count" for i in counted),
        "required": bool(case.required.any()),
        "forbidden": bool(rules.forbid),
        "host": bool(hosts(case)) or any(h is not None for h in sites.host_id),
        "one_upgrade": any(rule == "one_upgrade" for rule, _ in one_of(case)),
        "group": any(rule == "group" for rule, _ in one_of(case)),
        "replaced": bool(case.movable),
        "spread": rules.spread_min is not None and case.between_homes is not None,
        "medical": rules.medical_min is not None
        and rules.medical == "bar"
        and bool((sites.of_kind(*medical_kinds(case)) & new).any()),
        "budget": rules.budget is not None,
        "cost_limit": rules.cost_limit is not None,
        "running_budget": rules.running_budget is not None,
        "worst": rules.worst_min is not None,
        "stations": rules.station_walk_min is not None,
        "floor_area": rules.floor_area == "bar",
        "beds": rules.beds_per_elder is not None,
        "nursing_beds": nursing.planned(case),
        "demonstration": bool(rules.demonstration),
    }
    return tuple(r for r in RULES if applied[r] and not (elastic and r in TARGET_RULES))


def _unsettled(solved: Solved) -> tuple[str, ...]:
    """Return the note that equal plans may exist besides, where the last stage ran out of time."""
    settled = solved.status != "optimal" or any(stage.objective_id == TIE_BREAK for stage in solved.stages)
    return () if settled else ("ties_not_settled",)
