"""Leave out of a problem of covering most what no better choice can hold, and keep what is known about the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from sy_coverage.siting.classic import kernels
from sy_coverage.siting.classic.search.reduce import ROUNDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.classic.search.most_search import Search
    from sy_coverage.siting.classic.search.reduce import Cover

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Rest:
    """The part of a problem of covering most that is still open: its table, its odd cuts, and where its relaxation stands."""

    cover: Cover
    groups: Any
    """CSR array cuts × groups of ones."""
    sites: Any
    """CSR array cuts × sites: how often a site counts."""
    right: Floats
    """Of each cut: groups ≤ `right` + sites."""
    price: Floats
    """Of each group."""
    cut_price: Floats
    x: Floats
    z: Floats

    @property
    def rows(self) -> Any:
        """Return the cuts as rows of a model, over sites and then groups."""
        return sparse.csr_array(sparse.hstack([-self.sites, self.groups], format="csr"))

    @property
    def cuts(self) -> tuple[Integers, Integers, Integers, Integers, Floats, Floats]:
        """Return the cuts as plain arrays, as the compiled loops take them."""
        parts = [part.astype(np.int64) for m in (self.groups, self.sites) for part in (m.indptr, m.indices)]
        return parts[0], parts[1], parts[2], parts[3], self.sites.data, self.right


def still_open(search: Search, step: float) -> Rest:
    """Return what is left without the sites that no choice can hold which covers `step` more than the best one found.

    The sites of the best one stay, so that whoever solves the rest must come to as much.
    """
    cover, p, cuts = search.cover, len(search.columns), search.cuts
    groups = cuts.groups(cover.rows.shape[0])
    sites = cuts.sites if len(cuts.price) else sparse.csr_array((0, len(cover.sites)))
    whole = Rest(cover, groups, sites, cuts.right, search.price, cuts.price, search.x, search.z)
    # what prices say holds where p sites are asked for, and they were found for that
    if not search.rounds or not 0 < p < len(cover.sites):
        return whole
    _, _, ptr, demand = cover.table
    low, high = np.zeros(len(cover.sites)), np.ones(len(cover.sites))
    need = search.reached + step - ROUNDING * max(1.0, search.bound)
    state = (*whole.cuts, search.price, cuts.price, low, high)
    kernels.prices.decided_by_prices(ptr, demand, cover.weights, *state, p, need)
    high[search.columns] = 1.0
    return without(whole, np.flatnonzero(high))


def without(whole: Rest, columns: Integers) -> Rest:
    """Return the rest with these columns only, and without rows and cuts that say nothing about them."""
    part = whole.cover.keep(columns=columns)
    rows = np.flatnonzero(np.diff(part.rows.indptr) > 0)
    groups = sparse.csr_array(whole.groups[:, rows])
    # a cut with no more groups left than it lets be covered for nothing forbids nothing
    held = np.flatnonzero((whole.cut_price > 0) & (np.diff(groups.indptr) > whole.right))
    sites = sparse.csr_array(whole.sites[held][:, columns])
    return Rest(
        part.keep(rows=rows),
        sparse.csr_array(groups[held]),
        sites,
        whole.right[held],
        whole.price[rows],
        whole.cut_price[held],
        whole.x[columns],
        whole.z[rows],
    )
