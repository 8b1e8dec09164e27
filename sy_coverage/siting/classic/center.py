"""Choose sites by the worst distance: p-centre (least worst travel) and p-dispersion (as far apart as can be)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.roads.travel_times import TravelTimes
from sy_coverage.siting.classic import covering, maximal
from sy_coverage.siting.classic.asked.terms import terms
from sy_coverage.siting.classic.covering import reach_all, unreachable
from sy_coverage.siting.classic.proof.recount import nearest
from sy_coverage.siting.classic.proof.settle import OWN, Found, no_answer, settle
from sy_coverage.siting.classic.search import reduce
from sy_coverage.siting.classic.search.capacitated import planned
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.memory import within_memory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sy_coverage.siting.classic.asked.terms import Terms
    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.solve.highs import SolveOptions, Watch

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@within_memory
def p_center(
    times: TravelTimes,
    p: int,
    *,
    weights: Any = None,
    required: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    capacities: Any = None,
    split: bool = True,
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return the `p` sites whose farthest demand point is as near as can be.

    Parameters
    ----------
    times
        Minutes between sites and demand; a missing pair cannot be travelled.
    p
        How many sites, exactly; where fewer would do, the first ids fill up.
    weights
        With capacities: what each demand point asks for; without them it asks for 1.
    required, forbidden
        Ids of sites that must, or must not, be in the plan.
    capacities
        How much weight each site can serve: a Series joined by label, or an array by position.
        `details["service"]` then says who serves whom, and only what is served counts as covered. The worst minutes are those of any part served.
    split
        With capacities: whether one demand point may be served by several sites (the default), or by one site alone.
    options
        Time limit, gap, progress.

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
    return planned(
        terms(
            "p_center",
            times,
            p=p,
            weights=weights,
            required=required,
            forbidden=forbidden,
            capacities=capacities,
            split=split,
            options=options,
        ),
        _least_worst,
    )


def _least_worst(asked: Terms, watch: Watch) -> SitingPlan:
    lost = unreachable(asked, watch)
    if lost is not None:
        return lost
    sites, none = reach_all(asked, watch)
    if none is not None or sites is None:
        return none or no_answer(asked)

    def worst(chosen: Integers) -> float:
        minutes = nearest(asked, chosen)[1]
        return float(minutes.max()) if len(minutes) else 0.0

    matrix = asked.times.minutes[asked.allowed]
    best_of_each = np.full(matrix.shape[1], np.inf)
    np.minimum.at(best_of_each, matrix.indices, matrix.data)
    steps = np.unique(matrix.data)
    chosen = maximal.filled(asked, sites)
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
                chosen = maximal.filled(asked, found)
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
    cover = reduce.cover_of(question)
    p = asked.p or 0
    if len(cover.lost):
        return None, OWN
    if not exact:
        columns = covering.greedy_cover(cover)
        sites = np.r_[asked.required, cover.sites[columns]]
        return (sites if len(sites) <= p else None), None
    asked_of = covering.narrowed(cover, p - len(asked.required))
    if asked_of is None:
        return None, OWN
    small, taken = asked_of
    fixed = np.r_[asked.required, taken]
    columns = covering.search_cover(small, covering.greedy_cover(small), watch=watch, low=p - len(fixed))
    if len(fixed) + len(columns) <= p:
        return np.r_[fixed, small.sites[columns]], OWN
    return _decided(small, fixed, p, watch)


def _decided(
    small: reduce.Cover, fixed: Integers, p: int, watch: Watch
) -> tuple[Integers | None, str | None]:
    """Return at most p sites that cover every row of `small`, `fixed` ones among them: tried, or asked of the solver."""
    told, columns = covering.few_that_cover(small, p - len(fixed))
    if told is not None:
        return (np.r_[fixed, small.sites[columns]] if told else None), OWN
    model = highs.Model("min")
    model.add_columns(np.ones(len(small.sites)))
    model.add_rows(small.rows, lower=1.0)
    model.add_rows(np.ones((1, len(small.sites))), upper=float(p - len(fixed)))
    answer = highs.solve(model, watch=watch)
    if answer.status == "infeasible":
        return None, answer.solver
    if answer.objective is None:
        return None, None
    return np.r_[fixed, small.sites[answer.x > 0.5]], answer.solver


@within_memory
def p_dispersion(
    distances: Any,
    p: int,
    *,
    required: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return the `p` sites whose nearest two are as far apart as can be.

    Parameters
    ----------
    distances
        Travel times from the sites to themselves, or a square table (a DataFrame brings its labels). Where there and back
        differ the shorter counts; the diagonal does not; a missing pair is farther apart than every known one.
    p
        How many sites, exactly; at least 2.
    required, forbidden
        Ids of sites that must, or must not, be in the plan.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        `objective` is the distance of the nearest two (``inf`` where all pairs lie beyond the cutoff of the travel times).

    Raises
    ------
    InputError
        If an argument is no use, as its message says.

    References
    ----------
    Shier (1977); Kuby (1987); by a series of independent sets: Sayah, Irnich (2017).
    """
    times = distances if isinstance(distances, TravelTimes) else TravelTimes.from_matrix(distances)
    asked = terms("p_dispersion", times, p=p, required=required, forbidden=forbidden, options=options)
    return planned(asked, _most_apart)


