"""Cover all demand with the fewest sites: LSCP, and LSCP-B which then covers most of it twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from sy_coverage.errors import CertificateError
from sy_coverage.siting.classic import kernels
from sy_coverage.siting.classic.asked.terms import terms
from sy_coverage.siting.classic.proof.recount import nearest
from sy_coverage.siting.classic.proof.settle import Found, findings, impossible, no_answer, points, settle
from sy_coverage.siting.classic.search import reduce
from sy_coverage.siting.classic.search.capacitated import planned
from sy_coverage.siting.classic.search.median_search import greedy
from sy_coverage.siting.classic.search.pairs import NOBODY, pairs_of
from sy_coverage.siting.solve import highs
from sy_coverage.siting.solve.memory import within_memory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from pandas import DataFrame

    from sy_coverage.roads.travel_times import TravelTimes
    from sy_coverage.siting.classic.asked.terms import Terms
    from sy_coverage.siting.classic.search.reduce import Cover
    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.solve.highs import Watch
    from sy_coverage.siting.solve.watch import SolveOptions

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


PRICE_STEPS = 2_000
"""Steps in which prices of rows seek a bound; a step takes as long as reading the table once."""
SHRINKS = 0.9
"""A question asked of prices is asked again of what is left, if that is at most so much of it."""
HANDFUL = 8
"""So many sites are tried one by one, each row's in turn, before the solver is asked."""
TRIES = 200_000
"""Steps of that: about a second."""
LARGE = 50_000
"""Pairs of site and demand, after reductions, from which a search is worth more than the solver."""


