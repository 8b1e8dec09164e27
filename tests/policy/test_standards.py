"""Counting against a share is exact: never a floor, never a float compare."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage.errors import InputError
from sy_coverage.policy import reaches_share, units_needed


@pytest.mark.parametrize(
    ("share", "n", "needed"),
    [
        (0.65, 20, 13),  # 0.65 × 20 is 13.000000000000002 in some orders of floats
        (0.65, 1, 1),
        (0.65, 23, 15),  # 14.95
        (0.65, 166, 108),  # 107.9
        (0.65, 0, 0),
        (1.0, 36, 36),
        (0.0, 36, 0),
        (0.07, 100, 7),  # 7.000000000000001 as floats, 8 if one trusted them
        (0.29, 100, 29),  # 28.999999999999996 as floats
        (0.1, 30, 3),
        ("0.65", 20, 13),
        (Decimal("0.65"), 20, 13),
        (Fraction(13, 20), 20, 13),
        (1, 4, 4),
    ],
)
def test_a_rate_asks_for_the_share_of_the_units_rounded_up(share, n, needed):
    assert units_needed(share, n) == needed


@given(percent=st.integers(0, 100), n=st.integers(0, 3000))
def test_units_needed_is_the_least_number_that_reaches_the_rate(percent, n):
    needed = units_needed(percent / 100, n)
    assert needed * 100 >= percent * n
    assert needed == 0 or (needed - 1) * 100 < percent * n


@given(percent=st.integers(0, 100), part=st.integers(0, 10**6), whole=st.integers(0, 10**6))
def test_reaching_a_share_agrees_with_whole_numbers(percent, part, whole):
    assert reaches_share(part, whole, percent / 100) == (part * 100 >= percent * whole)


def test_a_percentage_is_refused_with_the_share_that_was_meant():
    with pytest.raises(InputError, match=r"share 65: must lie between 0 and 1; write 0\.65 for 65 %"):
        units_needed(65, 20)


@pytest.mark.parametrize("share", [-0.1, float("nan"), float("inf"), "many", 1e400])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(InputError):
        units_needed(share, 20)


def test_a_negative_number_of_units_is_refused():
    with pytest.raises(InputError, match="-1 units"):
        units_needed(0.5, -1)
