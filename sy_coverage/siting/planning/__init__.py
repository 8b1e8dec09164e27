"""Find the cheapest sites that meet a policy's targets, of those the best for elders, and prove it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sy_coverage.siting.planning import shortfall
from sy_coverage.siting.planning.certify import finished
from sy_coverage.siting.planning.phases import phased_plan
from sy_coverage.siting.planning.rules.case import PlanCase, read_case
from sy_coverage.siting.planning.rules.plan_rules import asked_by_rules
from sy_coverage.siting.planning.stages import Solved, solve_stages
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.highs import SolveOptions
from sy_coverage.siting.solve.memory import within_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.policy import Policy
    from sy_coverage.roads import TravelTimes
    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.plan_rules import PlanRules


@asked_by_rules
@within_memory
def policy_plan(
    units: GeoDataFrame,
    facilities: GeoDataFrame,
    candidates: GeoDataFrame,
    demand: GeoDataFrame,
    *,
    policy: Policy,
    times: Mapping[str, TravelTimes],
    between_homes: TravelTimes | None = None,
    to_medical: TravelTimes | None = None,
    rules: PlanRules | None = None,
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return which candidates to open so that every target of `policy` is met in the counties of `units`, with proof.

    Of all plans that keep the rules: the cheapest; of those, one with the most elders within the cutoff of a centre; of
    those, the least elder-minutes to the nearest centre; then the least elder-minutes to the nearest of the kinds that
    are counted by county (dementia units, regional homes), each for the elders of its own county; then the least sum of
    the ranks of the ids in the list of candidates. Each stage is proved and fixed before the next. An elder whom no
    centre reaches within the travel times counts as many minutes as these hold.

    Parameters
    ----------
    units
        Streets and townships for which the targets must hold, indexed by `unit_id`.
    facilities
        What there is, also beyond the border; what is open on the date of `rules` stays open and costs nothing.
    candidates
        What could be opened, with `cost` in 10⁴ yuan; those marked `required` open in any case. Candidates of other
        counties, or without a point, are left out and listed in the plan's findings.
    demand
        Villages with elders; only those in `units` are counted.
    policy
        Says by `measure` what is counted; its kinds give the cutoffs.
    times
        Minutes by kind, from demand to the located open facilities and candidates of that kind.
    between_homes
        Minutes between homes (sites × sites); of a pair the shorter direction counts.
    to_medical
        Minutes between homes and medical institutions, the homes on either side.
    rules
        Every choice of a planner besides: see `siting.PlanRules`.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        `objective` is the cost (with a budget that is too small, what counts towards the targets). An ``infeasible``
        plan has no sites; its `findings` say why, and `best` is the best that can be had meanwhile.

    Raises
    ------
    InputError
        If an argument or frame cannot be used.
    UnknownIdError
        If `times` lack a site or demand point.
    CertificateError
        If the answer does not stand up to our own arithmetic.
    """
    case = read_case(
        units,
        facilities,
        candidates,
        demand,
        policy=policy,
        times=times,
        between_homes=between_homes,
        to_medical=to_medical,
        rules=rules,
    )
    return plan_case(case, options=options)


def plan_case(case: PlanCase, *, options: SolveOptions | None = None) -> SitingPlan:
    """Return the plan of a case that `siting.read_case` has read, as `policy_plan` does.

    A case can be held and asked again under other rules: ``plan_case(case.but(forbid=["C-0201"]))``.

    Parameters
    ----------
    case
        What is planned.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        As of `policy_plan`.

    Raises
    ------
    InputError
        If the rules cannot be used.
    CertificateError
        If the answer does not stand up to our own arithmetic.
    """
    options = options or SolveOptions()
    if case.rules.phases:
        return phased_plan(case, options=options)
    if case.rules.slack is not None:
        return _within_slack(case, case.rules.slack, options=options)
    if case.rules.budget is not None:
        return _within_budget(case, case.rules.budget, options=options)
    with highs.Watch(options) as watch:
        solved = solve_stages(case, watch=watch)
        if solved.status == "infeasible":
            return shortfall.explained(case, solved, watch=watch)
        return finished(case, solved, options=options)


def _within_budget(case: PlanCase, budget: float, *, options: SolveOptions) -> SitingPlan:
    """Return the plan of a case with a budget: the cheapest plan where it fits, else what comes nearest to the targets."""
    with highs.Watch(options) as watch:
        cheapest = _cheapest(case, watch)
        if cheapest.status == "infeasible":
            return shortfall.explained(case, cheapest, watch=watch)
        if cheapest.figures is None:
            return finished(case, cheapest, options=options)
        if cheapest.figures.cost > budget:
            return shortfall.within_budget(case, cheapest, watch=watch)
        # where changes come before cost, the budget is a rule; else the cheapest plan keeps it anyway
        free = case if case.rules.adopted or case.rules.differ_from else case.but(budget=None)
        return finished(case, solve_stages(free, watch=watch), options=options)


def _cheapest(case: PlanCase, watch: highs.Watch) -> Solved:
    """Return what meeting the targets costs at least, whatever else is asked of the plan and whatever money there is."""
    bare = case.but(slack=None, budget=None, adopted=(), differ_from=())
    return solve_stages(bare, watch=watch, most=1)


def _within_slack(case: PlanCase, slack: float, *, options: SolveOptions) -> SitingPlan:
    """Return the best plan for elders that costs no more than the cheapest and `slack` of it."""
    with highs.Watch(options) as watch:
        cheapest = _cheapest(case, watch)
        if cheapest.figures is None:
            plain = case.but(slack=None)
            if cheapest.status == "infeasible":
                return shortfall.explained(plain, cheapest, watch=watch)
            return finished(plain, cheapest, options=options)
        least, budget = cheapest.figures.cost, case.rules.budget
        if budget is not None and least > budget:
            return shortfall.within_budget(case.but(slack=None), cheapest, watch=watch)
        limits = (case.cost_within(least, slack), budget, case.rules.cost_limit)
        case = case.but(cost_limit=min(limit for limit in limits if limit is not None))
        solved = solve_stages(case, watch=watch)
        if solved.figures is None:  # the time is up: the cheapest plan in hand keeps the slack too
            solved = replace(cheapest, status="feasible", stopped=watch.stopped)
        elif cheapest.status != "optimal":  # what the slack is a share of is not proved
            solved = replace(solved, status="feasible")
        plan = finished(case, solved, options=options)
    return replace(plan, figures=replace(plan.figures, least_cost=least))
