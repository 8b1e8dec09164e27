"""Keep the laws that bind the classic siting problems to one another, whatever the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sy_coverage import siting
from sy_coverage.roads.travel_times import TravelTimes

# each case solves up to a score of problems: a quarter of the profile's examples
FEW = settings(max_examples=max(10, settings().max_examples // 4))


@st.composite
def tables(draw):
    """Return a random demand × sites table of minutes with many ties, and weights, both labelled."""
    sites, demand = draw(st.integers(2, 9)), draw(st.integers(2, 14))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    cost = pd.DataFrame(
        rng.integers(0, 12, size=(demand, sites)).astype(float),
        index=[f"v{i}" for i in range(demand)],
        columns=[f"s{j}" for j in range(sites)],
    )
    return cost, pd.Series(rng.integers(0, 9, demand).astype(float), index=cost.index)


def every_plan(cost, weights):
    """Return a plan of each problem for the same table."""
    times = TravelTimes.from_matrix(cost)
    cutoff, p = 5.0, 2
    room = pd.Series(20.0, index=cost.columns)
    return {
        "lscp": siting.lscp(times, cutoff),
        "lscp_backup": siting.lscp_backup(times, cutoff, weights),
        "mclp": siting.mclp(times, cutoff, weights, p=p),
        "budget": siting.mclp(times, cutoff, weights, budget=30.0, costs=room),
        "gradual": siting.mclp(times, cutoff, weights, p=p, decay=siting.LinearDecay(1.0)),
        "partial": siting.partial_cover(times, cutoff, weights, 0.65),
        "median": siting.p_median(times, weights, p=p),
        "center": siting.p_center(times, p=p),
        "beds": siting.p_median(times, weights, p=p, capacities=room),
    }


@FEW
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_nothing(table, random):
    cost, weights = table
    rows, columns = list(cost.index), list(cost.columns)
    random.shuffle(rows)
    random.shuffle(columns)
    here, there = every_plan(cost, weights), every_plan(cost.loc[rows, columns], weights)
    for name, plan in here.items():
        other = there[name]
        assert (plan.sites, plan.status, plan.objective, plan.bound) == (
            other.sites,
            other.status,
            other.objective,
            other.bound,
        )
        pd.testing.assert_series_equal(plan.assignment, other.assignment)
        pd.testing.assert_frame_equal(plan.findings, other.findings)
        pd.testing.assert_frame_equal(plan.why(), other.why())


@FEW
@given(tables(), st.integers(2, 4), st.randoms(use_true_random=False))
def test_the_order_of_sites_changes_no_plan_that_keeps_them_apart(table, p, random):
    sites = sorted(table[0].columns)
    p = min(p, len(sites))
    rng = np.random.default_rng(random.randint(0, 10_000))
    apart = pd.DataFrame(rng.integers(0, 12, (len(sites),) * 2).astype(float), index=sites, columns=sites)
    rows, columns = sites.copy(), sites.copy()
    random.shuffle(rows)
    random.shuffle(columns)
    for given_ in ({}, {"required": sites[:1]}, {"forbidden": sites[:1]} if len(sites) > p else {}):
        here = siting.p_dispersion(apart, p=p, **given_)
        there = siting.p_dispersion(apart.loc[rows, columns], p=p, **given_)
        assert (here.sites, here.status, here.objective, here.bound) == (
            there.sites,
            there.status,
            there.objective,
            there.bound,
        )
        pd.testing.assert_frame_equal(here.why(), there.why())


@FEW
@given(tables())
def test_covering_all_with_the_fewest_is_covering_most_with_as_many(table):
    cost, weights = table
    times = TravelTimes.from_matrix(cost)
    plan = siting.lscp(times, 5.0)
    everyone = pd.Series(1.0, index=weights.index)
    if plan.status == "infeasible":
        assert siting.mclp(times, 5.0, everyone, p=len(times.site_ids)).objective < len(everyone)
        return
    n = int(plan.objective)
    assert siting.mclp(times, 5.0, everyone, p=n).objective == len(everyone)
    if n > 1:
        assert siting.mclp(times, 5.0, everyone, p=n - 1).objective < len(everyone)
    assert siting.partial_cover(times, 5.0, everyone, 1.0).objective == n
    assert siting.lscp(times, 5.0, k=1).objective == n
    assert siting.p_center(times, p=n).objective <= 5.0
    if n > 1:
        assert siting.p_center(times, p=n - 1).objective > 5.0


@FEW
@given(tables())
def test_more_sites_or_longer_cutoffs_never_make_it_worse(table):
    cost, weights = table
    times = TravelTimes.from_matrix(cost)
    sites = range(1, min(5, len(times.site_ids)) + 1)
    by_p = [siting.mclp(times, 4.0, weights, p=p).objective for p in sites]
    by_cutoff = [siting.mclp(times, c, weights, p=2).objective for c in (2.0, 4.0, 6.0)]
    assert by_p == sorted(by_p)
    assert by_cutoff == sorted(by_cutoff)
    for objective in (
        [siting.p_median(times, weights, p=p).objective for p in sites],
        [siting.p_center(times, p=p).objective for p in sites],
    ):
        assert objective == sorted(objective, reverse=True)


@FEW
@given(tables())
def test_demand_in_one_place_counts_as_its_sum(table):
    cost, weights = table
    doubled = pd.concat([cost, cost.set_axis([f"{i}+" for i in cost.index])])
    halves = pd.concat([weights / 2, (weights / 2).set_axis([f"{i}+" for i in weights.index])])
    whole, parts = every_plan(cost, weights), every_plan(doubled, halves)
    for name in ("lscp", "mclp", "partial", "median", "center", "gradual", "budget"):
        assert parts[name].status == whole[name].status
        assert parts[name].objective == (
            None if whole[name].objective is None else pytest.approx(whole[name].objective, rel=1e-9)
        )


@FEW
@given(tables())
def test_an_existing_site_never_raises_the_number_of_new_ones(table):
    cost, _ = table
    times = TravelTimes.from_matrix(cost)
    free = siting.lscp(times, 6.0)
    if free.objective is None:
        return
    for site in times.site_ids:
        assert siting.lscp(times, 6.0, required=(site,)).objective - 1 <= free.objective


@FEW
@given(tables())
def test_room_for_everyone_is_no_limit(table):
    cost, weights = table
    times = TravelTimes.from_matrix(cost)
    ample = np.full(len(times.site_ids), float(weights.sum()) + 1.0)
    for split in (True, False):
        given = {"capacities": ample, "split": split}
        assert (
            siting.p_median(times, weights, p=2, **given).objective
            == siting.p_median(times, weights, p=2).objective
        )
        assert (
            siting.mclp(times, 4.0, weights, p=2, **given).objective
            == siting.mclp(times, 4.0, weights, p=2).objective
        )
