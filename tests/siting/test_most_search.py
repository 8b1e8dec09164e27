"""Hold the search for most coverage and its odd cuts against every choice there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sy_coverage import siting
from sy_coverage.roads.travel_times import TravelTimes
from sy_coverage.siting.classic.kernels import most
from sy_coverage.siting.classic.kernels import prices as price_kernels
from sy_coverage.siting.classic.search import most_tree
from sy_coverage.siting.classic.search.most_rest import Rest, still_open, without
from sy_coverage.siting.classic.search.most_search import Search
from sy_coverage.siting.classic.search.odd_cuts import Cuts, joined
from sy_coverage.siting.classic.search.reduce import Cover
from sy_coverage.siting.solve import highs

EXAMPLES = settings().max_examples
FEW = settings(max_examples=EXAMPLES if EXAMPLES > 60 else 25)
SUBSETS = np.array(list(itertools.product((0, 1), repeat=11)))


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
    assert cuts.rows[cuts.rows >= 0].tolist() == [0, 1, 2]
    assert cuts.right.tolist() == [1.0]
    # covered groups ≤ 1 + open sites: 3 > 1 + 1.5
    assert cuts.sites.toarray().tolist() == [[1.0, 1.0, 1.0]]
    # a site that has all three in reach counts twice
    all_three = cover(np.c_[near, np.ones(3, dtype=bool)], np.ones(3))
    assert joined(all_three, Cuts(), np.r_[half, 0.0], np.ones(3)).sites.toarray().tolist() == [
        [1.0, 1.0, 1.0, 2.0]
    ]
    # a choice of whole sites is never cut off
    assert not len(joined(table, Cuts(), np.array([1.0, 1.0, 0.0]), np.ones(3)).rows)


def test_five_groups_in_a_ring_are_cut_off_where_no_three_of_them_are():
    # group i is in reach of sites i and i + 1, all half open: two sites and a half cannot cover five groups
    ring = np.arange(5)
    near = np.zeros((5, 5), dtype=bool)
    near[ring, ring] = near[ring, (ring + 1) % 5] = True
    cuts = joined(cover(near, np.ones(5)), Cuts(), np.full(5, 0.5), np.ones(5))
    assert [row[row >= 0].tolist() for row in cuts.rows] == [[0, 1, 2, 3, 4]]
    # covered groups ≤ 2 + open sites: 5 > 2 + 2.5; and two sites that cover four do
    assert cuts.right.tolist() == [2.0]
    assert cuts.sites.toarray().tolist() == [[1.0] * 5]


@given(st.integers(0, 10_000), st.integers(2, 4))
@FEW
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
            assert (cuts.groups(40) @ covered <= cuts.right + cuts.sites @ open_).all()
        state = (*cuts.table, price, cuts.price, x, z, np.zeros(12), np.ones(12))
        bounds.append(price_kernels.most_bound(ptr, demand, sets_ptr, sets, weights, *state, p, 200, 0.0))
        assert bounds[-1] >= best - 1e-9 * best
    assert min(bounds) <= bounds[0]
    start = np.arange(p)
    for found in (
        most.exchanged(ptr, demand, sets_ptr, sets, weights, start),
        most.annealed(ptr, demand, sets_ptr, sets, weights, start, 20.0, 0.2, 500, seed),
    ):
        assert len(set(found.tolist())) == p
        assert worth(near, weights, start) <= worth(near, weights, found) <= best


def searched(table, p, turns):
    """Return a search in which prices alone have looked for a bound, from the first p sites."""
    columns, count = np.arange(p), len(table.sites)
    x = np.full(count, p / count)
    search = Search(
        table, columns, float(table.weights.sum()), 0.5 * table.weights, x, np.minimum(1.0, table.rows @ x)
    )
    for _ in range(turns):
        search.lower_bound_by_prices()
        search.rounds += 1
    return search


@given(st.integers(0, 10_000), st.integers(1, 5), st.booleans(), st.sampled_from([1, 3, 400]))
@FEW
def test_the_tree_ends_with_the_best_choice_there_is_however_poor_its_bounds(seed, p, whole, steps):
    rng = np.random.default_rng(seed)
    near = rng.random((30, 10)) < rng.uniform(0.1, 0.35)
    near[np.arange(30), rng.integers(0, 10, 30)] = True
    weights = rng.integers(1, 9, 30) * (1.0 if whole else 0.37)
    table = cover(near, weights)
    best = max(worth(near, weights, c) for c in itertools.combinations(range(10), p))
    search = searched(table, p, int(rng.integers(1, 6)))
    assert search.bound >= best - 1e-9
    step = 1.0 - 1e-6 if whole else 1e-9 * best
    rest = still_open(search, step)
    start = np.flatnonzero(np.isin(rest.cover.sites, search.columns))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(most_tree, "STEPS", steps)
        tree = most_tree.Tree(rest, start, step)
        bound = tree.search(search.bound, highs.Watch(highs.SolveOptions()))
    assert len(set(tree.columns.tolist())) == p
    assert worth(near, weights, rest.cover.sites[tree.columns]) == pytest.approx(best, rel=1e-12)
    assert bound == tree.reached


def test_a_bound_by_prices_allows_for_the_rounding_of_its_sums(monkeypatch):
    # ten million elders in whole numbers: a sum that came out at 9,999,999.9995 may stand for one more than 9,999,999
    search = searched(cover(np.ones((2, 2), dtype=bool), np.array([5e6, 5e6])), 1, 0)
    monkeypatch.setattr(price_kernels, "most_bound", lambda *_given: 9_999_999.9995)
    search.lower_bound_by_prices()
    assert search.bound >= 10_000_000.0


def test_what_prices_decide_within_a_gap_stays_in_the_bound(monkeypatch):
    # three sites of one group each; within 40 % of the third (10) nobody seeks less than 14, so that the prices leave the first
    # only, for which they promise 14.2: it covers 12, and the second would have covered 13
    near, weights = np.eye(3, dtype=bool), np.array([12.0, 13.0, 10.0])
    search = searched(cover(near, weights), 1, 0)
    search.columns, search.reached = np.array([2]), 10.0
    search.price[:] = [14.2, 13.0, 10.0]
    monkeypatch.setattr(most_tree, "STEPS", 0)
    tree = most_tree.Tree(still_open(search, 1.0), search.columns, 1.0, gap=0.4)
    bound = tree.search(20.0, highs.Watch(highs.SolveOptions(gap=0.4)))
    assert (tree.columns.tolist(), tree.reached) == ([0], 12.0)
    assert 13.0 <= bound <= 1.4 * tree.reached


@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([0.02, 0.1, 0.4]), st.sampled_from([1, 25]))
@FEW
def test_within_a_gap_the_tree_ends_with_a_bound_that_holds_and_meets_the_gap(seed, p, gap, steps):
    rng = np.random.default_rng(seed)
    near = rng.random((20, 9)) < rng.uniform(0.15, 0.4)
    near[np.arange(20), rng.integers(0, 9, 20)] = True
    weights = rng.integers(1, 9, 20).astype(float)
    best = max(worth(near, weights, c) for c in itertools.combinations(range(9), p))
    search = searched(cover(near, weights), p, 1)
    rest = still_open(search, 1.0 - 1e-6)
    start = np.flatnonzero(np.isin(rest.cover.sites, search.columns))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(most_tree, "STEPS", steps)
        tree = most_tree.Tree(rest, start, 1.0 - 1e-6, gap)
        bound = tree.search(search.bound, highs.Watch(highs.SolveOptions(gap=gap)))
    assert tree.reached <= best <= bound + 1e-6
    assert bound - tree.reached <= max(1.0, gap * tree.reached)


@given(st.integers(0, 10_000), st.integers(1, 4))
@FEW
def test_prices_decide_nothing_that_a_choice_worth_the_need_contradicts(seed, p):
    rng = np.random.default_rng(seed)
    near = rng.random((25, 9)) < 0.25
    near[np.arange(25), rng.integers(0, 9, 25)] = True
    weights = rng.integers(1, 30, 25).astype(float)
    search = searched(cover(near, weights), p, 4)
    low, high = np.zeros(9), np.ones(9)
    # a few sites are in or out from the start
    low[rng.choice(9, int(rng.integers(0, 2)), replace=False)] = 1.0
    high[rng.choice(np.flatnonzero(low < 1), int(rng.integers(0, 3)), replace=False)] = 0.0
    allowed = [
        c
        for c in itertools.combinations(range(9), p)
        if (high[list(c)] == 1).all() and low.sum() == low[list(c)].sum()
    ]
    if not allowed:
        return
    values = {c: worth(near, weights, c) for c in allowed}
    need = float(rng.choice(sorted(values.values())))
    _, _, ptr, demand = search.cover.table
    prices = (search.price, search.cuts.price)
    bound = price_kernels.decided_by_prices(
        ptr, demand, weights, *search.cuts.table, *prices, low, high, p, need * (1 - 1e-9)
    )
    assert bound >= max(values.values()) * (1 - 1e-9)
    for choice, value in values.items():
        if value >= need:
            assert (high[list(choice)] == 1).all()
            assert low.sum() == low[list(choice)].sum()


@given(st.integers(0, 10_000))
@FEW
def test_cuts_hold_in_what_is_left_of_a_table(seed):
    rng = np.random.default_rng(seed)
    near = rng.random((40, 12)) < 0.22
    near[np.arange(40), rng.integers(0, 12, 40)] = True
    search = searched(cover(near, rng.integers(1, 30, 40).astype(float)), 3, 6)
    cuts = search.cuts
    whole = Rest(
        search.cover, cuts.groups(40), cuts.sites, cuts.right, search.price, cuts.price, search.x, search.z
    )
    kept = np.sort(rng.choice(12, 8, replace=False))
    rest = without(whole, kept)
    for choice in itertools.combinations(range(8), 3):
        open_ = np.isin(np.arange(8), choice).astype(float)
        covered = (rest.cover.rows @ open_ > 0).astype(float)
        assert (rest.rows @ np.r_[open_, covered] <= rest.right).all()


def test_what_prices_say_of_p_sites_is_not_said_of_what_a_budget_buys():
    # one dear site covers 96 of 100 and leaves no money; ten cheap ones cover all
    minutes = np.full((100, 11), 99.0)
    minutes[:96, 0] = 1.0
    for site in range(10):
        minutes[10 * site : 10 * site + 10, site + 1] = 1.0
    costs = np.r_[9.5, np.ones(10)]
    plan = siting.mclp(TravelTimes.from_matrix(minutes), 5, np.ones(100), budget=10, costs=costs)
    assert (plan.status, plan.objective, len(plan.sites)) == ("optimal", 100.0, 10)


@given(st.integers(0, 10_000), st.booleans(), st.booleans(), st.sampled_from([1, 1, 2]))
@FEW
def test_most_coverage_by_p_sites_or_a_budget_equals_brute_force(seed, whole, by_budget, most_needed):
    rng = np.random.default_rng(seed)
    near = rng.random((60, 11)) < rng.uniform(0.08, 0.4)
    weights = np.where(rng.random(60) < 0.3, 20.0, rng.integers(0, 9, 60)) * (1.0 if whole else 0.37)
    needs = rng.integers(1, most_needed + 1, 60)
    covered = ((needs <= SUBSETS @ near.T) @ weights).round(9)
    times = TravelTimes.from_matrix(np.where(near, 1.0, 9.0))
    if by_budget:
        # one site dear and good, as greedy likes it
        costs = rng.integers(1, 5, 11) / 2
        costs[np.argmax(near.sum(axis=0))] = 5.0
        budget = float(rng.integers(4, 13) / 2)
        best = covered[SUBSETS @ costs <= budget].max()
        plan = siting.mclp(times, 5, weights, budget=budget, costs=costs, k=needs)
    else:
        p = int(rng.integers(1, 8))
        best = covered[SUBSETS.sum(axis=1) == p].max()
        plan = siting.mclp(times, 5, weights, p=p, k=needs)
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(best, rel=1e-9, abs=1e-9)
    chosen = np.isin(np.arange(11), [int(site) for site in plan.sites]).astype(int)
    assert float(weights[near @ chosen >= needs].sum()) == pytest.approx(best, rel=1e-9, abs=1e-9)
