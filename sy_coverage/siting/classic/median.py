"""Choose the p sites with the least total weighted travel, proved by prices (Lagrangian) and what they leave to the solver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from sy_coverage.errors import CertificateError
from sy_coverage.siting.classic.asked.terms import terms
from sy_coverage.siting.classic.proof.settle import (
    Found,
    findings,
    impossible,
    no_answer,
    points,
    settle,
    whole_objective,
)
from sy_coverage.siting.classic.search import reduce
from sy_coverage.siting.classic.search.capacitated import planned
from sy_coverage.siting.classic.search.median_tree import Node, Tree, decided
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.memory import within_memory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sy_coverage.roads.travel_times import TravelTimes
    from sy_coverage.siting.classic.asked.terms import Terms
    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.solve.highs import Watch
    from sy_coverage.siting.solve.watch import SolveOptions

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


LARGE = 20_000
"""Entries of the model that is left for the solver, from which branching with prices is quicker."""


@within_memory
def p_median(
    times: TravelTimes,
    weights: Any,
    p: int,
    *,
    required: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    capacities: Any = None,
    split: bool = True,
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return the `p` sites with the least total of weight × minutes to the nearest of them.

    Parameters
    ----------
    times
        Minutes between sites and demand; a missing pair cannot be travelled.
    weights
        Weight of each demand point: a Series joined by label, or an array by position.
    p
        How many sites, exactly.
    required, forbidden
        Ids of sites that must, or must not, be in the plan.
    capacities
        How much weight each site can serve: a Series joined by label, or an array by position.
        `details["service"]` then says who serves whom, and only what is served counts as covered.
    split
        With capacities: whether one demand point may be served by several sites (the default), or by one site alone.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        `objective` is the total of weight × minutes. Where some point has no site at all, or `p` sites cannot reach every
        point, `status` is ``infeasible`` and `findings` says which points (``unreachable_demand``) or how many sites it
        takes (``sites_to_reach_all``).

    Raises
    ------
    InputError
        If an argument is no use, as its message says.

    References
    ----------
    Hakimi (1964); bound and fixing: Beasley (1993), Lagrangean heuristics for location problems; what is left:
    Cornuéjols, Nemhauser, Wolsey (1980), a canonical representation of simple plant location problems.
    """
    return planned(
        terms(
            "p_median",
            times,
            weights=weights,
            p=p,
            required=required,
            forbidden=forbidden,
            capacities=capacities,
            split=split,
            options=options,
        ),
        _least_travel,
    )


@dataclass(frozen=True)
class Pairs:
    """The pairs of a p-median problem that may still matter, by site and by demand (nearest first)."""

    s_ptr: Integers
    s_demand: Integers
    s_cost: Floats
    d_ptr: Integers
    d_site: Integers
    d_cost: Floats
    sites: Integers
    """Position of each site in the terms."""
    fixed: NDArray[np.bool_]
    """Sites that must be open."""
    penalty: float
    """Cost of a demand point that nobody serves: more than any plan that serves all."""

    @property
    def by_demand(self) -> tuple[Integers, Integers, Floats]:
        """Return the pairs by demand, nearest first."""
        return self.d_ptr, self.d_site, self.d_cost

    @property
    def by_site(self) -> tuple[Integers, Integers, Floats]:
        """Return the pairs by site."""
        return self.s_ptr, self.s_demand, self.s_cost


def pairs_of(asked: Terms) -> Pairs:
    """Return the pairs of weight × minutes between allowed sites and demand."""
    matrix = sparse.csr_array(asked.times.minutes[asked.allowed])
    site = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    demand, cost = matrix.indices.astype(np.int64), matrix.data * asked.weights[matrix.indices]
    order = np.lexsort((site, cost, demand))
    count = np.bincount(demand, minlength=matrix.shape[1])
    d_ptr = np.r_[0, np.cumsum(count)].astype(np.int64)
    d_cost = cost[order]
    worst = d_cost[np.maximum(d_ptr[1:] - 1, 0)] if len(d_cost) else np.zeros(0)
    return Pairs(
        matrix.indptr.astype(np.int64),
        demand,
        cost,
        d_ptr,
        site[order].astype(np.int64),
        d_cost,
        asked.allowed,
        np.isin(asked.allowed, asked.required),
        2.0 * float(worst.sum()) + 1.0,
    )


def unreachable(asked: Terms, watch: Watch) -> SitingPlan | None:
    """Return the plan that names demand points without any allowed site, or None where each has one."""
    reached = np.zeros(len(asked.weights), dtype=bool)
    reached[asked.times.minutes[asked.allowed].indices] = True
    if reached.all():
        return None
    lost = np.flatnonzero(~reached)
    return impossible(asked, points(asked, "unreachable_demand", lost, asked.weights[lost]), watch)


