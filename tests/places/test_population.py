"""Totals of a census spread over villages, and carried to a later year: sums stay what the source says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage.errors import FrameError, InputError, UnknownIdError
from sy_coverage.places import project, spread
from sy_coverage.places.people.spread import apportioned
from tests import toy


@given(
    st.integers(0, 10**6), st.lists(st.floats(0, 1000), min_size=1, max_size=40).filter(lambda w: sum(w) > 0)
)
def test_parts_are_whole_sum_to_the_total_and_stay_within_one_of_their_share(total, weights):
    parts = apportioned(total, np.array(weights))
    assert parts.sum() == total
    assert (parts == np.floor(parts)).all()
    assert (np.abs(parts - total * np.array(weights) / sum(weights)) < 1 + 1e-6).all()


def test_census_by_township_is_spread_over_its_villages_exactly():
    totals = pd.Series({"990100001": 601, "990100100": 400})
    found = spread(toy.demand(), totals, weights=toy.demand()["elders"])
    # A and B weigh 400 and 200: 601 × 2/3 = 400.67, 601 × 1/3 = 200.33; C and D weigh 100 and 300
    assert found["elders"].tolist()[:4] == [401, 200, 100, 300]
    # units without a total keep what they had
    assert found["elders"].tolist()[4:] == [150, 150, 200, 100]


def test_a_county_total_spread_evenly_gives_ties_to_the_lowest_id_in_any_order():
    totals = pd.Series({toy.COUNTY: 10})
    one = spread(toy.demand(), totals, by="county_id")
    two = spread(toy.demand().iloc[::-1], totals, by="county_id")
    assert one["elders"].tolist() == [2, 2, 1, 1, 1, 1, 1, 1]
    assert two["elders"].sort_index().tolist() == one["elders"].tolist()


def test_totals_and_weights_that_cannot_be_are_refused():
    with pytest.raises(UnknownIdError, match="no village belongs to 999"):
        spread(toy.demand(), pd.Series({"999": 1}))
    for total in (1.5, -1, float("nan")):
        with pytest.raises(FrameError, match="whole numbers"):
            spread(toy.demand(), pd.Series({"990100001": total}))
    with pytest.raises(FrameError, match="are all 0 where there are 5"):
        spread(toy.demand(), pd.Series({"990100001": 5}), weights=toy.demand()["elders"] * 0)


def test_elders_grow_by_the_stated_share_a_year():
    found = project(toy.demand(), years=2, growth=0.1)
    assert found["elders"].sum() == pytest.approx(1600 * 1.21)
    assert project(toy.demand(), years=0, growth=0.1)["elders"].sum() == 1600
    assert project(toy.demand(), years=3, growth={"elders": 0.0})["elders"].sum() == 1600
    for years, growth in ((-1, 0.1), (1, 3.0), (1, {"pensioners": 0.1})):
        with pytest.raises(InputError):
            project(toy.demand(), years=years, growth=growth)
