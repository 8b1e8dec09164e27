"""Strengthen the linear relaxation of covering most by odd cuts: groups covered two by two by half-open sites.

Take any 2k + 1 groups. Half the sum of "no group is covered more than it has sites" and "no group is covered more than once",
rounded down, holds for every choice of whole sites: covered groups ≤ k + sites of them, each counted half as often as it
reaches them, rounded up. Three sites, each half open, each in reach of two of three groups, cover all three in the
relaxation; the cut forbids it (a {0, ½} cut: Caprara, Fischetti 1996).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from sy_coverage.siting.classic import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.classic.search.reduce import Cover

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

LARGEST = 9
"""Groups in a cut at most."""
MOST_NEW = 4000
"""Cuts that are added at a time: those that promise most."""
MOST_EACH = 2
"""Cuts that are added at a time whose lightest group is the same: else they crowd round a few heavy ones."""
NEAR = 30
LEAST = 0.02
"""Excess from which a cut is worth its place, or a cut's next two groups theirs."""
SEED = -0.1
"""Excess from which three groups are tried with two more: five may be covered too much where no three of them are."""


@dataclass(frozen=True)
class Cuts:
    """Odd cuts and their prices."""

    rows: Integers = field(default_factory=lambda: np.empty((0, LARGEST), dtype=np.int64))
    """The groups of each, sorted, after as many −1 as there are fewer than `LARGEST`."""
    sites: Any = field(default_factory=lambda: sparse.csr_array((0, 0)))
    """CSR array cuts × sites: how often a site counts."""
    price: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def sizes(self) -> Integers:
        """Return how many groups each cut has."""
        sizes: Integers = (self.rows >= 0).sum(axis=1)
        return sizes

    @property
    def right(self) -> Floats:
        """Return how many of its groups each cut lets be covered without any site."""
        return (self.sizes - 1) / 2.0

    @property
    def table(self) -> tuple[Integers, Integers, Integers, Integers, Floats, Floats]:
        """Return the cuts as plain arrays: `ptr` and `rows`, `ptr`, `sites` and `times`, `right`."""
        sites = self.sites
        ptr = np.r_[0, np.cumsum(self.sizes)].astype(np.int64)
        rows = self.rows[self.rows >= 0]
        return (
            ptr,
            rows,
            sites.indptr.astype(np.int64),
            sites.indices.astype(np.int64),
            sites.data,
            self.right,
        )

    def groups(self, count: int) -> Any:
        """Return the CSR array cuts × groups of ones."""
        ptr, rows = self.table[:2]
        return sparse.csr_array((np.ones(len(rows)), rows, ptr), shape=(len(self.rows), count))


def joined(cover: Cover, old: Cuts, x: Floats, z: Floats) -> Cuts:
    """Return the cuts of `old` that have a price, and new ones that forbid what `x` and `z` do."""
    sets_ptr, sets, ptr, demand = cover.table
    table = (ptr, demand, sets_ptr, sets, cover.weights)
    triples, excess = kernels.odd.odd_triples(*table, x, z, NEAR, SEED, MOST_EACH)
    small = np.full((len(triples), LARGEST), -1, dtype=np.int64)
    small[:, :3] = triples
    large, more = small.copy(), excess.copy()
    kernels.odd.grow_odd_sets(large, more, *table, x, z, NEAR, LEAST)
    found, excess = np.vstack([small, large]), np.r_[excess, more]
    lightest = found[:, 0]
    promise = np.where(excess > LEAST, excess * cover.weights[lightest], 0.0)
    found = np.sort(found, axis=1)
    _, first = np.unique(found, axis=0, return_index=True)
    best = first[np.argsort(-promise[first], kind="stable")]
    best = best[(promise[best] > 0) & (_turn(lightest[best]) < MOST_EACH)][:MOST_NEW]
    held = old.price > 0
    every = np.vstack([old.rows[held], found[best]])
    _, first = np.unique(every, axis=0, return_index=True)
    return priced(cover, np.ascontiguousarray(every[np.sort(first)]), old.price[held])


def _turn(values: Integers) -> Integers:
    """Return for each value how often it has come before."""
    order = np.argsort(values, kind="stable")
    ahead = np.searchsorted(values[order], values)
    turn = np.empty(len(values), dtype=np.int64)
    turn[order] = np.arange(len(values))
    return turn - ahead


def priced(cover: Cover, rows: Integers, price: Floats) -> Cuts:
    """Return the cuts over `rows`, the first of them with these prices."""
    cuts = Cuts(rows, price=np.r_[price, np.zeros(len(rows) - len(price))])
    counted = sparse.csr_array(cuts.groups(cover.rows.shape[0]) @ cover.rows)
    counted.data = np.ceil(counted.data / 2)
    return Cuts(rows, counted, cuts.price)
