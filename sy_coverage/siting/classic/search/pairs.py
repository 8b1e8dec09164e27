"""Hold the pairs of site and demand of a p-median problem, by site and by demand, nearest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.classic.asked.terms import Terms

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

NOBODY = -1
"""Stands for the site that is always open and serves whom no other does, at a price."""


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

    @property
    def demand(self) -> int:
        """Return how many demand points there are."""
        return len(self.d_ptr) - 1


def pairs_of(asked: Terms, *, unserved_min: float | None = None) -> Pairs:
    """Return the pairs of weight × minutes between allowed sites and demand.

    With `unserved_min` a site more, `NOBODY`, is always open and that many minutes from everybody.
    """
    matrix = sparse.csr_array(asked.times.minutes[asked.allowed])
    sites, fixed = asked.allowed, np.isin(asked.allowed, asked.required)
    if unserved_min is not None:
        people = matrix.shape[1]  # each a pair of its own, also where the price is 0
        everybody = sparse.csr_array(
            (np.full(people, float(unserved_min)), np.arange(people), np.array([0, people])),
            shape=(1, people),
        )
        matrix = sparse.csr_array(sparse.vstack([matrix, everybody], format="csr"))
        sites, fixed = np.r_[sites, NOBODY], np.r_[fixed, True]
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
        sites,
        fixed,
        2.0 * float(worst.sum()) + 1.0,
    )