def reach_all(asked: Terms, watch: Watch) -> tuple[Integers | None, SitingPlan | None]:
    """Return sites, at most p, that reach every demand point at all; or the plan that says why there are none."""
    from sy_coverage.siting.classic import covering  # noqa: PLC0415

    every = replace(asked, problem="lscp", p=None, weights=np.ones(len(asked.weights)))
    plan = covering.cover_all(every, watch)
    if plan.objective is not None and asked.p is not None and plan.objective <= asked.p:
        position = {site: i for i, site in enumerate(asked.site_ids)}
        return np.array([position[s] for s in plan.sites], dtype=np.int64), None
    if plan.bound is not None and asked.p is not None and plan.bound > asked.p:
        return None, impossible(asked, findings([("sites_to_reach_all", "", plan.bound)]), watch)
    return None, no_answer(asked)


def _least_travel(asked: Terms, watch: Watch) -> SitingPlan:
    lost = unreachable(asked, watch)
    if lost is not None:
        return lost
    from sy_coverage.siting.classic.kernels import median as kernels  # noqa: PLC0415

    pairs, p = pairs_of(asked), asked.p or 0
    n, m = len(pairs.sites), len(asked.weights)
    first = np.flatnonzero(pairs.fixed)
    chosen = kernels.greedy(*pairs.by_site, m, first, p, pairs.penalty)
    chosen = kernels.interchange(*pairs.by_site, *pairs.by_demand, chosen, pairs.fixed, pairs.penalty)
    upper = kernels.worth(*pairs.by_demand, chosen, n, pairs.penalty)
    if upper >= pairs.penalty and m:
        start, none = reach_all(asked, watch)
        if none is not None or start is None:
            return none or no_answer(asked)
        chosen = _filled(np.flatnonzero(np.isin(pairs.sites, start)), n, p)
        chosen = kernels.interchange(*pairs.by_site, *pairs.by_demand, chosen, pairs.fixed, pairs.penalty)
        upper = kernels.worth(*pairs.by_demand, chosen, n, pairs.penalty)
    better = 1.0 - 1e-6 if whole_objective(asked) else 1e-10 * max(1.0, upper)
    chosen, upper, bound, price = _priced(asked, pairs, chosen, upper, better, watch)
    if bound >= upper - better or watch.over:
        return settle(asked, Found(pairs.sites[chosen], min(bound, upper), claimed=upper), watch)
    return _rest(asked, pairs, chosen, upper, bound, price, better, watch)


def _filled(chosen: Integers, n: int, p: int) -> Integers:
    full: Integers = np.r_[chosen, np.setdiff1d(np.arange(n), chosen)[: p - len(chosen)]]
    return full


