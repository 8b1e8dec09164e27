"""Cover most demand with the sites or the money there is (MCLP), or a share of it with the least (partial cover)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage.errors import CertificateError
from sy_coverage.siting.classic import kernels
from sy_coverage.siting.classic.asked.terms import terms
from sy_coverage.siting.classic.covering import price, same_cost
from sy_coverage.siting.classic.proof.settle import Found, findings, impossible, points, settle
from sy_coverage.siting.classic.search import reduce
from sy_coverage.siting.classic.search.capacitated import planned
from sy_coverage.siting.classic.search.most_rest import still_open
from sy_coverage.siting.classic.search.most_search import least_step, near_proof
from sy_coverage.siting.classic.search.most_tree import Tree
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.memory import within_memory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sy_coverage.roads.travel_times import TravelTimes
    from sy_coverage.siting.classic.asked.decay import Decay
    from sy_coverage.siting.classic.asked.terms import Terms
    from sy_coverage.siting.classic.search.most_rest import Rest
    from sy_coverage.siting.classic.search.reduce import Cover
    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.solve.highs import Watch
    from sy_coverage.siting.solve.watch import SolveOptions

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@within_memory
def mclp(
    times: TravelTimes,
    cutoff: float,
    weights: Any,
    p: int | None = None,
    *,
    budget: float | None = None,
    costs: Any = None,
    k: Any = 1,
    decay: Decay | None = None,
    required: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    capacities: Any = None,
    split: bool = True,
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return the `p` sites, or the sites that `budget` can pay, that have most demand within the cutoff.

    Parameters
    ----------
    times
        Minutes between sites and demand.
    cutoff
        Minutes, inclusive.
    weights
        Weight of each demand point: a Series joined by label, or an array by position.
    p
        How many sites, exactly; where fewer would do, the first ids fill up.
    budget, costs
        Instead of `p`: the money there is, and what each site costs.
    k
        How many sites a demand point needs in reach to count: one number, or one for each point.
    decay
        How coverage fades with minutes (`LinearDecay`, `StepDecay`); the nearest open site counts.
    required, forbidden
        Ids of sites that must, or must not, be in the plan.
    capacities
        How much weight each site can serve: a Series joined by label, or an array by position.
        `details["service"]` then says who serves whom, and only what is served counts as covered. `objective` counts what is served,
        wholly or in part.
    split
        With capacities: whether one demand point may be served by several sites (the default), or by one site alone.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        `objective` is the weight covered; `findings` names the points left out.

    Raises
    ------
    InputError
        If an argument is no use, as its message says.
    CutoffError
        If `cutoff` lies beyond the travel times.

    References
    ----------
    Church, ReVelle (1974), The maximal covering location problem; gradual: Berman, Krass, Drezner (2003).
    """
    asked = terms(
        "mclp",
        times,
        cutoff=cutoff,
        weights=weights,
        p=p,
        budget=budget,
        costs=costs,
        k=k,
        decay=decay,
        required=required,
        forbidden=forbidden,
        capacities=capacities,
        split=split,
        options=options,
    )
    return planned(asked, _cover_most)


