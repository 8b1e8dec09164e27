"""Choose the p sites with the least total weighted travel, proved by prices (Lagrangian) and what they leave to the solver."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.siting.classic.asked.terms import terms
from sy_coverage.siting.classic.covering import reach_all, unreachable
from sy_coverage.siting.classic.proof.recount import nearest
from sy_coverage.siting.classic.proof.settle import (
    OWN,
    Found,
    findings,
    no_answer,
    settle,
    whole_objective,
)
from sy_coverage.siting.classic.search.capacitated import planned
from sy_coverage.siting.classic.search.median_search import (
    Median,
    exchanged,
    filled,
    finished,
    greedy,
    priced,
)
from sy_coverage.siting.classic.search.pairs import NOBODY, Pairs, pairs_of
from sy_coverage.siting.solve.memory import within_memory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sy_coverage.roads.travel_times import TravelTimes
    from sy_coverage.siting.classic.asked.terms import Terms
    from sy_coverage.siting.plan import SitingPlan
    from sy_coverage.siting.solve.watch import SolveOptions, Watch


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
    unserved_min: float | None = None,
    options: SolveOptions | None = None,
) -> SitingPlan:
    """Return the `p` sites with the least total of weight × minutes to the nearest of them.

    Parameters
    ----------
    times
        Minutes between sites and demand. A missing pair takes longer than `times.cutoff_min`; where that is infinite it
        cannot be travelled.
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
    unserved_min
        Minutes that a demand point without an open site counts for, at least the longest of `times`. None: everyone must be
        served.
    options
        Time limit, gap, progress.

    Returns
    -------
    plan
        `objective` is the total of weight × minutes. Where some point has no site at all, or `p` sites cannot reach every
        point, `status` is ``infeasible`` and `findings` says which points (``unreachable_demand``) or how many sites it
        takes (``sites_to_reach_all``). Where times end at a cutoff, the plan is the best of those that serve everyone within
        it; the bound lets all missing pairs take just the cutoff, and the plan is ``optimal`` only where it meets that:
        else ``feasible`` with its gap, and `findings` says that longer times would settle it
        (``longer_times_would_settle``). With `unserved_min` the points that nobody serves are named (``demand_left_out``).

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
            unserved_min=unserved_min,
            options=options,
        ),
        _least_travel,
    )


def _least_travel(asked: Terms, watch: Watch) -> SitingPlan:
    if asked.unserved_min is not None:
        pairs, p = pairs_of(asked, unserved_min=asked.unserved_min), (asked.p or 0) + 1
        return _settled(asked, pairs, _best(asked, pairs, p, greedy(pairs, p), watch), watch)
    lost = unreachable(asked, watch)
    if lost is not None:
        return lost
    pairs, p = pairs_of(asked), asked.p or 0
    best = greedy(pairs, p)
    if best.worth >= pairs.penalty and pairs.demand:
        start, none = reach_all(asked, watch)
        if none is not None or start is None:
            return none or no_answer(asked)
        best = exchanged(pairs, filled(np.flatnonzero(np.isin(pairs.sites, start)), len(pairs.sites), p))
    if not asked.open_ended:
        return _settled(asked, pairs, _best(asked, pairs, p, best, watch), watch)
    return _of_known_times(asked, pairs, best, watch)


def _of_known_times(asked: Terms, pairs: Pairs, best: Median, watch: Watch) -> SitingPlan:
    """Return the best plan that serves everyone within the times that are known, bounded as if all others took no longer."""
    p = asked.p or 0
    wide, q = pairs_of(asked, unserved_min=asked.known_min), p + 1
    watch.in_hand = _found(pairs, best)
    low = priced(wide, q, greedy(wide, q), _step(asked, best.worth), watch)
    best = _best(asked, pairs, p, best, watch)
    watch.in_hand = _found(pairs, best, bound=min(low.bound, best.worth))
    if low.bound < best.worth - _step(asked, best.worth):
        low = finished(wide, q, low, _step(asked, low.worth), watch)
    sites = wide.sites[low.chosen]
    if low.worth < best.worth and np.isfinite(nearest(asked, sites[sites != NOBODY])[1]).all():
        best = replace(low, chosen=np.flatnonzero(np.isin(pairs.sites, sites)))
    known = best.bound >= best.worth - _step(asked, best.worth)
    plan = settle(asked, _found(pairs, best, bound=min(low.bound, best.worth)), watch)
    if plan.status != "feasible" or not known:
        return plan
    told = findings([("longer_times_would_settle", "", asked.known_min)])
    return replace(plan, findings=pd.concat([plan.findings, told], ignore_index=True))


def _best(asked: Terms, pairs: Pairs, p: int, best: Median, watch: Watch) -> Median:
    """Return the best p sites, proved where there is time for it."""
    watch.in_hand = _found(pairs, best)
    better = _step(asked, best.worth)
    best = priced(pairs, p, best, better, watch)
    watch.in_hand = _found(pairs, best)
    return finished(pairs, p, best, better, watch)


def _step(asked: Terms, upper: float) -> float:
    """Return by how much a better plan is better at least, as far as numbers can tell."""
    return 1.0 - 1e-6 if whole_objective(asked) else 1e-10 * max(1.0, upper)


def _found(pairs: Pairs, best: Median, *, bound: float | None = None) -> Found:
    sites = pairs.sites[best.chosen]
    low = min(best.bound, best.worth) if bound is None else bound
    return Found(
        sites[sites != NOBODY],
        low if np.isfinite(low) else None,
        best.solver or OWN,
        claimed=best.worth,
        heuristic=best.heuristic,
    )


def _settled(asked: Terms, pairs: Pairs, best: Median, watch: Watch) -> SitingPlan:
    return settle(asked, _found(pairs, best), watch)