def _priced(
    asked: Terms, pairs: Pairs, chosen: Integers, upper: float, better: float, watch: Watch
) -> tuple[Integers, float, float, Floats]:
    """Return the best sites, their worth, the best Lagrangian bound and its prices, improving one by the other in turn."""
    from sy_coverage.siting.classic.kernels import median as kernels  # noqa: PLC0415

    n, p = len(pairs.sites), asked.p or 0
    starts = pairs.d_ptr[:-1]
    middle = starts + np.minimum(np.diff(pairs.d_ptr) - 1, max(1, n // max(p, 1)))
    price = pairs.d_cost[middle].copy() if len(pairs.d_cost) else np.zeros(len(starts))
    bound, none = -np.inf, np.zeros(n, dtype=bool)
    for _ in range(12):
        if watch.over:
            break
        now, new_price, picked = kernels.bound_by_prices(
            *pairs.by_demand, price.copy(), pairs.fixed, none, np.zeros(n), n, p, upper, 400, 25, better
        )
        tried = kernels.interchange(*pairs.by_site, *pairs.by_demand, picked, pairs.fixed, pairs.penalty)
        value = kernels.worth(*pairs.by_demand, tried, n, pairs.penalty)
        if value < upper - 1e-12 * upper:
            chosen, upper = tried, value
        gained = now - bound
        if now > bound:
            bound, price = now, new_price
        watch.say(upper, bound)
        if bound >= upper - better or gained < 1e-4 * max(upper - bound, 1e-9):
            break
    return chosen, upper, bound, price


def _rest(
    asked: Terms,
    pairs: Pairs,
    chosen: Integers,
    upper: float,
    bound: float,
    price: Floats,
    better: float,
    watch: Watch,
) -> SitingPlan:
    """Fix sites by their reduced costs, and let the solver decide among those that are left."""
    from sy_coverage.siting.classic.kernels import median as kernels  # noqa: PLC0415

    n, p = len(pairs.sites), asked.p or 0
    rho = kernels.reduced_costs(*pairs.by_demand, price, n)
    none = np.zeros(n, dtype=bool)
    opened, closed = decided(rho, pairs.fixed, none, p, upper - better - bound)
    model, sites, kept, constant = _cumulative(pairs, closed, opened, p)
    if model.matrix.nnz > LARGE:
        tree = Tree(pairs, p, (chosen, upper), better)
        low = tree.search(Node(bound, opened, closed, price), watch)
        sites = pairs.sites[tree.chosen]
        return settle(asked, Found(sites, min(low, tree.upper), claimed=tree.upper), watch)
    answer = highs.solve(model, watch=watch)
    if answer.status == "infeasible":
        return settle(asked, Found(pairs.sites[chosen], upper, answer.solver, claimed=upper), watch)
    low = bound if answer.bound is None else max(bound, min(upper, answer.bound + constant))
    heuristic = upper
    if answer.objective is not None:
        found = np.r_[np.flatnonzero(opened), kept[answer.x[sites] > 0.5]]
        value = kernels.worth(*pairs.by_demand, found, n, pairs.penalty)
        counted = answer.objective + constant
        # cut short, the solver may count a choice for more than it is worth, never for less
        honest = highs.same(value, counted) or (answer.status != "optimal" and value < counted)
        if not honest or len(found) != p:
            raise CertificateError(
                f"p_median: the solver counted {counted!r} where the sites are worth {value!r}"
            )
        if value < upper:
            chosen, upper = found, value
    return settle(
        asked,
        Found(pairs.sites[chosen], min(low, upper), answer.solver, claimed=upper, heuristic=heuristic),
        watch,
    )


def _cumulative(
    pairs: Pairs, closed: Any, opened: Any, p: int
) -> tuple[highs.Model, Integers, Integers, float]:
    """Return the model of the sites left open to choice, its site columns, which sites they are, and a constant cost.

    A demand point pays its nearest cost, and for each further step of cost unless a site nearer than that is open: one row
    a step, the same rows of several points merged.
    """
    free = ~closed & ~opened
    kept = np.flatnonzero(free)
    p_free = p - int(opened.sum())
    demand = np.repeat(np.arange(len(pairs.d_ptr) - 1), np.diff(pairs.d_ptr))
    live = ~closed[pairs.d_site]
    demand, site, cost = demand[live], pairs.d_site[live], pairs.d_cost[live]
    # nothing beyond the first site that is surely open, nor beyond the free ones of which some must be open
    before_open = _running(demand, opened[site].astype(np.int64)) - opened[site]
    before_free = _running(demand, free[site].astype(np.int64)) - free[site]
    live = (before_open == 0) & (before_free <= len(kept) - p_free)
    demand, site, cost = demand[live], site[live], cost[live]
    first = np.r_[True, demand[1:] != demand[:-1]] if len(demand) else np.empty(0, dtype=bool)
    constant = float(cost[first].sum())
    column = np.full(len(closed), -1, dtype=np.int64)
    column[kept] = np.arange(len(kept))
    # a step ends where the next pair of the same point costs more
    at = np.flatnonzero(~first)
    rise = cost[at] - cost[at - 1]
    at, rise = at[rise > 0], rise[rise > 0]
    start = np.flatnonzero(first)[np.cumsum(first) - 1][at]
    length = at - start
    indptr = np.r_[0, np.cumsum(length)]
    flat = np.arange(indptr[-1]) - np.repeat(indptr[:-1], length) + np.repeat(start, length)
    rows = sparse.csr_array(
        (np.ones(len(flat)), column[site[flat]], indptr), shape=(len(at), max(len(kept), 1))
    )
    rows.sort_indices()
    table = reduce.Cover(rows, rise, np.ones(len(at), dtype=np.int64), kept, np.ones(len(kept)))
    table = reduce.merged(table)
    model = highs.Model("min")
    sites = model.add_columns(np.zeros(len(kept)))
    steps = model.add_columns(table.weights, integer=False)
    model.add_rows(
        sparse.hstack([table.rows[:, : len(kept)], sparse.eye_array(len(steps), format="csr")], format="csr"),
        lower=1.0,
    )
    model.add_rows((np.zeros(len(sites), dtype=np.int64), sites, 1.0), lower=p_free, upper=np.array([p_free]))
    return model, sites, kept, constant


def _running(group: Integers, values: Integers) -> Integers:
    """Return the running sum of `values` within each group (rows of a group stand together)."""
    if not len(group):
        return values
    total = np.cumsum(values)
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    offset = np.repeat(total[first] - values[first], np.diff(np.r_[first, len(group)]))
    return total - offset
