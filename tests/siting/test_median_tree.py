"""Hold branching with prices against every choice of sites there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sy_coverage import siting
from sy_coverage.roads.travel_times import TravelTimes
from sy_coverage.siting.classic.asked.terms import terms
from sy_coverage.siting.classic.search import median_search, median_tree
from sy_coverage.siting.classic.search.pairs import pairs_of
from sy_coverage.siting.solve import highs


@pytest.mark.parametrize("seed", range(12))
def test_branching_finds_and_proves_what_brute_force_finds(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    n, p = 13, 3 + seed % 3
    minutes = rng.integers(1, 12, size=(n, n)).astype(float)
    # some pairs are out of reach, but each point has sites enough for some choice
    minutes[rng.random((n, n)) < 0.15] = np.inf
    minutes[:, 0] = 11.0
    weights = rng.integers(0, 4, n) if seed % 2 else rng.random(n)
    roles = {"required": ("3",), "forbidden": ("5",)} if seed % 4 == 0 else {}
    may = [j for j in range(n) if not roles or j != 5]
    reach = {
        c: minutes[:, list(c)].min(axis=1) for c in itertools.combinations(may, p) if not roles or 3 in c
    }
    best = min(float((weights * t).sum()) for t in reach.values() if np.isfinite(t).all())
    looked_at = []
    parts = median_tree.Tree._parts
    monkeypatch.setattr(median_search, "LARGE", -1)
    monkeypatch.setattr(median_tree.Tree, "_parts", lambda t, node: looked_at.append(node) or parts(t, node))
    plan = siting.p_median(TravelTimes.from_matrix(minutes), weights, p, **roles)
    assert (plan.status, plan.gap) == ("optimal", 0.0)
    assert plan.objective == pytest.approx(best, rel=1e-12)
    for node in looked_at:
        # no part is said to cost more than the best choice in it
        inside = [
            c for c in reach if set(np.flatnonzero(node.opened)) <= set(c) and not node.closed[list(c)].any()
        ]
        worth = [
            float((weights * reach[c]).sum()) for c in inside if not roles and np.isfinite(reach[c]).all()
        ]
        assert node.bound <= min(worth, default=np.inf) + 1e-9


def test_branching_that_runs_out_of_time_says_how_far_it_came():
    rng = np.random.default_rng(5)
    points = rng.random((60, 2))
    minutes = np.round(
        100 * np.linalg.norm(points[:, None] - points[None], axis=2) + rng.random((60, 60)) * 60
    )
    times = TravelTimes.from_matrix(minutes)
    pairs = pairs_of(terms("p_median", times, weights=np.ones(60), p=4))
    start = np.arange(4)
    tree = median_tree.Tree(pairs, 4, (start, float(minutes[:, :4].min(axis=1).sum())), 1.0 - 1e-6)
    none = np.zeros(60, dtype=bool)
    root = median_tree.Node(0.0, none, none, pairs.d_cost[pairs.d_ptr[:-1]].copy())
    over = highs.Watch(siting.SolveOptions(time_limit_s=1e-9))
    assert tree.search(root, over) == 0.0
    low = tree.search(root, highs.Watch(siting.SolveOptions()))
    assert low == tree.upper == siting.p_median(times, np.ones(60), 4).objective