def _most_apart(asked: Terms, watch: Watch) -> SitingPlan:
    apart = asked.times.to_dense()
    apart = np.minimum(apart, apart.T)
    np.fill_diagonal(apart, np.inf)
    sites, p = asked.allowed, asked.p or 0
    apart = apart[np.ix_(sites, sites)]
    must = np.flatnonzero(np.isin(sites, asked.required))
    steps = np.unique(np.r_[apart[np.triu_indices(len(sites), 1)], np.inf])
    # required sites stand where they stand
    top = float(apart[np.ix_(must, must)].min()) if len(must) > 1 else np.inf
    chosen = _spread(apart, must, p)

    def nearest_two(choice: Integers) -> float:
        return float(apart[np.ix_(choice, choice)].min())

    low, high = int(np.searchsorted(steps, nearest_two(chosen))), int(np.searchsorted(steps, top))
    solver, sure = OWN, True
    while low < high and sure and not watch.over:
        middle = (low + high + 1) // 2
        answer = _independent(apart < steps[middle], must, p, watch)
        solver = answer.solver
        if answer.objective is not None:
            chosen = np.flatnonzero(answer.x > 0.5)
            low = int(np.searchsorted(steps, nearest_two(chosen)))
        elif answer.status == "infeasible":
            high = middle - 1
        else:
            sure = False
        watch.say(float(steps[low]), float(steps[high]))
    return settle(asked, Found(sites[chosen], float(steps[high]), solver, claimed=nearest_two(chosen)), watch)


def _spread(apart: Floats, must: Integers, p: int) -> Integers:
    """Return p sites, each farthest from those before it."""
    chosen = list(must) or [int(np.argmax(np.where(np.isinf(apart), -1.0, apart).max(axis=1)))]
    while len(chosen) < p:
        near = apart[:, chosen].min(axis=1)
        near[chosen] = -1.0
        chosen.append(int(np.argmax(near)))
    return np.sort(np.array(chosen, dtype=np.int64))


def _independent(near: Any, must: Integers, p: int, watch: Watch) -> highs.Answer:
    """Return p sites of which no two are `near`, sought by cliques: of sites all near each other at most one opens."""
    n = len(near)
    model = highs.Model("min")
    model.add_columns(np.zeros(n), lower=np.isin(np.arange(n), must).astype(float))
    model.add_rows(np.ones((1, n)), lower=p, upper=p)
    left = np.triu(near, 1)
    rows: list[Integers] = []
    for one in range(n):
        for other in np.flatnonzero(left[one]):
            if not left[one, other]:
                continue
            clique = [one, int(other)]
            friends = near[one] & near[other]
            while friends.any():
                joined = int(np.argmax(friends))
                clique.append(joined)
                friends = friends & near[joined]
            left[np.ix_(clique, clique)] = False
            rows.append(np.array(clique))
    if rows:
        index = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
        model.add_rows((index, np.concatenate(rows), 1.0), upper=np.ones(len(rows)))
    return highs.solve(model, watch=watch)
