"""Make a covering problem smaller without changing its answer: merge demand, drop sites and rows that cannot matter."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from sy_coverage.roads.travel_times import within_cutoff
from sy_coverage.siting.classic import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sy_coverage.siting.classic.asked.terms import Terms

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


ROUNDING = 1e-10
"""What a bound may be off, in parts of it, for the order in which its parts were summed."""


@dataclass(frozen=True)
class Cover:
    """A covering table: groups of demand (rows) × sites that may still be chosen (columns)."""

    rows: Any
    """CSR array of ones, groups × sites."""
    weights: Floats
    """Of each group."""
    need: Integers
    """How many more sites each group needs before it counts."""
    sites: Integers
    """Position of each column's site in the terms."""
    costs: Floats
    settled: float = 0.0
    """Weight that is covered whatever is chosen (by the required sites)."""
    lost: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Positions of demand points that no choice can cover."""

    @property
    def table(self) -> tuple[Integers, Integers, Integers, Integers]:
        """Return rows and their transpose as plain arrays: `sets_ptr`, `sets`, `members_ptr`, `members`."""
        turned = sparse.csr_array(self.rows.T)
        turned.sort_indices()
        return _plain(self.rows) + _plain(turned)

    def keep(self, rows: Any = None, columns: Any = None) -> Cover:
        """Return the table of some rows and columns only."""
        cover = self
        if rows is not None:
            cover = replace(cover, rows=cover.rows[rows], weights=cover.weights[rows], need=cover.need[rows])
        if columns is not None:
            cover = replace(
                cover,
                rows=sparse.csr_array(cover.rows[:, columns]),
                sites=cover.sites[columns],
                costs=cover.costs[columns],
            )
        cover.rows.sort_indices()
        return cover


def _plain(matrix: Any) -> tuple[Integers, Integers]:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)


def cover_of(terms: Terms) -> Cover:
    """Return the covering table of `terms`: required sites taken as chosen, forbidden ones left out, same rows merged."""
    cover, weights, need, demand = _levels(terms) if terms.decay is not None else _points(terms)
    free = np.setdiff1d(terms.allowed, terms.required)
    by_required = np.asarray(cover[:, terms.required].sum(axis=1)).ravel().astype(np.int64)
    need = need - by_required
    done = need <= 0
    rows = cover if len(free) == cover.shape[1] else sparse.csr_array(cover[:, free])
    rows = rows[~done] if done.any() else rows
    reachable = np.diff(rows.indptr) >= need[~done]
    lost = np.setdiff1d(np.arange(len(terms.weights)), np.r_[demand[done], demand[~done][reachable]])
    weights, settled, need = weights[~done], float(weights[done].sum()), need[~done]
    rows = rows if reachable.all() else rows[reachable]
    rows.sort_indices()
    costs = np.ones(len(free)) if terms.costs is None else terms.costs[free]
    table = Cover(rows, weights[reachable], need[reachable], free, costs, settled, lost)
    return merged(table)


def _points(terms: Terms) -> tuple[Any, Floats, Integers, Integers]:
    # ones of one byte each: there may be ten million of them
    cover = sparse.csr_array(terms.cover.T.astype(np.int8))
    return cover, terms.weights, terms.k, np.arange(cover.shape[0])


def _levels(terms: Terms) -> tuple[Any, Floats, Integers, Integers]:
    """Return one row for each level of coverage a demand point can have: gradual coverage is plain coverage of levels.

    A point covered to 1.0 by some sites and to 0.4 by others is two points: 0.6 of its weight for the first sites alone,
    0.4 for all of them.
    """
    assert terms.decay is not None and terms.cutoff is not None  # noqa: S101, PT018  (the caller asked)
    coo = terms.times.minutes.tocoo()
    site, demand, minutes = coo.coords[0], coo.coords[1], coo.data
    keep = within_cutoff(minutes, terms.cutoff)
    site, demand, minutes = site[keep], demand[keep], minutes[keep]
    share = terms.decay.share(minutes, terms.cutoff)
    site, demand, share = site[share > 0], demand[share > 0], share[share > 0]
    order = np.lexsort((site, -share, demand))
    site, demand, share = site[order], demand[order], share[order]
    last = np.r_[(demand[1:] != demand[:-1]) | (share[1:] != share[:-1]), True][: len(demand)]
    end = np.flatnonzero(last)
    start = np.searchsorted(demand, demand[end])
    lower = np.zeros(len(end))
    same = (
        np.flatnonzero(demand[end][1:] == demand[end][:-1]) if len(end) > 1 else np.empty(0, dtype=np.int64)
    )
    lower[same] = share[end][same + 1]
    length = end + 1 - start
    indptr = np.r_[0, np.cumsum(length)]
    flat = np.arange(indptr[-1]) - np.repeat(indptr[:-1], length) + np.repeat(start, length)
    rows = sparse.csr_array((np.ones(len(flat)), site[flat], indptr), shape=(len(end), len(terms.site_ids)))
    rows.sort_indices()
    weights = terms.weights[demand[end]] * (share[end] - lower)
    return rows, weights, np.ones(len(end), dtype=np.int64), demand[end]


def merged(cover: Cover) -> Cover:
    """Return the table with rows of the same sites and the same need made one, their weights added."""
    rows = cover.rows
    count = rows.shape[0]
    if count < 2:
        return cover
    # two sums of random 64-bit words tell sets apart; equality is then checked, not believed
    words = np.random.default_rng(0).integers(0, 2**64, size=(2, rows.shape[1]), dtype=np.uint64)
    starts = rows.indptr[:-1]
    sums = [np.add.reduceat(np.r_[w[rows.indices], np.uint64(0)], starts) for w in words]
    empty = np.diff(rows.indptr) == 0
    sums = [np.where(empty, np.uint64(0), s) for s in sums]
    order = np.lexsort((sums[1], sums[0], np.diff(rows.indptr), cover.need))
    new = np.r_[True, np.zeros(count - 1, dtype=bool)]
    for key in (sums[0], sums[1], np.diff(rows.indptr), cover.need):
        new[1:] |= key[order][1:] != key[order][:-1]
    group = np.cumsum(new) - 1
    head = order[new][group]
    same = np.flatnonzero(~new)
    new[same] = _differ(rows, order[same], head[same])
    group = np.cumsum(new) - 1
    first = np.full(int(new.sum()), count, dtype=np.int64)
    np.minimum.at(first, group, order)
    weights: Floats = np.bincount(group, cover.weights[order]).astype(np.float64)
    by_first = np.argsort(first)
    kept = cover.keep(rows=first[by_first])
    return replace(kept, weights=weights[by_first])


def _differ(rows: Any, one: Integers, other: Integers) -> Any:
    """Return whether row one[t] and row other[t], equally long, hold different columns."""
    length = np.diff(rows.indptr)[one]
    at = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    unlike = (
        rows.indices[np.repeat(rows.indptr[one], length) + at]
        != rows.indices[np.repeat(rows.indptr[other], length) + at]
    )
    return np.bincount(np.repeat(np.arange(len(one)), length), unlike, minlength=len(one)) > 0


def without_dominated_sites(cover: Cover) -> Cover:
    """Return the table without sites that cover a part of what another one covers for no more money.

    Only where every need is 1: a second site in reach is worth something else.
    """
    if cover.rows.shape[1] < 2 or (cover.need > 1).any():
        return cover
    sets_ptr, sets, members_ptr, members = cover.table
    out = kernels.common.dominated(
        members_ptr, members, sets_ptr, sets, cover.costs, np.zeros(len(cover.sites), dtype=bool)
    )
    return cover.keep(columns=np.flatnonzero(~out)) if out.any() else cover


def without_implied_rows(cover: Cover) -> Cover:
    """Return the table without groups that are covered whenever another one is; for problems that cover all rows."""
    if cover.rows.shape[0] < 2:
        return cover
    sets_ptr, sets, members_ptr, members = cover.table
    out = kernels.common.implied(sets_ptr, sets, members_ptr, members, cover.need)
    return cover.keep(rows=np.flatnonzero(~out)) if out.any() else cover


def with_taken(cover: Cover, columns: Integers) -> Cover:
    """Return what is left when the sites of `columns` are chosen."""
    need = cover.need - np.asarray(cover.rows[:, columns].sum(axis=1)).ravel().astype(np.int64)
    rest = np.setdiff1d(np.arange(cover.rows.shape[1]), columns)
    return replace(cover, need=need).keep(rows=np.flatnonzero(need > 0), columns=rest)


def core(cover: Cover) -> tuple[Cover, Integers]:
    """Return what is left of a problem that must cover every row, and the positions of the sites every best answer may take.

    Rows with no more sites than they need settle those sites; then rows implied by others and sites dominated by others
    go, until nothing changes.
    """
    taken: list[int] = []
    while cover.rows.shape[0]:
        before = cover.rows.shape
        cover = without_dominated_sites(without_implied_rows(cover))
        tight = np.diff(cover.rows.indptr) == cover.need
        if tight.any():
            columns = np.unique(cover.rows[np.flatnonzero(tight)].indices)
            taken += cover.sites[columns].tolist()
            cover = with_taken(cover, columns)
        if cover.rows.shape == before:
            break
    return cover, np.array(sorted(taken), dtype=np.int64)
