"""Refuse, with a ValueError that says what and which, whatever a siting problem cannot mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sy_coverage import siting
from sy_coverage.errors import CoverageError, CutoffError, InputError, UnknownIdError
from sy_coverage.roads.travel_times import TravelTimes

TABLE = pd.DataFrame([[1.0, 5.0, 9.0], [4.0, 2.0, 7.0]], index=["v1", "v2"], columns=["a", "b", "c"])
TIMES = TravelTimes.from_matrix(TABLE)
ONES = np.ones(2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: siting.mclp(TIMES, 5, ONES, p=4), "p=4: there are only 3 sites"),
        (lambda: siting.p_median(TIMES, ONES, p=4), "p=4"),
        (lambda: siting.p_center(TIMES, p=3, forbidden=("a",)), "p=3: there are only 2 sites"),
        (lambda: siting.mclp(TIMES, 5, ONES, p=0), "p=0"),
        (lambda: siting.p_median(TIMES, ONES, p=0), "p=0"),
        (lambda: siting.p_center(TIMES, p=-1), "p=-1"),
        (lambda: siting.p_center(TIMES, p=1.5), "p=1.5"),
        (lambda: siting.p_median(TIMES, ONES, p=True), "p=True"),
        (lambda: siting.p_dispersion(np.ones((3, 3)), p=1), "p=1"),
        (lambda: siting.p_dispersion(TIMES, p=2), "to the same sites"),
        (lambda: siting.mclp(TIMES, 5, ONES, p=1, required=("a", "b")), "2 sites are required"),
        (lambda: siting.lscp(TIMES, 9, required=("a",), forbidden=("a",)), "both required and forbidden: a"),
        (lambda: siting.lscp(TIMES, 9, required="a"), "give several ids"),
        (lambda: siting.mclp(TIMES, 5, [1.0, np.nan], p=1), "weights: .* at v2"),
        (lambda: siting.mclp(TIMES, 5, [1.0, np.inf], p=1), "weights: .* at v2"),
        (lambda: siting.mclp(TIMES, 5, [-1.0, 1.0], p=1), "weights: .* at v1"),
        (lambda: siting.mclp(TIMES, 5, [1.0], p=1), "weights"),
        (lambda: siting.mclp(TIMES, 5, ["x", "y"], p=1), "weights: must be numbers"),
        (lambda: siting.mclp(TIMES, 5, pd.Series([1.0], index=["v1"]), p=1), "no value for v2"),
        (lambda: siting.mclp(TIMES, 5, pd.Series([1.0, 2, 3], index=["v1", "v2", "v3"]), p=1), "v3"),
        (lambda: siting.mclp(TIMES, 5, pd.Series([1.0, 2, 3], index=["v1", "v2", "v2"]), p=1), "twice: v2"),
        (lambda: siting.mclp(TIMES, 5, ONES), "give p=, or budget="),
        (lambda: siting.mclp(TIMES, 5, ONES, p=1, budget=3, costs=[1, 1, 1]), "not both"),
        (lambda: siting.mclp(TIMES, 5, ONES, budget=3), "costs="),
        (lambda: siting.mclp(TIMES, 5, ONES, p=1, costs=[1, 1, 1]), "budget"),
        (lambda: siting.mclp(TIMES, 5, ONES, budget=np.nan, costs=[1, 1, 1]), "budget"),
        (lambda: siting.mclp(TIMES, 5, ONES, budget=1, costs=[1, np.nan, 1]), "costs: .* at b"),
        (
            lambda: siting.mclp(TIMES, 5, ONES, budget=1, costs=[2, 1, 1], required=("a",)),
            "required sites alone cost 2",
        ),
        (lambda: siting.partial_cover(TIMES, 5, ONES, 90), "did you mean 0.9"),
        (lambda: siting.partial_cover(TIMES, 5, ONES, -0.1), "between 0 and 1"),
        (lambda: siting.partial_cover(TIMES, 5, ONES, np.nan), "between 0 and 1"),
        (lambda: siting.lscp(TIMES, np.nan), "cutoff"),
        (lambda: siting.lscp(TIMES, -1), "cutoff"),
        (lambda: siting.lscp(TIMES, 5, k=0), "k"),
        (lambda: siting.lscp(TIMES, 5, k=1.5), "k"),
        (lambda: siting.lscp(TIMES, 5, k=2, capacities=[1, 1, 1]), "capacities"),
        (lambda: siting.mclp(TIMES, 5, ONES, p=1, capacities=[1, -1, 1]), "capacities: .* at b"),
        (lambda: siting.mclp(TIMES, 5, ONES, p=1, decay=siting.LinearDecay(6)), "below the cutoff"),
        (lambda: siting.mclp(TIMES, 5, ONES, p=1, k=2, decay=siting.LinearDecay(1)), "cannot be combined"),
        (lambda: siting.LinearDecay(np.nan), "full"),
        (lambda: siting.StepDecay(((10, 0.5), (20, 0.9))), "steps"),
        (lambda: siting.StepDecay(((20, 0.5), (10, 0.4))), "steps"),
        (lambda: siting.StepDecay(()), "steps"),
        (lambda: siting.SolveOptions(time_limit_s=0), "time_limit_s"),
        (lambda: siting.SolveOptions(gap=np.nan), "gap"),
        (lambda: siting.lscp(TABLE, 5), "TravelTimes"),
    ],
)
def test_bad_arguments_are_a_value_error_that_names_them(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize("role", ["required", "forbidden"])
def test_unknown_ids_are_named(role):
    with pytest.raises(UnknownIdError, match="nowhere") as caught:
        siting.lscp(TIMES, 9, **{role: ("nowhere",)})
    assert isinstance(caught.value, ValueError)


def test_a_cutoff_beyond_the_travel_times_is_refused():
    short = TravelTimes(sparse.csr_array([[3.0]]), ("a",), ("v",), cutoff_min=10.0)
    assert siting.lscp(short, 10).objective == 1
    with pytest.raises(CutoffError, match="only up to 10 minutes"):
        siting.lscp(short, 10.0 + 2e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_travel_times_that_are_no_times_are_refused(value):
    table = sparse.csr_array(np.array([[3.0, value]]))
    with pytest.raises(InputError, match=r"within 10 at \(site, demand\) \(0, 1\); 1 are not"):
        TravelTimes(table, ("a",), ("v", "w"), cutoff_min=10.0)


def test_nothing_that_was_handed_over_is_changed():
    weights = pd.Series([1.0, 2.0], index=["v2", "v1"])
    before, copy = TIMES.minutes.copy(), weights.copy()
    siting.mclp(TIMES, 5, weights, p=1)
    siting.p_median(TIMES, weights, p=2)
    assert (TIMES.minutes != before).nnz == 0
    pd.testing.assert_series_equal(weights, copy)


def test_every_refusal_is_one_of_ours():
    with pytest.raises(CoverageError):
        siting.mclp(TIMES, 5, ONES, p=99)


def test_a_problem_that_does_not_fit_in_memory_is_refused_with_an_estimate(monkeypatch):
    # 100 sites × 100 points: 10,000 pairs at 100 bytes are 1 MB, of which 0.8 of a machine of 1.2 MB has no room
    from sy_coverage.siting.solve import memory

    times = TravelTimes.from_matrix(np.ones((100, 100)))
    monkeypatch.setattr(memory, "memory_bytes", lambda: 1_200_000)
    with pytest.raises(InputError, match=r"p_median: 100 sites × 100 points .* take a shorter cutoff"):
        siting.p_median(times, np.ones(100), p=2)
    with pytest.raises(InputError, match="p_dispersion"):
        siting.p_dispersion(times, p=2)
    monkeypatch.setattr(memory, "memory_bytes", lambda: 1_300_000)
    assert siting.p_median(times, np.ones(100), p=2).objective == 100.0
    monkeypatch.setattr(memory, "memory_bytes", lambda: None)
    assert siting.p_median(times, np.ones(100), p=2).objective == 100.0
