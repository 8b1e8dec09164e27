"""Strengthen the linear relaxation of covering most by odd cuts: three groups, covered two by two by half-open sites.

Take any three groups. Half the sum of "no group is covered more than it has sites" and "no group is covered more than once",
rounded down, holds for every choice of whole sites: covered groups ≤ 1 + sites of them, a site of all three counted twice. Three
sites, each half open, each in reach of two of three groups, cover all three in the relaxation; the cut forbids it (a {0, ½}
cut: Caprara, Fischetti 1996).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting._reduce import Cover

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

MOST_NEW = 2000
"""Cuts that are added at a time: those that promise most."""
NEAR = 30
LEAST = 0.02
"""Excess from which a cut is worth its place."""


@dataclass(frozen=True)
class Cuts:
    """Odd cuts and their prices."""

    rows: Integers = field(default_factory=lambda: np.empty((0, 3), dtype=np.int64))
    """Three groups each, sorted."""
    sites: Any = field(default_factory=lambda: sparse.csr_array((0, 0)))
    """CSR array cuts × sites: how often a site counts."""
    price: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def table(self) -> tuple[Integers, Integers, Integers, Floats]:
        """Return the cuts as plain arrays: rows, `ptr`, `sites`, `times`."""
        sites = self.sites
        return self.rows, sites.indptr.astype(np.int64), sites.indices.astype(np.int64), sites.data

    def groups(self, count: int) -> Any:
        """Return the CSR array cuts × groups of ones."""
        at = np.arange(0, 3 * len(self.rows) + 1, 3)
        return sparse.csr_array(
            (np.ones(3 * len(self.rows)), self.rows.ravel(), at), shape=(len(self.rows), count)
        )


def joined(cover: Cover, old: Cuts, x: Floats, z: Floats) -> Cuts:
    """Return the cuts of `old` that have a price, and new ones that forbid what `x` and `z` do."""
    from sy_coverage.siting import _price_kernels as kernels  # noqa: PLC0415

    sets_ptr, sets, ptr, demand = cover.table
    found, worth = kernels.odd_triples(ptr, demand, sets_ptr, sets, cover.weights, x, z, NEAR, LEAST)
    held = old.price > 0
    found = np.sort(found[np.argsort(-worth, kind="stable")], axis=1)
    every = np.vstack([old.rows[held], found])
    _, first = np.unique(every, axis=0, return_index=True)
    first = np.sort(first)[: int(held.sum()) + MOST_NEW]
    rows = np.ascontiguousarray(every[first])
    price = np.zeros(len(rows))
    price[: int(held.sum())] = old.price[held]
    cuts = Cuts(rows, price=price)
    counted = sparse.csr_array(cuts.groups(cover.rows.shape[0]) @ cover.rows)
    counted.data = np.ceil(counted.data / 2)
    return Cuts(rows, counted, price)