def _cover_most(asked: Terms, watch: Watch) -> SitingPlan:
    cover = reduce.cover_of(asked)
    cover = cover.keep(rows=np.flatnonzero(cover.weights > 0))
    cover = reduce.merged(reduce.without_dominated_sites(cover))
    if asked.budget is not None and asked.costs is not None:
        left = asked.budget - float(asked.costs[asked.required].sum())
        cover = cover.keep(columns=np.flatnonzero(cover.costs <= left + 1e-9 * max(1.0, asked.budget)))
        limit: float = left
    else:
        limit = float(min((asked.p or 0) - len(asked.required), cover.rows.shape[1]))
        cover = _unit_costs(cover)
    if limit <= 0 and asked.p is not None:
        return settle(asked, Found(filled(asked, asked.required), cover.settled), watch)
    search = near_proof(cover, greedy_most(cover, asked, limit), asked, watch)
    step = least_step(asked, search.reached)
    found = Found(
        filled(asked, np.r_[asked.required, cover.sites[search.columns]]),
        cover.settled + max(search.bound, search.reached),
        heuristic=cover.settled + search.reached,
    )
    if search.bound - search.reached <= max(watch.options.gap * (cover.settled + search.reached), step):
        return settle(asked, found, watch)
    if watch.over:
        return settle(asked, found, watch)
    rest = still_open(search, step)
    at = np.flatnonzero(np.isin(rest.cover.sites, cover.sites[search.columns]))
    if search.rounds:
        tree = Tree(rest, at, step, watch.options.gap)
        bound = tree.search(search.bound, watch)
        at = np.sort(tree.columns)
        found = Found(
            filled(asked, np.r_[asked.required, rest.cover.sites[at]]),
            cover.settled + max(bound, tree.reached),
            heuristic=cover.settled + tree.reached,
        )
        if watch.over or bound - tree.reached <= max(
            watch.options.gap * (cover.settled + tree.reached), step
        ):
            return settle(asked, found, watch)
    return settle(asked, _solved(asked, rest, at, limit, found, watch), watch)


def _solved(asked: Terms, rest: Rest, at: Integers, limit: float, found: Found, watch: Watch) -> Found:
    """Return what the solver makes of the rest, with `found` where it comes to nothing better; `at` is where it starts."""
    cover, reached, bound = rest.cover, found.heuristic or 0.0, found.bound
    model, sites = most_model(rest, limit, exact=asked.p is not None)
    start = most_start(rest, at, model)
    answer = highs.solve(model, watch=watch, start=start, presolve=False)
    claimed, best = None, found.chosen
    if answer.status == "infeasible":
        raise CertificateError("mclp: the solver calls a problem infeasible that greedy has solved")
    if answer.objective is not None and (
        answer.status == "optimal" or answer.objective + cover.settled >= reached
    ):
        columns = np.flatnonzero(answer.x[sites] > 0.5)
        claimed = answer.objective + cover.settled
        best = filled(asked, np.r_[asked.required, cover.sites[columns]])
        if asked.p is not None and len(columns) != limit:
            raise CertificateError(
                f"mclp: the solver chose {len(columns)} sites where {limit:g} were asked for"
            )
    if answer.bound is not None:
        bound = min(bound or np.inf, answer.bound + cover.settled)
    return Found(best, bound, answer.solver, claimed, reached)


def _unit_costs(cover: Cover) -> Cover:
    return replace(cover, costs=np.ones(len(cover.sites)))


def filled(asked: Terms, chosen: Integers) -> Integers:
    """Return `chosen` filled up to p with the first ids that are allowed: they add nothing, but p sites were asked for."""
    if asked.p is None or len(chosen) >= asked.p:
        return chosen
    rest = np.setdiff1d(asked.allowed, chosen)
    full: Integers = np.r_[chosen, rest[: asked.p - len(chosen)]]
    return full


def greedy_most(cover: Cover, asked: Terms, limit: float) -> Integers:
    """Return columns chosen greedily and, where sites are counted, improved by swaps."""
    if cover.rows.shape[0] == 0 or (cover.need > 1).any():
        # greedy gains mean nothing where two sites must come together: the first columns are a start
        if asked.p is not None:
            return np.arange(int(limit))
        return np.flatnonzero(np.cumsum(cover.costs) <= limit)
    sets_ptr, sets, ptr, demand = cover.table
    p, budget = (int(limit), np.inf) if asked.p is not None else (len(cover.sites), limit)
    chosen = kernels.most.greedy_most(ptr, demand, sets_ptr, sets, cover.weights, cover.costs, p, budget)
    if asked.p is not None:
        spare = np.setdiff1d(np.arange(len(cover.sites)), chosen)
        chosen = np.r_[chosen, spare[: p - len(chosen)]]
        chosen = kernels.most.exchanged(ptr, demand, sets_ptr, sets, cover.weights, chosen)
    return np.sort(chosen)


