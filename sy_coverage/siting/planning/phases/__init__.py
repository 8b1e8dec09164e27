"""Spread a plan over years, each with its money or number of sites, in one model: most elder-years, targets met by the last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sy_coverage.policy.targets import CITY
from sy_coverage.siting.plan import Certificate, PlanFigures, SitingPlan
from sy_coverage.siting.planning import demonstration, shortfall
from sy_coverage.siting.planning.certify import plan_figures, rules_of
from sy_coverage.siting.planning.check.figures import figures
from sy_coverage.siting.planning.explain import remarks
from sy_coverage.siting.planning.explain.sites import Reasons
from sy_coverage.siting.planning.phases.check import (
    require_rules,
    require_unbeaten,
    stage_of,
    table_of,
)
from sy_coverage.siting.planning.phases.model import Phased
from sy_coverage.siting.planning.phases.money import years_of
from sy_coverage.siting.planning.stages import Solved, solve_stages
from sy_coverage.siting.reasons import reason_frame
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from sy_coverage.siting.planning.phases.model import Run
    from sy_coverage.siting.planning.phases.money import Year
    from sy_coverage.siting.planning.rules.case import PlanCase
    from sy_coverage.siting.solve.highs import SolveOptions


def phased_plan(case: PlanCase, *, options: SolveOptions) -> SitingPlan:
    """Return the plan of a case over several years.

    Once open, a site stays open. Of all plans that keep every rule, meet every target by the last year and keep within
    each year's money and number: one with the most elders within the cutoff, summed over the years; of those the
    cheapest; then the one that opens earliest; then the least sum over years of the ranks of its ids.
    `figures.years` says what each year buys. Where the targets cannot be met so, the plan is ``infeasible`` and
    `best` comes as near to them as the years allow.
    """
    years = years_of(case)
    with highs.Watch(options) as watch:
        least: float | None = None
        if case.rules.slack is not None:
            case, least, proved = _within_slack(case, case.rules.slack, years, watch)
        run = Phased(case, years, elastic=False).solve(watch)
        if run.status != "infeasible":
            if least is not None and not proved:  # what the slack is a share of is not proved
                run = replace(run, status="feasible" if run.answers else run.status)
            plan = _finished(case, years, run, watch, elastic=False)
            return replace(plan, figures=replace(plan.figures, least_cost=least))
        whole = solve_stages(case.but(budget=None), watch=watch, most=1)
        if whole.status == "infeasible":
            return shortfall.explained(case.but(budget=None), whole, watch=watch)
        meanwhile = Phased(case, years, elastic=True).solve(watch)
    attainable = None
    if meanwhile.answers:
        attainable = _finished(case, years, meanwhile, watch, elastic=True)
    certificate = Certificate(
        "phased_plan",
        (),
        attainable.certificate.stages[:1] if attainable and attainable.certificate else (),
        meanwhile.solver,
        _options(case, years, options),
        None,
        notes=("no choice of candidates and years meets every target",),
    )
    findings = reason_frame(_why_not(case, years, whole), policy=case.policy)
    figures_ = PlanFigures(attainable=attainable, targets_met=False)
    return SitingPlan((), "infeasible", None, None, None, certificate, findings=findings, figures=figures_)


def _within_slack(
    case: PlanCase, slack: float, years: tuple[Year, ...], watch: highs.Watch
) -> tuple[PlanCase, float | None, bool]:
    """Return the case that costs no more than the cheapest plan of the years and `slack` of it, what that costs, and whether it is proved."""
    cheapest = Phased(case, years, elastic=False).solve(watch, cheapest=True)
    if not cheapest.answers:
        return case, None, False
    least = figures(case, cheapest.schedule.kept(case, years[-1].year)).cost
    limits = (case.cost_within(least, slack), case.rules.cost_limit)
    limited = case.but(cost_limit=min(limit for limit in limits if limit is not None))
    return limited, least, cheapest.status == "optimal"


def _why_not(case: PlanCase, years: tuple[Year, ...], whole: Solved) -> list[dict[str, object]]:
    if whole.figures is None:
        return []
    budgets = [y.budget for y in years if y.budget is not None]
    if len(budgets) == len(years):
        enough = sum(budgets) >= whole.figures.cost
        fixed = case.rules.carry or any(y.counties or y.sites is not None for y in years)
        reason_id = "phase_limits_in_the_way" if fixed else "phase_budget_not_carried"
        reason_id = reason_id if enough else "phase_budget_too_small"
        row = {"reason_id": reason_id, "value": sum(budgets), "other": whole.figures.cost}
    elif any(y.sites is None for y in years):
        row = {
            "reason_id": "phase_limits_in_the_way",
            "value": float(sum(budgets)),
            "other": whole.figures.cost,
        }
    else:
        row = {
            "reason_id": "phase_sites_too_few",
            "value": sum(y.sites for y in years if y.sites is not None),
            "other": len(case.opened_in(whole.sites)),
        }
    return [{"subject": CITY, **row}]


def _options(case: PlanCase, years: tuple[Year, ...], options: SolveOptions) -> tuple[tuple[str, str], ...]:
    return (
        *case.rules.written(),
        ("phases", "; ".join(_said(y) for y in years)),
        ("gap", str(options.gap)),
        ("time_limit_s", str(options.time_limit_s)),
    )


def _said(year: Year) -> str:
    counties = "".join(f", {county} {budget}" for county, budget in year.counties)
    return f"{year.year}: budget {year.budget}, sites {year.sites}{counties}"


def _finished(
    case: PlanCase, years: tuple[Year, ...], run: Run, watch: highs.Watch, *, elastic: bool
) -> SitingPlan:
    """Return the certified plan, every year recomputed from the frames."""
    if not run.answers:
        findings = remarks.no_answer(case, watch.stopped)
        return SitingPlan((), "no_answer", None, None, None, None, findings=findings)
    schedule = run.schedule
    kept = [schedule.kept(case, year.year) for year in years]
    checked = [figures(case, sites) for sites in kept]
    last = checked[-1]
    require_rules(case, years, run, checked, elastic=elastic)
    stages = tuple(stage_of(case, years, schedule, checked, *answer) for answer in run.answers)
    require_unbeaten(case, years, run, checked)
    proved = run.status == "optimal" and all(s.proved for s in stages)
    shown = demonstration.shown(case, kept[-1], options=watch.options)
    stages = (*stages, *shown.stages)
    proved = proved and all(s.proved for s in shown.stages)
    certificate = Certificate(
        "phased_plan",
        (*rules_of(case, elastic=elastic), "years"),
        stages,
        run.solver,
        _options(case, years, watch.options),
        None,
        notes=(*remarks.notes(case), *watch.stopped),
    )
    sites = tuple(sorted(schedule.opens))
    solved = Solved("optimal" if proved else "feasible", kept[-1], stages, last, run.solver, elastic=elastic)
    first = stages[0]
    return SitingPlan(
        sites,
        solved.status,
        first.value,
        first.bound,
        0.0 if first.proved else highs.relative_gap(first.value, first.bound),
        certificate,
        assignment=last.assignment.rename("site_id"),
        phase=dict(sorted(schedule.opens.items())),
        reasons=Reasons(case, solved, replace(watch.options, progress=None), dict(schedule.opens)),
        findings=remarks.with_more(remarks.remarks(case, kept[-1]), shown.findings),
        figures=replace(
            plan_figures(case, kept[-1], last, shown),
            home_minutes=None,
            years=table_of(case, years, schedule, checked),
            closes=dict(sorted(schedule.closes.items())),
        ),
    )