@within_memory
def lscp(
    times: TravelTimes,
    cutoff: float,
    *,
    k: Any = 1,
    costs: Any = None,
    weights: Any = None,
    required: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    capacities: Any = None,
    split: bool = True,
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return the fewest sites (or, with `costs`, the cheapest) that have every demand point within the cutoff.

    Parameters
    ----------
    times
        Minutes between sites and demand.
    cutoff
        Minutes, inclusive.
    k
        How many sites each demand point needs in reach: one number, or one for each point.
    costs
        What each site costs, to find the cheapest instead of the fewest.
    weights
        With capacities: what each demand point asks for; without them it asks for 1.
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
        `objective` is the number of sites, or their cost. Where points cannot be covered `status` is ``infeasible``, there
        are no sites, and `findings` names the points (``uncoverable_demand``).

    Raises
    ------
    InputError
        If an argument is no use, as its message says.
    CutoffError
        If `cutoff` lies beyond the travel times.

    References
    ----------
    Toregas, Swain, ReVelle, Bergman (1971), The location of emergency service facilities.
    """
    asked = terms(
        "lscp",
        times,
        cutoff=cutoff,
        k=k,
        costs=costs,
        weights=weights,
        required=required,
        forbidden=forbidden,
        capacities=capacities,
        split=split,
        options=options,
    )
    return planned(asked, cover_all)


def cover_all(asked: Terms, watch: Watch) -> SitingPlan:
    """Return the plan of fewest sites for terms that were read already."""
    cover = reduce.cover_of(asked)
    if len(cover.lost):
        return impossible(
            asked, points(asked, "uncoverable_demand", cover.lost, asked.weights[cover.lost]), watch
        )
    small, taken = reduce.core(cover)
    fixed = np.r_[asked.required, taken]
    heuristic = search_cover(small, greedy_cover(small), watch=watch)
    if small.rows.shape[0] == 0:
        return settle(asked, Found(fixed, price(asked, fixed)), watch)
    always = price(asked, fixed)
    best = float(small.costs[heuristic].sum())
    # of whole numbers the next one below need only be excluded
    alike = bool((small.costs == 1.0).all())
    low = max(packed(small), bound_by_prices(small, best - 1.0 if alike else best))
    if alike and low > best - 1.0 + 1e-6:
        return settle(asked, Found(np.r_[fixed, small.sites[heuristic]], always + best), watch)
    watch.say(always + best, always + low)
    model = highs.Model("min")
    model.add_columns(small.costs)
    model.add_rows(small.rows, lower=small.need)
    start = np.zeros(len(small.sites))
    start[heuristic] = 1.0
    answer = highs.solve(model, watch=watch, start=start, presolve=False)
    if answer.status == "infeasible":
        raise CertificateError("lscp: the solver calls a problem infeasible that greedy has solved")
    found = np.flatnonzero(answer.x > 0.5) if len(answer.x) else heuristic
    if answer.objective is None or (answer.status != "optimal" and best < answer.objective):
        found = heuristic
    else:
        same_cost(small, found, answer)
    return settle(
        asked,
        Found(
            np.r_[fixed, small.sites[found]],
            always + max(low, -np.inf if answer.bound is None else answer.bound),
            answer.solver,
            heuristic=always + best,
        ),
        watch,
    )


def price(asked: Terms, sites: Integers) -> float:
    """Return the number of sites, or their cost where costs count."""
    return float(len(sites)) if asked.costs is None else float(asked.costs[sites].sum())


def same_cost(cover: Cover, columns: Integers, answer: highs.Answer) -> None:
    """Refuse an answer whose sites are not worth what it says."""
    cost = float(cover.costs[columns].sum())
    if answer.objective is None or not highs.same(cost, answer.objective):
        raise CertificateError(f"the solver counted {answer.objective!r} for sites that cost {cost!r}")


@within_memory
def lscp_backup(
    times: TravelTimes,
    cutoff: float,
    weights: Any = None,
    *,
    required: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    capacities: Any = None,
    split: bool = True,
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return, of all the smallest sets of sites that cover everything, the one that covers most demand at least twice.

    Parameters
    ----------
    times
        Minutes between sites and demand.
    cutoff
        Minutes, inclusive.
    weights
        Weight of each demand point; without it each point counts 1.
    required, forbidden
        Ids of sites that must, or must not, be in the plan.
    capacities
        How much weight each site can serve: a Series joined by label, or an array by position.
        `details["service"]` then says who serves whom, and only what is served counts as covered. A second site counts when it is in
        reach, whether or not it has room.
    split
        With capacities: whether one demand point may be served by several sites (the default), or by one site alone.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        `objective` is the demand covered at least twice; the certificate's first stage is the number of sites. Where points
        cannot be covered `status` is ``infeasible`` and `findings` names them (``uncoverable_demand``).

    Raises
    ------
    InputError
        If an argument is no use, as its message says.
    CutoffError
        If `cutoff` lies beyond the travel times.

    References
    ----------
    Daskin, Stern (1981), hierarchical set covering; Hogan, ReVelle (1986), backup coverage.
    """
    return planned(
        terms(
            "lscp_backup",
            times,
            cutoff=cutoff,
            weights=weights,
            required=required,
            forbidden=forbidden,
            capacities=capacities,
            split=split,
            options=options,
        ),
        _back_up,
    )


def _back_up(asked: Terms, watch: Watch) -> SitingPlan:
    first = cover_all(replace(asked, problem="lscp"), watch)
    if first.objective is None or first.certificate is None:
        return replace(first, certificate=None) if first.status == "no_answer" else _renamed(first)
    position = {site: i for i, site in enumerate(asked.site_ids)}
    chosen = np.array([position[s] for s in first.sites], dtype=np.int64)
    count = len(chosen)
    asked = replace(asked, p=count)
    before = first.certificate.stages
    if first.status != "optimal":
        # fewer sites may do, so nothing is known of how much they could cover twice
        return settle(asked, Found(chosen, None, first.certificate.solver, stages=before), watch)
    once = reduce.cover_of(asked)
    twice = reduce.cover_of(replace(asked, k=np.full(len(asked.weights), 2)))
    twice = twice.keep(rows=np.flatnonzero(twice.weights > 0))
    free = count - len(asked.required)
    if free == 0:
        return settle(asked, Found(chosen, twice.settled, first.certificate.solver, stages=before), watch)
    # in a smallest cover a site never stands beside one that covers all it covers: dominated sites may go here too
    both = replace(
        once,
        rows=sparse.vstack([once.rows, twice.rows], format="csr"),
        weights=np.r_[once.weights, twice.weights],
        need=np.ones(len(once.need) + len(twice.need), dtype=np.int64),
    )
    columns = np.flatnonzero(np.isin(once.sites, reduce.without_dominated_sites(both).sites))
    once, twice = once.keep(columns=columns), twice.keep(columns=columns)
    model = highs.Model("max")
    sites = model.add_columns(np.zeros(len(columns)))
    backed = model.add_columns(twice.weights, integer=False)
    one = sparse.eye_array(len(backed), format="csr")
    # all are covered once, so the second site is what lies above 1 (above 0 where a required site is the first)
    model.add_rows(sparse.hstack([-twice.rows, one], format="csr"), upper=1.0 - twice.need)
    model.add_rows(reduce.without_implied_rows(once).rows, lower=1.0)
    model.add_rows(np.ones((1, len(sites))), lower=free, upper=free)
    answer = highs.solve(model, watch=watch)
    if answer.status == "infeasible":
        raise CertificateError("lscp_backup: the solver denies a cover that it has found before")
    claimed = None
    if answer.objective is not None:
        chosen = np.r_[asked.required, once.sites[answer.x[sites] > 0.5]]
        claimed = answer.objective + twice.settled
    bound = float(asked.weights.sum()) if answer.bound is None else answer.bound + twice.settled
    return settle(asked, Found(chosen, bound, answer.solver, claimed, stages=before), watch)


def _renamed(plan: SitingPlan) -> SitingPlan:
    """Return the plan that says there is no cover as the answer to the backup question."""
    if plan.certificate is None:
        return plan
    return replace(plan, certificate=replace(plan.certificate, problem="lscp_backup"))


def greedy_cover(cover: Cover) -> Integers:
    """Return columns that cover every row as often as it needs: greedy by rows a cost unit, superfluous ones dropped."""
    if cover.rows.shape[0] == 0:
        return np.empty(0, dtype=np.int64)
    sets_ptr, sets, ptr, demand = cover.table
    columns: Integers = kernels.cover.greedy_all(ptr, demand, sets_ptr, sets, cover.need, cover.costs)
    return columns


def packed(cover: Cover) -> float:
    """Return a lower bound on the cost of covering every row: what rows can pay without overpaying any site."""
    left = cover.costs.copy()
    paid = 0.0
    for row in np.argsort(np.diff(cover.rows.indptr), kind="stable"):
        sites = cover.rows.indices[cover.rows.indptr[row] : cover.rows.indptr[row + 1]]
        pays = float(left[sites].min())
        if pays > 0:
            left[sites] -= pays
            paid += pays * float(cover.need[row])
    return paid


def bound_by_prices(cover: Cover, target: float) -> float:
    """Return a lower bound on the cost of covering every row by prices of rows, sought until it lies above `target`."""
    return _priced(cover, target)[0]


def _priced(cover: Cover, target: float) -> tuple[float, Floats]:
    """Return the bound, and what each site costs beyond what its rows pay for it."""
    if cover.rows.shape[0] == 0 or target <= 0:
        return 0.0, cover.costs
    _, _, ptr, demand = cover.table
    share = cover.costs / np.maximum(1, np.diff(ptr))
    price = np.minimum.reduceat(share[cover.rows.indices], cover.rows.indptr[:-1])
    found: float = kernels.cover.priced(ptr, demand, cover.need, cover.costs, price, target, PRICE_STEPS)
    return found, cover.costs - cover.rows.T @ price


def narrowed(cover: Cover, most: int) -> tuple[Cover, Integers] | None:
    """Return what is left to ask whether `most` sites can cover every row, and the sites all such covers may take; None: they cannot.

    A site that would lift the bound by prices above `most` is in no such cover, one whose absence would is in each
    (Balas, Ho 1980); without them rows and sites fall to others.
    """
    taken: list[int] = []
    while True:
        cover, sure = reduce.core(cover)
        taken += sure.tolist()
        left = most - len(taken) + 1e-6
        if left < 0 or packed(cover) > left:
            return None
        bound, over = _priced(cover, left)
        if bound > left:
            return None
        dear, needed = bound + over > left, bound - over > left
        taken += cover.sites[needed].tolist()
        count = len(cover.sites)
        cover = reduce.with_taken(cover, np.flatnonzero(needed)) if needed.any() else cover
        cover = cover.keep(columns=np.flatnonzero(~dear[~needed])) if dear.any() else cover
        if (np.diff(cover.rows.indptr) < cover.need).any():
            return None
        if len(cover.sites) > SHRINKS * count or not len(cover.sites):
            return cover, np.array(sorted(taken), dtype=np.int64)


def few_that_cover(cover: Cover, most: int) -> tuple[bool | None, Integers]:
    """Return whether `most` sites, a handful, can cover every row once, and which; None where trying them takes too long."""
    nothing = np.empty(0, dtype=np.int64)
    if not 0 < most <= HANDFUL or (cover.need != 1).any():
        return None, nothing
    sets_ptr, sets, ptr, demand = cover.table
    told, columns = kernels.cover.within(ptr, demand, sets_ptr, sets, most, TRIES)
    return (None if told < 0 else told == 1), columns


def search_cover(cover: Cover, columns: Integers, *, watch: Watch, low: float = 0.0) -> Integers:
    """Return columns fewer than `columns` that cover every row, where a search by row weights finds any.

    Only where each row needs one site and all sites cost the same; stops at `low`, which nothing can beat.
    """
    alike = (cover.need == 1).all() and len(np.unique(cover.costs)) == 1
    if not alike or len(columns) < 2:
        return columns
    sets_ptr, sets, ptr, demand = cover.table
    # the work of a step grows with the sites a site meets; in pieces that time can cut. Where the solver is soon done by
    # itself a fraction of a second is enough, where it may never be, some seconds find what it would not
    met = max(1.0, cover.rows.nnz**2 / (cover.rows.shape[0] * cover.rows.shape[1]))
    rounds, work, most = (5, 4e7, 40_000) if cover.rows.nnz < LARGE else (2, 4e8, 200_000)
    steps = int(np.clip(work / met, 400, most))
    for seed in range(rounds):
        if watch.over or len(columns) <= low:
            break
        found = kernels.cover.reweighted(ptr, demand, sets_ptr, sets, columns, steps, int(low), seed)
        columns = found if len(found) < len(columns) else columns
    return columns


def unreachable(asked: Terms, watch: Watch) -> SitingPlan | None:
    """Return the plan that names demand points without any allowed site, or None where each has one."""
    reached = np.zeros(len(asked.weights), dtype=bool)
    reached[asked.times.minutes[asked.allowed].indices] = True
    if reached.all():
        return None
    lost = np.flatnonzero(~reached)
    named = points(asked, "unreachable_demand", lost, asked.weights[lost])
    return impossible(asked, _as_far_as_known(asked, named), watch)


def reach_all(asked: Terms, watch: Watch) -> tuple[Integers | None, SitingPlan | None]:
    """Return sites, at most p, that reach every demand point at all; or the plan that says why there are none."""
    every = replace(asked, problem="lscp", p=None, weights=np.ones(len(asked.weights)))
    plan = cover_all(every, watch)
    if plan.objective is not None and asked.p is not None and plan.objective <= asked.p:
        position = {site: i for i, site in enumerate(asked.site_ids)}
        return np.array([position[s] for s in plan.sites], dtype=np.int64), None
    if plan.bound is not None and asked.p is not None and plan.bound > asked.p:
        few = findings([("sites_to_reach_all", "", plan.bound)])
        # whom p sites leave out is named by those that serve most
        pairs = pairs_of(
            replace(asked, weights=np.ones(len(asked.weights))),
            unserved_min=1e3 * (1.0 + float(asked.times.minutes.data.max(initial=0.0))),
        )
        sites = pairs.sites[greedy(pairs, asked.p + 1).chosen]
        lost = np.flatnonzero(~np.isfinite(nearest(asked, sites[sites != NOBODY])[1]))
        named = pd.concat(
            [few, points(asked, "demand_left_out", lost, asked.weights[lost])], ignore_index=True
        )
        return None, impossible(asked, _as_far_as_known(asked, named), watch)
    return None, no_answer(asked)


def _as_far_as_known(asked: Terms, named: DataFrame) -> DataFrame:
    """Return findings with the word that longer times might say otherwise, where the times end at a cutoff."""
    if not asked.open_ended:
        return named
    told = findings([("longer_times_would_settle", "", asked.known_min)])
    return pd.concat([named, told], ignore_index=True)