def most_model(open_: Rest, limit: float, *, exact: bool) -> tuple[highs.Model, Integers]:
    """Return the model of most weight covered within `limit`, and the indices of the columns that are sites.

    A group with a single site in reach and in no cut needs no column of its own: its weight goes to that site.
    """
    cover, cuts, single = open_.cover, open_.rows, _needs_no_column(open_)
    worth = np.bincount(
        cover.rows[np.flatnonzero(single)].indices, cover.weights[single], minlength=len(cover.sites)
    )
    model = highs.Model("max")
    sites = model.add_columns(worth)
    rest = cover.keep(rows=np.flatnonzero(~single))
    groups = model.add_columns(rest.weights, integer=rest.need > 1)
    need = sparse.diags_array(rest.need.astype(np.float64), format="csr")
    if len(groups):
        model.add_rows(sparse.hstack([-rest.rows, need], format="csr"), upper=0.0)
    if cuts.shape[0]:
        model.add_rows(
            cuts[:, np.r_[np.arange(len(sites)), len(sites) + np.flatnonzero(~single)]], upper=open_.right
        )
    spent = (np.zeros(len(sites), dtype=np.int64), sites, cover.costs)
    model.add_rows(spent, lower=limit if exact else -np.inf, upper=np.array([limit]))
    return model, sites


def _needs_no_column(open_: Rest) -> Any:
    in_cuts = np.diff(open_.groups.tocsc().indptr) > 0
    return (np.diff(open_.cover.rows.indptr) == 1) & (open_.cover.need == 1) & ~in_cuts


def most_start(open_: Rest, columns: Integers, model: highs.Model) -> Floats:
    """Return a value for every column of the model in which `columns` are chosen."""
    start, cover = np.zeros(len(model.cost)), open_.cover
    start[columns] = 1.0
    rest = np.flatnonzero(~_needs_no_column(open_))
    hits = np.asarray(cover.rows[rest][:, columns].sum(axis=1)).ravel()
    start[len(cover.sites) :] = hits >= cover.need[rest]
    return start


