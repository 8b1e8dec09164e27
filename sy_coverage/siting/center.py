"""Choose sites by the worst distance: p-centre (least worst travel) and p-dispersion (as far apart as can be)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.siting import _reduce, _solver, covering
from sy_coverage.siting._settle import OWN, Found, no_answer, settle
from sy_coverage.siting._solver import SolveOptions, Watch
from sy_coverage.siting._terms import terms
from sy_coverage.siting.median import reach_all, unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sy_coverage.roads.travel_times import TravelTimes
    from sy_coverage.siting._terms import Terms
    from sy_coverage.siting.certificate import SitingPlan

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


def p_center(
    times: TravelTimes,
    p: int,
    *,
    required: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return the `p` sites whose farthest demand point is as near as can be.

    Parameters
    ----------
    times
        Minutes between sites and demand; a missing pair cannot be travelled.
    p
        How many sites, exactly; where fewer would do, the first ids fill up.
    required, forbidden
        Ids of sites that must, or must not, be in the plan.

    Returns
    -------
    plan
        `objective` is the minutes of the farthest point. Where some point has no site at all, or `p` sites cannot reach
        every point, `status` is ``infeasible`` and `findings` says which points (``unreachable_demand``) or how many sites
        it takes (``sites_to_reach_all``).

    Raises
    ------
    InputError
        If an argument is no use, as its message says.

    References
    ----------
    Hakimi (1965); by a series of set covers: Minieka (1970), The m-center problem.
    """
    asked = terms("p_center", times, p=p, required=required, forbidden=forbidden)
    with Watch(options or SolveOptions()) as watch:
        return _least_worst(asked, watch)


def _least_worst(asked: Terms, watch: Watch) -> SitingPlan:
    lost = unreachable(asked, watch)
    if lost is not None:
        return lost
    sites, none = reach_all(asked, watch)
    if none is not None or sites is None:
        return none or no_answer(asked)
    from sy_coverage.siting.rules import nearest  # noqa: PLC0415

    def worst(chosen: Integers) -> float:
        minutes = nearest(asked, chosen)[1]
        return float(minutes.max()) if len(minutes) else 0.0

    matrix = asked.times.minutes[asked.allowed]
    best_of_each = np.full(matrix.shape[1], np.inf)
    np.minimum.at(best_of_each, matrix.indices, matrix.data)
    steps = np.unique(matrix.data)
    chosen = covering.filled(asked, sites)
    upper = worst(chosen)
    low = int(np.searchsorted(steps, best_of_each.max())) if len(best_of_each) else 0
    solver = OWN
    # the answer is one of steps[low…high]; greedy alone first brings `high` down, then each question is decided exactly
    for exact in (False, True):
        first, high = low, int(np.searchsorted(steps, upper))
        while first < high and not watch.over:
            middle = (first + high) // 2
            found, name = _within(asked, float(steps[middle]), watch, exact=exact)
            solver = name or solver
            if found is not None:
                chosen = covering.filled(asked, found)
                upper = worst(chosen)
                high = int(np.searchsorted(steps, upper))
            elif exact and name is None:
                break
            else:
                first = middle + 1
            watch.say(upper, float(steps[low]))
        if exact:
            low = min(first, high)
    bound = float(steps[low]) if len(steps) else 0.0
    return settle(asked, Found(chosen, min(bound, upper), solver, claimed=upper), watch)


def _within(asked: Terms, radius: float, watch: Watch, *, exact: bool) -> tuple[Integers | None, str | None]:
    """Return at most p sites with all demand within `radius`, or None; and who proved it (None: nobody did)."""
    question = replace(asked, problem="lscp", cutoff=radius)
    cover = _reduce.cover_of(question)
    p = asked.p or 0
    if len(cover.lost):
        return None, OWN
    if not exact:
        columns = covering.greedy_cover(cover)
        sites = np.r_[asked.required, cover.sites[columns]]
        return (sites if len(sites) <= p else None), None
    small, taken = _reduce.core(cover)
    fixed = np.r_[asked.required, taken]
    if len(fixed) > p:
        return None, OWN
    columns = covering.greedy_cover(small)
    if len(fixed) + len(columns) <= p:
        return np.r_[fixed, small.sites[columns]], OWN
    model = _solver.Model("min")
    model.add_columns(np.ones(len(small.sites)))
    model.add_rows(small.rows, lower=1.0)
    model.add_rows(np.ones((1, len(small.sites))), upper=float(p - len(fixed)))
    answer = _solver.solve(model, watch=watch)
    if answer.status == "infeasible":
        return None, answer.solver
    if answer.objective is None:
        return None, None
    return np.r_[fixed, small.sites[answer.x > 0.5]], answer.solver
