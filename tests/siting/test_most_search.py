"""Hold the search for most coverage and its odd cuts against every choice there is."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sy_coverage.siting import _most_kernels, _price_kernels
from sy_coverage.siting._odd_cuts import Cuts, joined
from sy_coverage.siting._reduce import Cover


def cover(near, weights):
    """Return the table of groups × sites from a matrix of yes and no."""
    rows = sparse.csr_array(np.asarray(near, dtype=float))
    groups, sites = rows.shape
    return Cover(rows, weights, np.ones(groups, dtype=np.int64), np.arange(sites), np.ones(sites))


def worth(near, weights, choice):
    return float(weights[near[:, list(choice)].any(axis=1)].sum())


def test_three_groups_covered_two_by_two_by_half_open_sites_are_cut_off():
    # sites 0, 1, 2, each half open: every group has two halves; one site and a half cannot cover three groups
    near = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=bool)
    table, half = cover(near, np.ones(3)), np.full(3, 0.5)
    cuts = joined(table, Cuts(), half, np.ones(3))
    assert cuts.rows.tolist() == [[0, 1, 2]]
    # covered groups ≤ 1 + open sites: 3 > 1 + 1.5
    assert cuts.sites.toarray().tolist() == [[1.0, 1.0, 1.0]]
    # a site that has all three in reach counts twice
    all_three = cover(np.c_[near, np.ones(3, dtype=bool)], np.ones(3))
    assert joined(all_three, Cuts(), np.r_[half, 0.0], np.ones(3)).sites.toarray().tolist() == [
        [1.0, 1.0, 1.0, 2.0]
    ]
    # a choice of whole sites is never cut off
    assert not len(joined(table, Cuts(), np.array([1.0, 1.0, 0.0]), np.ones(3)).rows)


@given(st.integers(0, 10_000), st.integers(2, 4))
@settings(max_examples=25)
def test_bounds_with_odd_cuts_hold_for_every_choice_and_come_down(seed, p):
    rng = np.random.default_rng(seed)
    near = rng.random((40, 12)) < 0.22
    near[np.arange(40), rng.integers(0, 12, 40)] = True
    weights = rng.integers(1, 30, 40).astype(float)
    table = cover(near, weights)
    choices = list(itertools.combinations(range(12), p))
    best = max(worth(near, weights, c) for c in choices)
    sets_ptr, sets, ptr, demand = table.table
    price, x = 0.5 * weights, np.full(12, p / 12)
    z = np.minimum(1.0, table.rows @ x)
    cuts, bounds = Cuts(), []
    for turn in range(6):
        if turn > 1:
            cuts = joined(table, cuts, x, z)
        for choice in choices if turn == 5 else ():
            covered = near[:, list(choice)].any(axis=1)
            open_ = np.isin(np.arange(12), choice).astype(float)
            assert (covered[cuts.rows].sum(axis=1) <= 1 + cuts.sites @ open_).all()
        state = (*cuts.table, price, cuts.price, x, z)
        bounds.append(_price_kernels.most_bound(ptr, demand, sets_ptr, sets, weights, *state, p, 200))
        assert bounds[-1] >= best - 1e-9 * best
    assert min(bounds) <= bounds[0]
    start = np.arange(p)
    for found in (
        _most_kernels.exchanged(ptr, demand, sets_ptr, sets, weights, start),
        _most_kernels.annealed(ptr, demand, sets_ptr, sets, weights, start, 20.0, 0.2, 500, seed),
    ):
        assert len(set(found.tolist())) == p
        assert worth(near, weights, start) <= worth(near, weights, found) <= best
