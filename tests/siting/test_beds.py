"""Beds to convert, by hand and against every choice there is."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import ceil

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage import policy
from sy_coverage.errors import InputError
from sy_coverage.siting import nursing_bed_conversions

POLICY = policy.load_policy("shaoyang_2025")


def homes(*rows):
    """Return township homes: (county, beds, nursing beds) each."""
    frame = pd.DataFrame(rows, columns=["county_id", "beds", "nursing_beds"]).assign(kind="township_home")
    return frame.set_axis([f"h{i}" for i in range(len(rows))])


def scoped(scope):
    """Return the policy with the share of nursing beds asked for in these places."""
    changed = [
        t.model_copy(update={"scope": scope}) if t.id == "nursing_bed_share" else t for t in POLICY.targets
    ]
    return POLICY.model_copy(update={"targets": tuple(changed)})


# county a: 75 % of 10 + 7 beds is 12.75, so 13; 4 are there; 9 to convert: first the 5 at 0.5, then 4 at 1.
# county b: 75 % of 8 is 6, and 7 are there. Over both: 75 % of 25 is 18.75, so 19; 13 + 7 = 20 are then there.
def test_each_county_takes_its_cheapest_beds_first():
    found = nursing_bed_conversions(
        homes(("a", 10, 2), ("a", 7, 2), ("b", 8, 7)),
        policy=POLICY,
        cost_per_bed={"h0": 1.0, "h1": 0.5, "h2": 0.1},
    )
    assert found["convert"].tolist() == [4, 5, 0]
    assert found["cost"].tolist() == [4.0, 2.5, 0.0]


def test_a_home_whose_beds_are_not_known_is_left_out_and_says_so():
    found = nursing_bed_conversions(homes(("a", 10, None), ("a", 5, 6), ("a", 4, 3)), policy=POLICY)
    assert found["basis"].tolist() == ["unknown", "unknown", "known"]
    assert found["convert"].isna().tolist() == [True, True, False]
    assert found["convert"].iloc[2] == 0
    assert found["cost"].isna().tolist() == [True, True, False]


def test_homes_of_other_kinds_do_not_count():
    other = homes(("a", 10, 0)).assign(kind="nursing_home")
    assert nursing_bed_conversions(other, policy=POLICY).empty
    whole = POLICY.with_readings(nursing_bed_base="all_homes")
    assert nursing_bed_conversions(other, policy=whole)["convert"].tolist() == [8]


def test_beds_that_are_no_beds_and_prices_that_are_none_are_refused():
    with pytest.raises(InputError, match="whole numbers"):
        nursing_bed_conversions(homes(("a", 10.5, 2)), policy=POLICY)
    with pytest.raises(InputError, match="no price for h0"):
        nursing_bed_conversions(homes(("a", 10, 2)), policy=POLICY, cost_per_bed={"h1": 1.0})
    with pytest.raises(InputError, match="finite"):
        nursing_bed_conversions(homes(("a", 10, 2)), policy=POLICY, cost_per_bed=-1.0)
    without = POLICY.model_copy(update={"targets": ()})
    with pytest.raises(InputError, match="no target"):
        nursing_bed_conversions(homes(("a", 10, 2)), policy=without)


HOME = st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.integers(0, 5), st.integers(0, 3))


@given(
    st.lists(HOME, min_size=1, max_size=4),
    st.sampled_from(["county", "city", "city_and_county"]),
    st.randoms(),
)
def test_no_choice_of_beds_is_cheaper(drawn, scope, random):
    rows = [(c, max(b, n), min(b, n)) for c, b, n, _ in drawn]
    price = {f"h{i}": float(p) for i, (_, _, _, p) in enumerate(drawn)}
    frame = homes(*rows)
    found = nursing_bed_conversions(frame, policy=scoped(scope), cost_per_bed=price)
    share = Fraction(3, 4)
    groups = [list(range(len(rows)))] if scope != "county" else []
    if scope != "city":
        groups += [[i for i, r in enumerate(rows) if r[0] == c] for c in "ab"]

    def meets(convert):
        return all(
            sum(rows[i][2] + convert[i] for i in g) >= ceil(share * sum(rows[i][1] for i in g))
            for g in groups
        )

    every = itertools.product(*(range(b - n + 1) for _, b, n in rows))
    best = min(sum(price[f"h{i}"] * v for i, v in enumerate(c)) for c in every if meets(c))
    assert meets(found["convert"].tolist())
    assert found["cost"].sum() == best
    shuffled = list(frame.index)
    random.shuffle(shuffled)
    again = nursing_bed_conversions(frame.loc[shuffled], policy=scoped(scope), cost_per_bed=price)
    pd.testing.assert_frame_equal(found, again)
