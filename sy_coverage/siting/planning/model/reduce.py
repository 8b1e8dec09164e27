"""Tell before anything is solved what a plan need not weigh: pools of sites of which the cheapest open, access that presence brings."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.policy.standards import exact
from sy_coverage.siting.planning.rules.targets import covered_today, present_today

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.planning.rules.case import PlanCase

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


def cheapest_pools(
    loose: list[Integers], pools: int, cost: Floats, missing: int
) -> tuple[Integers, list[Integers]]:
    """Return the sites that can open in a cheapest choice of `missing` of the pools, and the pools that open in every one.

    Parameters
    ----------
    loose
        Pools whose sites count for nothing else: any of them can be exchanged for any other.
    pools
        How many there are in all; those that are not loose may open for other reasons, whatever they cost.
    """
    nothing = np.empty(0, dtype=np.int64)
    if pools < missing:  # cannot be met: leave all as it is, the reasons are given elsewhere
        return np.concatenate(loose) if loose else nothing, []
    if missing <= 0 or not loose:
        return nothing, []
    least = np.array([cost[p].min() for p in loose])
    cheaper = np.searchsorted(np.sort(least), least, side="left")
    no_dearer = np.searchsorted(np.sort(least), least, side="right") - 1 + pools - len(loose)
    kept = [p[cost[p] == c] for p, c, n in zip(loose, least, cheaper, strict=True) if n < missing]
    # of pools that cost nothing, more than asked may open: the one that opens for sure is then the whole pool
    sure = [p[cost[p] == c] for p, c, n in zip(loose, least, no_dearer, strict=True) if n < missing]
    return np.concatenate(kept), sure


def least_reached(case: PlanCase) -> Floats:
    """Return how many elders of each unit must be within the cutoff for access, in the exact steps of their weights."""
    return case.once("least reached", lambda: _least_reached(case))


def _least_reached(case: PlanCase) -> Floats:
    weight, share = case.weight, exact(case.share)
    unit = case.unit_of_demand
    whole = np.bincount(unit, weights=weight.counts, minlength=len(case.units))
    if weight.exact:
        return np.array([float(ceil(share * int(w))) for w in whole])
    return np.array([float(share * Fraction(w)) * (1 - 1e-12) for w in whole])


def access_rows(case: PlanCase, kind: str, upper: Floats) -> Flags:
    """Return which units need a row for access: not those where any one site that makes a centre present brings it too."""
    if case.rules.rule == "presence":
        return np.zeros(len(case.units), dtype=bool)
    needed = ~covered_today(case, kind)
    if case.rules.rule == "access":
        return needed
    reach, least = case.reach(kind), least_reached(case)
    unit = case.unit_of_demand
    weight = case.weight.counts
    today = np.bincount(unit, weights=weight * reach.today, minlength=len(case.units))
    home = case.sites.unit
    own = np.flatnonzero(case.sites.of_kind(kind) & (home >= 0) & (upper > 0))
    pairs = reach.within[own].tocoo()
    inside = (unit[pairs.col] == home[own][pairs.row]) & ~reach.today[pairs.col]
    alone = np.bincount(pairs.row[inside], weights=weight[pairs.col[inside]], minlength=len(own))
    falls_short = np.zeros(len(case.units), dtype=bool)
    falls_short[home[own[alone + today[home[own]] < least[home[own]]]]] = True
    return needed & (present_today(case, kind) | falls_short)