@within_memory
def partial_cover(
    times: TravelTimes,
    cutoff: float,
    weights: Any,
    share: float,
    *,
    costs: Any = None,
    k: Any = 1,
    decay: Decay | None = None,
    required: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    capacities: Any = None,
    split: bool = True,
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return the fewest sites (or, with `costs`, the cheapest) that have a share of ALL demand within the cutoff.

    Parameters
    ----------
    times
        Minutes between sites and demand.
    cutoff
        Minutes, inclusive.
    weights
        Weight of each demand point: a Series joined by label, or an array by position.
    share
        The share of the whole weight, 0…1; what no site can reach counts in the whole.
    costs
        What each site costs, to find the cheapest instead of the fewest.
    k
        How many sites a demand point needs in reach to count: one number, or one for each point.
    decay
        How coverage fades with minutes, as in `mclp`; the share is then of weight × share of coverage.
    required, forbidden
        Ids of sites that must, or must not, be in the plan.
    capacities
        How much weight each site can serve: a Series joined by label, or an array by position.
        `details["service"]` then says who serves whom, and only what is served counts as covered. The share counts what is served,
        wholly or in part.
    split
        With capacities: whether one demand point may be served by several sites (the default), or by one site alone.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        `objective` is the number of sites, or their cost. Where even all sites do not reach the share, `status` is
        ``infeasible`` and `findings` says what can be reached and names the points that cannot.

    Raises
    ------
    InputError
        If an argument is no use, as its message says.
    CutoffError
        If `cutoff` lies beyond the travel times.
    """
    asked = terms(
        "partial_cover",
        times,
        cutoff=cutoff,
        weights=weights,
        share=share,
        costs=costs,
        k=k,
        decay=decay,
        required=required,
        forbidden=forbidden,
        capacities=capacities,
        split=split,
        options=options,
    )
    return planned(asked, _cover_share)


def _cover_share(asked: Terms, watch: Watch) -> SitingPlan:
    cover = reduce.cover_of(asked)
    target = asked.needed - cover.settled
    attainable = float(cover.weights.sum())
    if attainable < target - (0.0 if asked.whole else 1e-9 * max(1.0, asked.needed)):
        short = findings(
            [("share_out_of_reach", "", (cover.settled + attainable) / float(asked.weights.sum()))]
        )
        lost = points(asked, "uncoverable_demand", cover.lost, asked.weights[cover.lost])
        return impossible(asked, pd.concat([short, lost], ignore_index=True), watch)
    fixed = asked.required
    always = price(asked, fixed)
    if target <= 0:
        return settle(asked, Found(fixed, always), watch)
    cover = cover.keep(rows=np.flatnonzero(cover.weights > 0))
    cover = reduce.merged(reduce.without_dominated_sites(cover))
    heuristic = greedy_share(cover, target)
    watch.say(always + float(cover.costs[heuristic].sum()), None)
    model = highs.Model("min")
    sites = model.add_columns(cover.costs)
    groups = model.add_columns(np.zeros(len(cover.weights)), integer=cover.need > 1)
    need = sparse.diags_array(cover.need.astype(np.float64), format="csr")
    model.add_rows(sparse.hstack([-cover.rows, need], format="csr"), upper=0.0)
    # in parts of the target, so that the solver's tolerance is a millionth of it whatever the weights are
    model.add_rows((np.zeros(len(groups), dtype=np.int64), groups, cover.weights / target), lower=1.0)
    start = np.zeros(len(model.cost))
    start[sites[heuristic]] = 1.0
    start[groups] = np.asarray(cover.rows[:, heuristic].sum(axis=1)).ravel() >= cover.need
    answer = highs.solve(model, watch=watch, start=start)
    if answer.status == "infeasible":
        raise CertificateError("partial_cover: the solver calls a problem infeasible that greedy has solved")
    best = float(cover.costs[heuristic].sum())
    found = heuristic
    if answer.objective is not None and not (answer.status != "optimal" and best < answer.objective):
        found = np.flatnonzero(answer.x[sites] > 0.5)
        same_cost(cover, found, answer)
    return settle(
        asked,
        Found(
            np.r_[fixed, cover.sites[found]],
            always + (_least(cover, target) if answer.bound is None else answer.bound),
            answer.solver,
            heuristic=always + best,
        ),
        watch,
    )


def _least(cover: Cover, target: float) -> float:
    """Return a lower bound on what `target` costs: as if no two sites covered the same."""
    worth = np.asarray(cover.rows.T @ cover.weights).ravel()
    order = np.argsort(-worth / np.maximum(cover.costs, 1e-12), kind="stable")
    gained = np.cumsum(worth[order])
    full = int(np.searchsorted(gained, target))
    before = float(gained[full - 1]) if full else 0.0
    part = (target - before) / worth[order[full]] if full < len(order) else 0.0
    return max(
        0.0,
        float(cover.costs[order[:full]].sum()) + part * float(cover.costs[order[min(full, len(order) - 1)]]),
    ) * (1 - 1e-9)


def greedy_share(cover: Cover, target: float) -> Integers:
    """Return columns, greedily by weight a cost unit, until `target` is covered; all columns where a need is above 1."""
    if (cover.need > 1).any():
        return np.arange(len(cover.sites))
    sets_ptr, sets, ptr, demand = cover.table
    order: Integers = kernels.most.greedy_most(
        ptr,
        demand,
        sets_ptr,
        sets,
        cover.weights,
        cover.costs,
        len(cover.sites),
        float(cover.costs.sum()) + 1.0,
    )
    hits = np.zeros(len(cover.weights), dtype=bool)
    reached = 0.0
    for count, column in enumerate(order):
        rows = demand[ptr[column] : ptr[column + 1]]
        reached += float(cover.weights[rows[~hits[rows]]].sum())
        hits[rows] = True
        if reached >= target:
            return order[: count + 1]
    return order
