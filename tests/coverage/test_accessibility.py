"""Accessibility scores against the formula written out, a published oracle, and the law that supply is shared, not made."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage import coverage
from sy_coverage.errors import CutoffError, InputError, UnknownIdError
from sy_coverage.roads.travel_times import TravelTimes

# Two sites, three points; minutes: site x to a, b, c is 0, 10, 30; site y is 20, 10, beyond reach. Not square.
COST = pd.DataFrame({"x": [0.0, 10, 30], "y": [20.0, 10, np.inf]}, index=["a", "b", "c"])
TIMES = TravelTimes.from_matrix(COST)
BEDS = [60.0, 30.0]
ELDERS = [100.0, 200.0, 300.0]


def test_two_step_scores_by_hand():
    # cutoff 20: x has a, b (300 elders): 60/300 = 0.2; y has a, b (300): 0.1; c reaches nothing
    score = coverage.two_step_fca(TIMES, 20, supply=BEDS, demand=ELDERS)
    assert score.to_dict() == pytest.approx({"a": 0.3, "b": 0.3, "c": 0.0}, abs=1e-15)
    assert (score.index.name, score.name) == ("demand_id", "two_step_fca")
    # cutoff 10: x has a, b: 0.2; y has b alone: 30/200 = 0.15
    score = coverage.two_step_fca(TIMES, 10, supply=BEDS, demand=ELDERS)
    assert score.to_dict() == pytest.approx({"a": 0.2, "b": 0.35, "c": 0.0}, abs=1e-15)


def test_a_catchment_includes_its_cutoff_to_a_billionth_of_a_minute():
    def score(cutoff):
        return coverage.two_step_fca(TIMES, cutoff, supply=BEDS, demand=ELDERS)["c"]

    assert score(30.0) > 0
    assert score(np.nextafter(30.0, 31)) > 0
    assert score(30.0 - 2e-9) == 0


def test_two_step_scores_equal_the_oracle_of_san_francisco(shared_data):
    metres = np.loadtxt(shared_data / "oracles" / "sf_205x16_metres.csv", delimiter=",")
    oracle = pd.read_csv(shared_data / "oracles" / "sf_2sfca.csv")
    times = TravelTimes.from_matrix(metres)
    assert metres.shape == (205, 16)
    beds = [50 + 10 * store for store in range(16)]
    score = coverage.two_step_fca(times, 5000, supply=beds, demand=oracle["population"].to_numpy())
    np.testing.assert_allclose(score.to_numpy(), oracle["two_sfca_5000m"], rtol=1e-12, atol=0)
    assert (score.to_numpy() * oracle["population"]).sum() == pytest.approx(2000, rel=1e-12)


def test_arrays_go_by_position_and_series_by_label():
    by_label = coverage.two_step_fca(
        TIMES,
        20,
        supply=pd.Series({"y": 30.0, "x": 60.0, "unused": 5.0}),
        demand=pd.Series({"c": 300, "b": 200, "a": 100}),
    )
    pd.testing.assert_series_equal(by_label, coverage.two_step_fca(TIMES, 20, supply=BEDS, demand=ELDERS))
    numbered = TravelTimes.from_matrix(COST.to_numpy())
    by_number = coverage.two_step_fca(numbered, 20, supply=pd.Series([60.0, 30]), demand=pd.Series(ELDERS))
    assert by_number.to_list() == by_label.to_list()


def test_enhanced_scores_by_hand_in_steps():
    # thirds of 30: 1 up to 10, 0.68 up to 20, 0.22 up to 30. x: a 1, b 1, c 0.22; y: a 0.68, b 1
    score = coverage.enhanced_two_step_fca(TIMES, 30, supply=BEDS, demand=ELDERS)
    x = 60 / (100 + 200 + 0.22 * 300)
    y = 30 / (0.68 * 100 + 200)
    assert score.to_dict() == pytest.approx({"a": x + 0.68 * y, "b": x + y, "c": 0.22 * x}, rel=1e-14)


def test_enhanced_scores_take_steps_of_ones_own():
    score = coverage.enhanced_two_step_fca(TIMES, 30, supply=BEDS, demand=ELDERS, decay={20: 0.5, 10: 1.0})
    # c at 30 minutes is beyond the last step
    x, y = 60 / 300, 30 / (50 + 200)
    assert score.to_dict() == pytest.approx({"a": x + 0.5 * y, "b": x + y, "c": 0.0}, rel=1e-14)


def test_enhanced_scores_by_hand_with_a_gaussian_curve():
    def weight(t):
        return (math.exp(-0.5 * (t / 30) ** 2) - math.exp(-0.5)) / (1 - math.exp(-0.5))

    score = coverage.enhanced_two_step_fca(TIMES, 30, supply=BEDS, demand=ELDERS, decay="gaussian")
    x = 60 / (100 + 200 * weight(10))
    y = 30 / (100 * weight(20) + 200 * weight(10))
    assert score["a"] == pytest.approx(x + weight(20) * y, rel=1e-14)
    assert score["b"] == pytest.approx(weight(10) * (x + y), rel=1e-14)
    assert score["c"] == 0  # exactly at the cutoff the curve has come down to 0


def test_three_step_scores_by_hand():
    # steps as above; shares of a: 1/1.68 to x, 0.68/1.68 to y; of b: half each; of c: all to x
    score = coverage.three_step_fca(TIMES, 30, supply=BEDS, demand=ELDERS)
    ax, ay = 1 / 1.68, 0.68 * 0.68 / 1.68
    x = 60 / (100 * ax + 200 * 0.5 + 300 * 0.22)
    y = 30 / (100 * ay + 200 * 0.5)
    expected = {"a": ax * x + ay * y, "b": 0.5 * x + 0.5 * y, "c": 0.22 * x}
    assert score.to_dict() == pytest.approx(expected, rel=1e-14)


def test_opportunities_in_reach_are_counted_or_summed():
    assert coverage.cumulative_opportunities(TIMES, 20).to_dict() == {"a": 2, "b": 2, "c": 0}
    assert coverage.cumulative_opportunities(TIMES, 30, supply=BEDS).to_dict() == {"a": 90, "b": 90, "c": 60}


def test_gravity_by_hand_without_and_with_competition():
    f = math.exp(-0.1 * 10)
    g = math.exp(-0.1 * 20)
    h = math.exp(-0.1 * 30)
    plain = coverage.gravity(TIMES, supply=BEDS, decay_per_min=0.1)
    assert plain.to_dict() == pytest.approx({"a": 60 + 30 * g, "b": 90 * f, "c": 60 * h}, rel=1e-14)
    shared = coverage.gravity(TIMES, supply=BEDS, decay_per_min=0.1, demand=ELDERS)
    x = 60 / (100 + 200 * f + 300 * h)
    y = 30 / (100 * g + 200 * f)
    assert shared["a"] == pytest.approx(x + g * y, rel=1e-14)
    assert (shared.to_numpy() @ np.array(ELDERS)) == pytest.approx(90, rel=1e-14)


def test_the_nearest_sites_come_in_order_ties_by_id_and_blanks_where_there_are_no_more():
    near = coverage.nearest_k(TIMES, 2)
    assert near.loc["a"].tolist() == ["x", 0.0, "y", 20.0]
    assert near.loc["b"].tolist() == ["x", 10.0, "y", 10.0]
    assert near.loc["c", "site_id_1"] == "x"
    assert near.loc["c", ["site_id_2", "minutes_2"]].isna().all()
    with pytest.raises(InputError, match="k 0: must be 1 or more"):
        coverage.nearest_k(TIMES, 0)


@pytest.mark.parametrize(
    ("supply", "demand", "error", "message"),
    [
        ([60.0], ELDERS, InputError, r"supply: \(1,\) values for 2 ids"),
        (BEDS, ELDERS[:2], InputError, r"demand: \(2,\) values for 3 ids"),
        ([60, -1], ELDERS, InputError, "supply: must be finite and 0 or more for y"),
        (BEDS, [1, float("nan"), 3], InputError, "demand: must be finite and 0 or more for b"),
        (BEDS, [1, float("inf"), 3], InputError, "demand: must be finite and 0 or more for b"),
        (["many", "few"], ELDERS, InputError, "supply: must be numbers"),
        (pd.Series({"x": 1.0}), ELDERS, UnknownIdError, "supply lacks ids of the travel times.*y"),
        (
            pd.Series([1.0, 2, 3], index=["x", "y", "x"]),
            ELDERS,
            InputError,
            "supply: ids given more than once: x",
        ),
    ],
)
def test_supply_or_demand_that_does_not_fit_is_refused_by_name(supply, demand, error, message):
    with pytest.raises(error, match=message):
        coverage.two_step_fca(TIMES, 20, supply=supply, demand=demand)


@pytest.mark.parametrize("decay", ["linear", {}, {10: 2.0}, {-1: 0.5}, {10: float("nan")}, {40: 0.5}])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(InputError, match="decay"):
        coverage.enhanced_two_step_fca(TIMES, 30, supply=BEDS, demand=ELDERS, decay=decay)


def test_a_cutoff_longer_than_the_times_is_refused():
    short = TravelTimes(TIMES.minutes, TIMES.site_ids, TIMES.demand_ids, 30.0)
    for score in (coverage.two_step_fca, coverage.enhanced_two_step_fca, coverage.three_step_fca):
        with pytest.raises(CutoffError):
            score(short, 31, supply=BEDS, demand=ELDERS)


def test_a_site_on_which_there_is_no_demand_gives_nothing():
    score = coverage.two_step_fca(TIMES, 20, supply=BEDS, demand=[0.0, 0, 300])
    assert score.tolist() == [0, 0, 0]


@st.composite
def cases(draw):
    sites, points = draw(st.integers(1, 5)), draw(st.integers(1, 8))
    minutes = st.one_of(st.floats(0, 60), st.just(math.inf))
    cost = draw(st.lists(st.lists(minutes, min_size=sites, max_size=sites), min_size=points, max_size=points))
    supply = draw(st.lists(st.floats(0, 500), min_size=sites, max_size=sites))
    demand = draw(st.lists(st.integers(0, 3000), min_size=points, max_size=points))
    return np.array(cost), np.array(supply), np.array(demand, dtype=float)


@given(
    case=cases(), cutoff=st.floats(1, 60), method=st.sampled_from(["two", "enhanced", "gaussian", "three"])
)
def test_people_times_score_is_the_supply_that_somebody_can_reach(case, cutoff, method):
    cost, supply, demand = case
    times = TravelTimes.from_matrix(cost)
    reached = cost <= cutoff
    if method == "two":
        score = coverage.two_step_fca(times, cutoff, supply=supply, demand=demand)
    elif method == "gaussian":
        # at the cutoff itself a Gaussian weight is 0: it is not reached
        reached = cost < cutoff * (1 - 1e-9)
        cost = np.where(reached, cost, np.inf)
        times = TravelTimes.from_matrix(cost)
        score = coverage.enhanced_two_step_fca(times, cutoff, supply=supply, demand=demand, decay="gaussian")
    else:
        call = coverage.enhanced_two_step_fca if method == "enhanced" else coverage.three_step_fca
        score = call(times, cutoff, supply=supply, demand=demand)
    asked = (reached * demand[:, None]).sum(axis=0)
    assert score.to_numpy() @ demand == pytest.approx(supply[asked > 0].sum(), rel=1e-9, abs=1e-9)


@given(case=cases(), cutoff=st.floats(1, 60), seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_no_bit(case, cutoff, seed):
    cost, supply, demand = case
    random = np.random.default_rng(seed)
    points, sites = random.permutation(len(demand)), random.permutation(len(supply))
    times = TravelTimes.from_matrix(cost)
    mixed = TravelTimes.from_matrix(
        cost[points][:, sites], demand_ids=[str(i) for i in points], site_ids=[str(i) for i in sites]
    )
    for call in (coverage.two_step_fca, coverage.enhanced_two_step_fca, coverage.three_step_fca):
        first = call(times, cutoff, supply=supply, demand=demand)
        again = call(mixed, cutoff, supply=supply[sites], demand=demand[points])
        assert first.to_dict() == again.to_dict()


# What PySAL's `access` 1.1.10 (BSD-3) answers for five points and three sites within 30 minutes, steps of 10, 20 and 30 minutes.
PYSAL_COST = [[4.0, 25, 40], [12, 9, 31], [18, 22, 7], [29, 3, 26], [33, 15, 14]]
PYSAL = {
    "two_step_fca": [
        0.08423895145886846,
        0.08423895145886846,
        0.20504432058638525,
        0.20504432058638525,
        0.14155225709432176,
    ],
    "enhanced_two_step_fca": [
        0.12752400999681074,
        0.10864063328437355,
        0.3516892158628161,
        0.11048337987465102,
        0.19647856363606758,
    ],
    "three_step_fca": [
        0.2212833614744502,
        0.09929377539025647,
        0.40068386642839304,
        0.06017995767817422,
        0.23061938600076104,
    ],
    "cumulative_opportunities": [85.0, 85.0, 175.0, 175.0, 115.0],
    "gravity": [
        43.9197352277219,
        32.2903224236673,
        57.38068959358039,
        28.506470759717427,
        29.984970802529723,
    ],
}


@pytest.mark.parametrize("method", sorted(PYSAL))
def test_scores_equal_those_of_pysal(method):
    times = TravelTimes.from_matrix(PYSAL_COST)
    supply, demand = [60.0, 25.0, 90.0], [120.0, 340.0, 75.0, 410.0, 260.0]
    score = getattr(coverage, method)
    if method == "gravity":
        found = score(times, supply=supply, decay_per_min=0.1)
    elif method == "cumulative_opportunities":
        found = score(times, 30, supply=supply)
    else:
        found = score(times, 30, supply=supply, demand=demand)
    assert found.tolist() == pytest.approx(PYSAL[method], rel=1e-12)
