"""Bounds on covers by prices of rows: never above the cheapest cover, and near enough to prove without a solver."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sy_coverage import siting
from sy_coverage.roads.travel_times import TravelTimes
from sy_coverage.siting.classic import covering
from sy_coverage.siting.classic.search import reduce
from sy_coverage.siting.solve import highs


def cover_of(table, need, costs):
    rows = sparse.csr_array(np.asarray(table, dtype=float))
    count, sites = rows.shape
    return reduce.Cover(
        rows, np.ones(count), np.asarray(need), np.arange(sites), np.asarray(costs, dtype=float)
    )


def cheapest(table, need, costs):
    sites = range(len(costs))
    choices = (list(c) for n in range(len(costs) + 1) for c in combinations(sites, n))
    return min(costs[c].sum() for c in choices if (table[:, c].sum(axis=1) >= need).all())


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.booleans())
def test_no_bound_lies_above_the_cheapest_cover(seed, dear):
    rng = np.random.default_rng(seed)
    count, sites = int(rng.integers(2, 15)), int(rng.integers(3, 9))
    table = rng.random((count, sites)) < rng.uniform(0.2, 0.7)
    table[np.arange(count), rng.integers(0, sites, count)] = True
    need = np.minimum(table.sum(axis=1), rng.integers(1, 3, count))
    costs = rng.integers(0, 9, sites).astype(float) if dear else np.ones(sites)
    best = cheapest(table, need, costs)
    cover = cover_of(table, need, costs)
    assert covering.packed(cover) <= best + 1e-9
    for target in (best - 1.0, best, 10.0 * best + 1.0):
        assert covering.bound_by_prices(cover, target) <= best + 1e-9


# Three rows, each with two of three sites: half of each site would do, 1.5 in all; no two rows share no site, so packing
# says 1. Prices of 1/2 a row are worth 1.5 and no site is worth more than its cost.
def test_prices_see_more_than_packing():
    triangle = cover_of([[1, 1, 0], [0, 1, 1], [1, 0, 1]], [1, 1, 1], [1, 1, 1])
    assert covering.packed(triangle) == 1.0
    assert covering.bound_by_prices(triangle, 1.0) > 1.0
    assert covering.bound_by_prices(triangle, 5.0) == pytest.approx(1.5, abs=0.01)


def test_prices_stay_true_however_far_the_target():
    rng = np.random.default_rng(2)
    table = rng.random((12, 4)) < 0.4
    table[np.arange(12), rng.integers(0, 4, 12)] = True
    need = np.minimum(table.sum(axis=1), 2)
    costs = np.ones(4)
    best = cheapest(table, need, costs)
    for target in (1e3, 1e6, 1e12):
        assert covering.bound_by_prices(cover_of(table, need, costs), target) <= best


def test_a_cover_and_a_centre_are_proved_without_a_solver_where_prices_meet_them(monkeypatch):
    def refuse(*_given, **_named):
        pytest.fail("the solver was asked")

    # sites and demand on a ring of nine, each with its two neighbours: three sites, by a third of each site
    ring = np.arange(9)
    away = np.abs(ring[:, None] - ring)
    five = np.where(np.minimum(away, 9 - away) <= 1, 5.0, 50.0)
    times = TravelTimes.from_matrix(pd.DataFrame(five))
    monkeypatch.setattr(highs, "solve", refuse)
    plan = siting.lscp(times, 5)
    assert (plan.status, plan.objective, plan.bound) == ("optimal", 3.0, 3.0)
    assert siting.p_center(times, p=2).objective == 50.0
    assert siting.p_center(times, p=3).objective == 5.0


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_trying_a_handful_of_sites_tells_whether_they_can_cover_all(seed):
    rng = np.random.default_rng(seed)
    count, sites = int(rng.integers(2, 20)), int(rng.integers(3, 10))
    table = rng.random((count, sites)) < rng.uniform(0.1, 0.6)
    table[np.arange(count), rng.integers(0, sites, count)] = True
    need = np.ones(count, dtype=np.int64)
    cover = cover_of(table, need, np.ones(sites))
    best = int(cheapest(table, need, np.ones(sites)))
    for most in range(1, min(sites, covering.HANDFUL) + 1):
        told, columns = covering.few_that_cover(cover, most)
        assert told is (most >= best)
        assert not told or (len(columns) <= most and table[:, columns].any(axis=1).all())


def test_what_takes_too_long_to_try_is_not_told(monkeypatch):
    monkeypatch.setattr(covering, "TRIES", 1)
    table = np.random.default_rng(1).random((40, 20)) < 0.3
    table[np.arange(40), np.arange(40) % 20] = True
    need = np.ones(40, dtype=np.int64)
    assert covering.few_that_cover(cover_of(table, need, np.ones(20)), 6)[0] is None
    assert covering.few_that_cover(cover_of(table, need, np.ones(20)), covering.HANDFUL + 1)[0] is None


@settings(max_examples=60)
@given(st.integers(0, 100_000))
def test_what_prices_leave_of_a_question_has_the_answer_of_the_whole(seed):
    rng = np.random.default_rng(seed)
    count, sites = int(rng.integers(2, 25)), int(rng.integers(3, 10))
    table = rng.random((count, sites)) < rng.uniform(0.1, 0.6)
    table[np.arange(count), rng.integers(0, sites, count)] = True
    need = np.minimum(table.sum(axis=1), rng.integers(1, 3, count))
    best = int(cheapest(table, need, np.ones(sites)))
    for most in range(sites + 1):
        left = covering.narrowed(cover_of(table, need, np.ones(sites)), most)
        if most < best:
            if left is not None:  # not seen through, but nothing that would do has been made up
                small, taken = left
                assert len(taken) + cheapest(small.rows.toarray() > 0, small.need, small.costs) > most
            continue
        assert left is not None
        small, taken = left
        rest = int(cheapest(small.rows.toarray() > 0, small.need, small.costs))
        assert len(taken) + rest <= most
        open_ = np.zeros(sites, dtype=bool)
        open_[taken] = True
        choices = (list(c) for n in range(rest + 1) for c in combinations(small.sites, n))
        assert any(
            (table[:, open_ | np.isin(np.arange(sites), c)].sum(axis=1) >= need).all() for c in choices
        )


# Nine rows on a ring and nine sites, each with a row and its two neighbours: at 1/3 a row three sites are paid for. Nine more
# sites have two rows far apart; one of these is paid 2/3, so no three sites with it among them would do: 3 1/3 is more.
def test_a_site_that_lifts_the_bound_past_what_is_allowed_is_left_out():
    ring = np.arange(9)
    away = np.abs(ring[:, None] - ring)
    near = np.minimum(away, 9 - away) <= 1
    far = (ring[:, None] == ring) | (ring[:, None] == (ring + 4) % 9)
    cover = cover_of(np.hstack([near, far]), np.ones(9, dtype=np.int64), np.ones(18))
    assert covering.narrowed(cover, 2) is None
    three = covering.narrowed(cover, 3)
    assert three is not None
    assert set(three[0].sites) | set(three[1]) <= set(range(9))
    four = covering.narrowed(cover, 4)
    assert four is not None
    assert set(four[0].sites) == set(range(18))
