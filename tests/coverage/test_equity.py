"""Equity measures against their definitions, written out in another way than the code has them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sy_coverage import coverage
from sy_coverage.errors import InputError, UnknownIdError
from tests import toy

# ten people: six have 1, three have 2, one has 8; 20 in all
VALUES, PEOPLE = [2.0, 8.0, 1.0], [3, 1, 6]


def test_the_lorenz_curve_by_hand():
    curve = coverage.lorenz(VALUES, PEOPLE)
    assert curve["population_share"].tolist() == pytest.approx([0, 0.6, 0.9, 1], abs=1e-15)
    assert curve["value_share"].tolist() == pytest.approx([0, 0.3, 0.6, 1], abs=1e-15)


def test_gini_by_hand():
    # twice the area under the curve: 0.6×0.3 + 0.3×(0.3+0.6) + 0.1×(0.6+1) = 0.18 + 0.27 + 0.16 = 0.61
    assert coverage.gini(VALUES, PEOPLE) == pytest.approx(0.39, abs=1e-15)


def test_theil_by_hand():
    # mean 2: 6 people at ½, 3 at 1, 1 at 4
    assert coverage.theil(VALUES, PEOPLE) == pytest.approx(
        (6 * 0.5 * math.log(0.5) + 4 * math.log(4)) / 10, abs=1e-15
    )


def test_palma_by_hand():
    # the top tenth has 8 of 20; the lowest four tenths have 4 of 20
    assert coverage.palma(VALUES, PEOPLE) == pytest.approx(2.0, abs=1e-14)


def test_when_all_have_the_same_nothing_is_unequal():
    assert coverage.gini([3, 3, 3]) == 0
    assert coverage.theil([3, 3, 3]) == 0
    assert coverage.palma([3, 3, 3]) == pytest.approx(0.25, abs=1e-14)


def test_when_one_of_n_has_all_gini_is_one_less_a_share_and_theil_the_logarithm():
    assert coverage.gini([0, 0, 0, 1]) == pytest.approx(0.75, abs=1e-15)
    assert coverage.theil([0, 0, 0, 1]) == pytest.approx(math.log(4), abs=1e-15)
    assert coverage.palma([0, 0, 0, 1]) == math.inf


def test_when_nobody_has_anything_the_measures_are_missing_not_zero():
    assert math.isnan(coverage.gini([0, 0]))
    assert math.isnan(coverage.theil([0, 0]))
    assert math.isnan(coverage.palma([0, 0]))
    assert coverage.lorenz([0, 0])["value_share"].isna().all()


def test_series_go_by_label():
    values = pd.Series({"a": 2.0, "b": 8.0, "c": 1.0})
    people = pd.Series({"c": 6, "b": 1, "a": 3, "not asked": 100})
    assert coverage.gini(values, people) == pytest.approx(0.39, abs=1e-15)
    with pytest.raises(InputError, match="without: b"):
        coverage.gini(values, people.drop("b"))


def test_gaps_between_groups_by_hand():
    # town: (3×2 + 1×8)/4 = 3.5; village: 1; all: 2
    gap = coverage.gap(VALUES, ["town", "town", "village"], PEOPLE)
    assert gap.loc["town"].tolist() == [4, 3.5, 1.5, 1.75]
    assert gap.loc["village"].tolist() == [6, 1, -1, 0.5]
    assert gap.index.name == "group"


def test_a_table_says_how_evenly_a_score_is_shared_in_all_by_county_and_by_class():
    # 城东街道 has 2 for 600 elders; the townships have 1 for 1000, of whom 丙乡's 300 have 0
    units, demand = toy.units(), toy.demand()
    units.loc["990100200", ["county_id", "county"]] = ["990200", "另县"]
    scores = pd.Series([2.0, 2, 1, 1, 1, 1, 0, 0], index=demand.index)
    table = coverage.equity_table(scores, demand, units)
    assert list(table.index) == [
        ("all", "all"),
        ("county", "990100"),
        ("county", "990200"),
        ("kind", "street"),
        ("kind", "township"),
    ]
    assert table["people"].tolist() == [1600, 1300, 300, 600, 1000]
    assert table["mean"].tolist() == pytest.approx([1900 / 1600, 1900 / 1300, 0, 2, 0.7])
    assert table.loc[("kind", "street"), "ratio"] == pytest.approx(2 * 1600 / 1900)
    # townships: 0.3 have nothing, 0.7 share alike: Gini 0.3, Theil ln(1/0.7)
    assert table.loc[("kind", "township"), "gini"] == pytest.approx(0.3)
    assert table.loc[("kind", "township"), "theil"] == pytest.approx(-math.log(0.7))
    assert table.loc[("county", "990200"), ["gini", "theil", "palma"]].isna().all()
    with pytest.raises(UnknownIdError, match=r"demand lacks points of the scores.*H"):
        coverage.equity_table(scores, demand.drop("H"), units)


@pytest.mark.parametrize(
    ("values", "weights", "message"),
    [
        ([1, float("nan")], None, "values: must be finite and 0 or more in rows 1"),
        ([1, -1], None, "values: must be finite and 0 or more in rows 1"),
        ([1, 2], [1, float("inf")], "weights: must be finite"),
        ([1, 2], [1], "do not fit weights"),
        ([1, 2], [0, 0], "there are no people"),
        ([], None, "there are no people"),
    ],
)
def test_what_cannot_be_shared_is_refused(values, weights, message):
    with pytest.raises(InputError, match=message):
        coverage.gini(values, weights)
    with pytest.raises(InputError, match=message):
        coverage.theil(values, weights)


AMOUNTS = st.lists(
    st.tuples(st.one_of(st.just(0.0), st.floats(0.001, 1000)), st.integers(0, 50)), min_size=1, max_size=12
)


@given(rows=AMOUNTS)
def test_gini_is_half_the_mean_difference_over_the_mean(rows):
    x = np.array([v for v, _ in rows])
    w = np.array([n for _, n in rows], dtype=float)
    assume((w * x).sum() > 0)
    mean = (w * x).sum() / w.sum()
    expected = (w[:, None] * w * abs(x[:, None] - x)).sum() / (2 * w.sum() ** 2 * mean)
    assert coverage.gini(x, w) == pytest.approx(expected, abs=1e-12)


@given(rows=AMOUNTS)
def test_a_weight_is_so_many_people_each_with_the_same(rows):
    each = [v for v, n in rows for _ in range(n)]
    assume(sum(each) > 0)
    x, w = zip(*rows, strict=True)
    for measure in (coverage.gini, coverage.theil, coverage.palma):
        assert measure(x, w) == pytest.approx(measure(each), rel=1e-9, abs=1e-12)


@given(rows=AMOUNTS, factor=st.floats(0.01, 100))
def test_the_unit_of_measurement_does_not_matter(rows, factor):
    x, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume((w * x).sum() > 0)
    assert coverage.gini(x * factor, w) == pytest.approx(coverage.gini(x, w), abs=1e-12)
    assert coverage.theil(x * factor, w) == pytest.approx(coverage.theil(x, w), abs=1e-9)


@given(rows=AMOUNTS, seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_no_bit(rows, seed):
    x, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume(w.sum() > 0)
    order = np.random.default_rng(seed).permutation(len(x))
    for measure in (coverage.gini, coverage.theil, coverage.palma):
        first, again = measure(x, w), measure(x[order], w[order])
        assert first == again or (math.isnan(first) and math.isnan(again))


@given(rows=AMOUNTS)
def test_taking_from_the_better_served_and_giving_to_the_worse_never_raises_inequality(rows):
    x, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume((w * x).sum() > 0)
    mean = (w * x).sum() / w.sum()
    halfway = (x + mean) / 2
    assert coverage.gini(halfway, w) <= coverage.gini(x, w) + 1e-12
    assert coverage.theil(halfway, w) <= coverage.theil(x, w) + 1e-12
