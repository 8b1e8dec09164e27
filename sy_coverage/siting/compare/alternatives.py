"""Find more than one good plan, as different as can be, and tell what each site of a plan is worth to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage._frames import require_ids
from sy_coverage.errors import InputError
from sy_coverage.siting.planning import plan_case
from sy_coverage.siting.planning.certify import finished
from sy_coverage.siting.planning.explain.sites import case_of
from sy_coverage.siting.planning.stages import solve_stages, without
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from collections.abc import Collection

    from pandas import DataFrame

    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.planning.rules.case import PlanCase


def alternatives(
    plan: SitingPlan,
    *,
    count: int = 5,
    within: float = 0.03,
    options: highs.SolveOptions | None = None,
) -> tuple[SitingPlan, ...]:
    """Return certified plans that meet the same targets at nearly the same cost, as different as can be.

    Each next one does without the most sites of whichever earlier plan it is nearest to (`plan` is the first of these); of
    all that differ as much it is the cheapest, then the best for elders. Its first stage, ``sites_differing``, is that number,
    proved or with its bound.

    Parameters
    ----------
    plan
        A plan of `policy_plan` that meets its targets, without years.
    count
        How many to look for; fewer come back where no more exist, or where the time is up.
    within
        How much more than least cost each may cost, as a share of it.
    options
        Time limit for all of them together, gap, progress.

    Returns
    -------
    plans
        Without `plan` itself, in the order in which they were found.

    Raises
    ------
    InputError
        If `plan` is no such plan, `count` is below 1, or `within` is negative or no number.
    """
    if count < 1:
        raise InputError(f"count={count}: must be 1 or more")
    if not (np.isfinite(within) and within >= 0):
        raise InputError(f"within={within}: must be a share of the cost, 0 or more")
    case, least = _case_and_cost(plan, "alternatives")
    limit, budget = case.cost_within(least, within), case.rules.budget
    limit = limit if budget is None else min(limit, budget)
    found: list[SitingPlan] = []
    options = options or highs.SolveOptions()
    with highs.Watch(options) as watch:
        while len(found) < count and not watch.over:
            earlier = tuple(other.sites for other in (plan, *found))
            other = case.but(budget=None, slack=None, cost_limit=limit, differ_from=earlier)
            solved = solve_stages(other, watch=watch)
            if solved.figures is None or not other.sites_differing(solved.sites):
                break
            found.append(finished(other, solved, options=options))
    return tuple(found)


def _case_and_cost(plan: SitingPlan, what: str) -> tuple[PlanCase, float]:
    """Return what a plan was made from, and the least that its targets cost."""
    figures = plan.figures
    if plan.phase or figures.years is not None or not figures.targets_met or figures.cost is None:
        raise InputError(f"{what}: needs a plan of policy_plan that meets its targets, not spread over years")
    return case_of(plan), figures.cost if figures.least_cost is None else figures.least_cost


def repair(
    plan: SitingPlan,
    *,
    slipped: Collection[str] = (),
    done: Collection[str] = (),
    options: highs.SolveOptions | None = None,
) -> SitingPlan:
    """Return the plan that mends one under way with the fewest changes, then the least cost.

    Parameters
    ----------
    plan
        The plan that was adopted: one of `policy_plan`, without years.
    slipped
        Ids of its sites that will not be built.
    done
        Ids of its sites that are built, or as good as: they stay.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        Its first stage, ``sites_changed``, counts the sites left out and the new ones, proved. Where nothing can mend the
        plan it is ``infeasible``, and `best` is what comes nearest.

    Raises
    ------
    InputError
        If `plan` is no such plan, or a site is both slipped and done.
    UnknownIdError
        If `slipped` or `done` are not sites of the plan.
    """
    if plan.phase or plan.figures.years is not None:
        raise InputError("repair: needs a plan that is not spread over years")
    require_ids([*slipped, *done], plan.sites, "repair: sites of the plan")
    case = case_of(plan)
    rules = case.rules
    return plan_case(
        case.but(
            adopted=plan.sites,
            forbid=(*rules.forbid, *slipped),
            require=(*(i for i in rules.require if i not in set(slipped)), *done),
            slack=None,
            cost_limit=None,
            differ_from=(),
        ),
        options=options,
    )


def site_prices(plan: SitingPlan, *, options: highs.SolveOptions | None = None) -> DataFrame:
    """Return what each site of a plan is worth to it: the plan without the site is solved again, for each in turn.

    Parameters
    ----------
    plan
        A proved plan of `policy_plan` for least cost that meets its targets, without years.
    options
        Time limit for the whole table.

    Returns
    -------
    prices
        Indexed by `site_id`: `verdict` (``indispensable``: no plan meets the targets without it; ``dearer``: without it the
        cheapest costs more; ``fewer_elders``: it costs the same and reaches fewer elders; ``exchangeable``: another plan does
        as well; ``required``; ``unknown`` where the time was up), `cost_more` (10⁴ yuan that its absence costs),
        `elders_fewer` (elders within the cutoff that its absence costs, at the same cost), `cost` (its own price),
        `stays_up_to` (the own price up to which it stays in a cheapest plan; infinite where it is indispensable).

    Raises
    ------
    InputError
        If `plan` is no such plan.
    """
    case, least = _case_and_cost(plan, "site_prices")
    if case.rules.cost_limit is not None or case.rules.differ_from:
        raise InputError("site_prices: needs a plan for least cost, not one within a slack or an alternative")
    if case.rules.prefer != "elders":
        raise InputError(
            "site_prices: needs a plan that prefers elders within the cutoff, not the longest way"
        )
    free = case if case.rules.budget is None else case.but(budget=None)
    rows = {}
    with highs.Watch(options or highs.SolveOptions()) as watch:
        for site_id in plan.sites:
            own = float(case.candidates.loc[site_id, "cost"])
            verdict, more, fewer = _worth(free, plan, least, site_id, watch)
            rows[site_id] = [
                verdict,
                more,
                fewer,
                own,
                own + (np.inf if verdict == "indispensable" else more),
            ]
    columns = ["verdict", "cost_more", "elders_fewer", "cost", "stays_up_to"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return frame.astype(dict.fromkeys(columns[1:], "float64")).rename_axis("site_id")


def _worth(
    case: PlanCase, plan: SitingPlan, least: float, site_id: str, watch: highs.Watch
) -> tuple[str, float, float]:
    """Return the verdict on one site, and what its absence costs in money and elders; NaN where that is not known."""
    j = case.position(site_id)
    if case.required[j]:
        return "required", np.nan, np.nan
    status, values = without(case, j, watch=watch, elastic=False)
    if status == "infeasible":
        return "indispensable", np.nan, np.nan
    if status != "optimal" or plan.status != "optimal" or plan.figures.elders_covered is None:
        return "unknown", np.nan, np.nan
    if not highs.same(values["cost"], least):
        return "dearer", values["cost"] - least, np.nan
    fewer = plan.figures.elders_covered - values["elders"]
    return ("exchangeable", 0.0, 0.0) if highs.same(fewer, 0.0) else ("fewer_elders", 0.0, fewer)
