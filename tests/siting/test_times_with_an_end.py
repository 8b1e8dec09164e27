"""Travel times with missing pairs: where they end at a cutoff nothing is called optimal that longer times could better."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sy_coverage import siting
from sy_coverage.errors import InputError
from sy_coverage.roads.travel_times import TravelTimes
from sy_coverage.siting.classic.search import median_search


def sparse_times(minutes, cutoff):
    """Return times of a demand × sites table as a network hands them over: no pair beyond the cutoff."""
    known = cutoff >= minutes.T
    matrix = sparse.csr_array(np.where(known, minutes.T, 0.0))
    matrix = sparse.csr_array((minutes.T[known], np.nonzero(known)), shape=known.shape)
    sites, demand = known.shape
    return TravelTimes(
        matrix, tuple(f"s{i}" for i in range(sites)), tuple(f"d{i}" for i in range(demand)), cutoff, "drive"
    )


def best_of(minutes, weights, p, worth):
    """Return the least `worth` of p sites, by trying all."""
    return min(
        worth(weights, minutes[:, list(chosen)].min(axis=1))
        for chosen in itertools.combinations(range(minutes.shape[1]), p)
    )


def travel(weights, nearest):
    return float((weights * nearest).sum())


def farthest(_, nearest):
    return float(nearest.max())


@st.composite
def questions(draw):
    demand, sites = draw(st.integers(2, 7)), draw(st.integers(2, 6))
    minutes = np.array(
        draw(
            st.lists(
                st.lists(st.integers(1, 40), min_size=sites, max_size=sites), min_size=demand, max_size=demand
            )
        ),
        dtype=float,
    )
    weights = np.array(draw(st.lists(st.integers(0, 5), min_size=demand, max_size=demand)), dtype=float)
    return minutes, weights, draw(st.integers(1, sites)), float(draw(st.integers(5, 40)))


@given(questions())
@pytest.mark.parametrize("large", [-1, 20_000])
def test_a_median_of_times_that_end_is_optimal_only_where_longer_times_cannot_better_it(large, question):
    minutes, weights, p, cutoff = question
    # the same answers from branching with prices and from the solver
    before, median_search.LARGE = median_search.LARGE, large
    try:
        plan = siting.p_median(sparse_times(minutes, cutoff), weights, p)
    finally:
        median_search.LARGE = before
    within = best_of(np.where(minutes <= cutoff, minutes, np.inf), np.maximum(weights, 1e-300), p, travel)
    truly = best_of(minutes, weights, p, travel)
    if not np.isfinite(within):
        assert plan.status == "infeasible"
        assert {"longer_times_would_settle"} & set(plan.findings["reason_id"])
        assert {"unreachable_demand", "demand_left_out"} & set(plan.findings["reason_id"])
        return
    assert plan.objective == pytest.approx(within)
    assert plan.bound <= truly + 1e-9
    if plan.status == "optimal":
        assert plan.objective == pytest.approx(truly)
    else:
        # whoever is missing might be just beyond the cutoff: then a better plan would exist
        just_beyond = np.where(minutes <= cutoff, minutes, cutoff)
        assert best_of(just_beyond, weights, p, travel) == pytest.approx(plan.bound)
        assert plan.bound < plan.objective
        assert plan.gap > 0
        assert list(plan.findings["reason_id"]) == ["longer_times_would_settle"]
        assert list(plan.findings["value"]) == [cutoff]


@given(questions())
def test_a_centre_of_times_that_end_is_decided_by_them_where_everybody_can_be_served(question):
    minutes, _, p, cutoff = question
    plan = siting.p_center(sparse_times(minutes, cutoff), p)
    truly = best_of(minutes, None, p, farthest)
    if truly <= cutoff:
        assert (plan.status, plan.objective) == ("optimal", truly)
    else:
        assert plan.status == "infeasible"
        assert "longer_times_would_settle" in set(plan.findings["reason_id"])


@given(questions())
@pytest.mark.parametrize("large", [-1, 20_000])
def test_leaving_somebody_unserved_costs_what_was_said(large, question):
    minutes, weights, p, cutoff = question
    before, median_search.LARGE = median_search.LARGE, large
    try:
        plan = siting.p_median(sparse_times(minutes, cutoff), weights, p, unserved_min=60.0)
    finally:
        median_search.LARGE = before
    priced = np.where(minutes <= cutoff, minutes, 60.0)
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(best_of(priced, weights, p, travel))
    chosen = [int(site[1:]) for site in plan.sites]
    lost = {f"d{i}" for i in np.flatnonzero((minutes[:, chosen] > cutoff).all(axis=1))}
    assert set(plan.findings["subject"]) == lost
    assert plan.details["demand_unserved"] == len(lost)
    again = siting.verify(plan, sparse_times(minutes, cutoff), weights=weights, p=p, unserved_min=60.0)
    assert again.objective == plan.objective


def test_three_points_and_four_sites_some_of_which_cannot_be_reached():
    inf = np.inf
    minutes = np.array([[8, inf, 14, 38], [inf, 28, 35, inf], [inf, 24, 8, 3.0]])
    # by hand, of the pairs that reach all: {0,2} 32+70+24 = 126, {2,3} 135, {1,2} 136, {0,1} 160, {1,3} 217
    plan = siting.p_median(TravelTimes.from_matrix(minutes), np.array([4, 2, 3.0]), 2)
    assert (plan.status, plan.objective, plan.sites) == ("optimal", 126, ("0", "2"))


@given(questions(), st.floats(0.2, 0.7))
def test_a_median_with_pairs_that_nobody_can_travel_is_what_trying_all_finds(question, share):
    minutes, weights, p, _ = question
    minutes = np.where(np.random.default_rng(1).random(minutes.shape) < share, np.inf, minutes)
    plan = siting.p_median(TravelTimes.from_matrix(minutes), weights + 1.0, p)
    best = best_of(minutes, weights + 1.0, p, travel)
    assert plan.objective == (best if np.isfinite(best) else None)
    assert plan.status == ("optimal" if np.isfinite(best) else "infeasible")


@pytest.mark.parametrize("price", [39.0, float("nan"), float("inf"), -1.0])
def test_a_price_below_the_longest_way_is_refused(price):
    times = TravelTimes.from_matrix(np.array([[1.0, 40.0], [40.0, 1.0]]))
    with pytest.raises(InputError, match="unserved_min"):
        siting.p_median(times, [1, 1], 1, unserved_min=price)


@settings(max_examples=20)
@given(questions())
def test_capacities_within_times_that_end_keep_an_honest_bound(question):
    minutes, weights, p, cutoff = question
    beds = np.full(minutes.shape[1], weights.sum() + 1.0)
    plan = siting.p_median(sparse_times(minutes, cutoff), weights + 1.0, p, capacities=beds * 2)
    truly = best_of(minutes, weights + 1.0, p, travel)
    if plan.objective is not None:
        assert plan.bound is None or plan.bound <= truly + 1e-6
        assert plan.status != "optimal" or plan.objective == pytest.approx(truly)


def test_memory_that_runs_out_leaves_the_plan_in_hand(monkeypatch):
    def crowded(*_, **__):
        raise MemoryError

    rng = np.random.default_rng(3)
    minutes = np.round(rng.random((30, 30)) * 50) + 1
    monkeypatch.setattr("sy_coverage.siting.classic.search.median_search._steps", crowded)
    monkeypatch.setattr("sy_coverage.siting.classic.median.priced", lambda _pairs, _p, best, *_: best)
    plan = siting.p_median(TravelTimes.from_matrix(minutes), np.ones(30), 4)
    assert plan.status == "feasible"
    assert len(plan.sites) == 4
    assert plan.certificate.notes == ("memory_limit",)
