"""Search for the p sites of least travel: exchange, prices (Lagrangian), reduced costs, and what they leave to a solver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from sy_coverage.errors import CertificateError
from sy_coverage.siting.classic import kernels
from sy_coverage.siting.classic.search import reduce
from sy_coverage.siting.classic.search.median_tree import Node, Tree, decided
from sy_coverage.siting.solve import highs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.classic.search.pairs import Pairs
    from sy_coverage.siting.solve.watch import Watch

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

LARGE = 20_000
"""Entries of the model that is left for the solver, from which branching with prices is quicker."""
STEPS, ROUNDS = 400, 12
"""Subgradient steps in one go, and how often they are taken up again."""


@dataclass(frozen=True)
class Median:
    """The best sites so far (positions among the pairs' sites), their worth, and what none costs less than."""

    chosen: Integers
    worth: float
    bound: float
    price: Floats
    """What each demand point pays at the bound."""
    solver: str = ""
    """Empty where our own bounds proved the answer and no other was asked."""
    heuristic: float | None = None


def filled(chosen: Integers, n: int, p: int) -> Integers:
    """Return `chosen` with the first of the others, until there are p."""
    full: Integers = np.r_[chosen, np.setdiff1d(np.arange(n), chosen)[: p - len(chosen)]]
    return full


def worth(pairs: Pairs, chosen: Integers) -> float:
    """Return the travel to `chosen`; above `pairs.penalty` where some point has none of them."""
    value: float = kernels.median.worth(*pairs.by_demand, chosen, len(pairs.sites), pairs.penalty)
    return value


def greedy(pairs: Pairs, p: int) -> Median:
    """Return p sites that none else of the others could better by taking one's place, and no bound."""
    first = np.flatnonzero(pairs.fixed)
    return exchanged(pairs, kernels.median.greedy(*pairs.by_site, pairs.demand, first, p, pairs.penalty))


def exchanged(pairs: Pairs, chosen: Integers) -> Median:
    """Return `chosen` once no single exchange makes it better."""
    best = kernels.median.interchange(*pairs.by_site, *pairs.by_demand, chosen, pairs.fixed, pairs.penalty)
    return Median(best, worth(pairs, best), -np.inf, np.zeros(0))


def priced(pairs: Pairs, p: int, best: Median, better: float, watch: Watch) -> Median:
    """Return the best sites with the best Lagrangian bound and its prices, improving one by the other in turn."""
    n, chosen, upper = len(pairs.sites), best.chosen, best.worth
    starts = pairs.d_ptr[:-1]
    middle = starts + np.minimum(np.diff(pairs.d_ptr) - 1, max(1, n // max(p, 1)))
    price = pairs.d_cost[middle].copy() if len(pairs.d_cost) else np.zeros(len(starts))
    bound, none = -np.inf, np.zeros(n, dtype=bool)
    steps = STEPS
    for _ in range(ROUNDS):
        if watch.over:
            break
        began = watch.seconds
        now, new_price, picked = kernels.median.bound_by_prices(
            *pairs.by_demand, price.copy(), pairs.fixed, none, np.zeros(n), n, p, upper, steps, 25, better
        )
        tried = exchanged(pairs, picked)
        if tried.worth < upper - 1e-12 * upper:
            chosen, upper = tried.chosen, tried.worth
        gained = now - bound
        if now > bound:
            bound, price = now, new_price
        watch.say(upper, bound)
        if bound >= upper - better or gained < 1e-4 * max(upper - bound, 1e-9):
            break
        # compiled steps cannot look at the clock: no more of them than there is time for
        steps = max(1, min(STEPS, int(steps * watch.left_s / max(watch.seconds - began, 1e-6))))
    return Median(chosen, upper, bound, price)


def finished(pairs: Pairs, p: int, best: Median, better: float, watch: Watch) -> Median:
    """Fix sites by their reduced costs, and let the solver, or branching, decide among those that are left."""
    n, upper = len(pairs.sites), best.worth
    if best.bound >= upper - better or watch.over:
        return best
    rho = kernels.median.reduced_costs(*pairs.by_demand, best.price, n)
    opened, closed = decided(rho, pairs.fixed, np.zeros(n, dtype=bool), p, upper - better - best.bound)
    steps = _steps(pairs, closed, opened, p)
    if steps.lost:  # some point has no site left in anything better: there is nothing better
        return replace(best, bound=upper)
    if steps.entries > LARGE:
        tree = Tree(pairs, p, (best.chosen, upper), better)
        low = tree.search(Node(best.bound, opened, closed, best.price), watch)
        return Median(tree.chosen, tree.upper, low, best.price)
    model, sites = _cumulative(steps, p - int(opened.sum()))
    answer = highs.solve(model, watch=watch)
    if answer.status == "infeasible":
        return replace(best, bound=upper, solver=answer.solver)
    low = best.bound if answer.bound is None else max(best.bound, min(upper, answer.bound + steps.constant))
    chosen = best.chosen
    if answer.objective is not None:
        found = np.r_[np.flatnonzero(opened), steps.kept[answer.x[sites] > 0.5]]
        value, counted = worth(pairs, found), answer.objective + steps.constant
        # cut short, the solver may count a choice for more than it is worth, never for less
        honest = highs.same(value, counted) or (answer.status != "optimal" and value < counted)
        if not honest or len(found) != p:
            raise CertificateError(
                f"p_median: the solver counted {counted!r} where the sites are worth {value!r}"
            )
        if value < upper:
            chosen, upper = found, value
    return Median(chosen, upper, min(low, upper), best.price, answer.solver, best.worth)


@dataclass(frozen=True)
class _Steps:
    """What each demand point pays for each further step of cost, over the sites that are left to choose."""

    kept: Integers
    constant: float
    demand: Integers
    column: Integers
    """Of each pair that can still matter: its point, nearest first, and its place in `kept`."""
    at: Integers
    rise: Floats
    """Where steps end, and how much they cost: a step is paid unless a site before its end is open."""
    start: Integers
    must: Integers
    """Points that have none but these pairs: one of their sites must be open."""
    lost: bool
    """Whether a point has no pair at all."""

    @property
    def entries(self) -> int:
        """Return how many entries the rows of all steps have, before any is made."""
        return int((self.at - self.start).sum())


def _steps(pairs: Pairs, closed: Any, opened: Any, p: int) -> _Steps:
    free = ~closed & ~opened
    kept = np.flatnonzero(free)
    p_free = p - int(opened.sum())
    demand = np.repeat(np.arange(pairs.demand), np.diff(pairs.d_ptr))
    live = ~closed[pairs.d_site]
    demand, site, cost = demand[live], pairs.d_site[live], pairs.d_cost[live]
    # nothing beyond the first site that is surely open, nor beyond the free ones of which some must be open
    before_open = _running(demand, opened[site].astype(np.int64)) - opened[site]
    before_free = _running(demand, free[site].astype(np.int64)) - free[site]
    live = (before_open == 0) & (before_free <= len(kept) - p_free)
    demand, site, cost = demand[live], site[live], cost[live]
    first = np.r_[True, demand[1:] != demand[:-1]] if len(demand) else np.empty(0, dtype=bool)
    served = np.zeros(pairs.demand, dtype=bool)
    served[demand[opened[site]]] = True
    count = np.bincount(demand, minlength=pairs.demand)
    served |= count > len(kept) - p_free
    column = np.full(len(closed), -1, dtype=np.int64)
    column[kept] = np.arange(len(kept))
    # a step ends where the next pair of the same point costs more
    at = np.flatnonzero(~first)
    rise = cost[at] - cost[at - 1]
    at, rise = at[rise > 0], rise[rise > 0]
    start = np.flatnonzero(first)[np.cumsum(first) - 1][at] if len(at) else at
    return _Steps(
        kept,
        float(cost[first].sum()),
        demand,
        column[site],
        at,
        rise,
        start,
        np.flatnonzero(~served & (count > 0)),
        bool((count == 0).any()),
    )


def _cumulative(steps: _Steps, p_free: int) -> tuple[highs.Model, Integers]:
    """Return the model of the sites left open to choice, and its site columns.

    A demand point pays its nearest cost, and for each further step of cost unless a site nearer than that is open: one row
    a step, the same rows of several points merged; and somebody serves each point that has no surely open site.
    """
    width = max(len(steps.kept), 1)
    length = steps.at - steps.start
    indptr = np.r_[0, np.cumsum(length)]
    flat = np.arange(indptr[-1]) - np.repeat(indptr[:-1], length) + np.repeat(steps.start, length)
    rows = sparse.csr_array((np.ones(len(flat)), steps.column[flat], indptr), shape=(len(steps.at), width))
    rows.sort_indices()
    table = reduce.Cover(
        rows, steps.rise, np.ones(len(steps.at), dtype=np.int64), steps.kept, np.ones(len(steps.kept))
    )
    table = reduce.merged(table)
    model = highs.Model("min")
    sites = model.add_columns(np.zeros(len(steps.kept)))
    paid = model.add_columns(table.weights, integer=False)
    model.add_rows(
        sparse.hstack(
            [table.rows[:, : len(steps.kept)], sparse.eye_array(len(paid), format="csr")], format="csr"
        ),
        lower=1.0,
    )
    model.add_rows((np.zeros(len(sites), dtype=np.int64), sites, 1.0), lower=p_free, upper=np.array([p_free]))
    of_must = np.isin(steps.demand, steps.must)
    if of_must.any():
        row = np.searchsorted(steps.must, steps.demand[of_must])
        model.add_rows((row, sites[steps.column[of_must]], 1.0), lower=np.ones(len(steps.must)))
    return model, sites


def _running(group: Integers, values: Integers) -> Integers:
    """Return the running sum of `values` within each group (rows of a group stand together)."""
    if not len(group):
        return values
    total = np.cumsum(values)
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    offset = np.repeat(total[first] - values[first], np.diff(np.r_[first, len(group)]))
    return total - offset
