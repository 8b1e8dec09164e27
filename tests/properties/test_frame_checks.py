"""A frame that passes at a glance is one that passes value by value, and every breach is still named."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage import _frames
from sy_coverage.errors import FrameError
from tests import toy

ODD = st.sampled_from(
    [
        None,
        np.nan,
        pd.NA,
        pd.NaT,
        "",
        "x",
        "open",
        "new",
        True,
        np.bool_(False),
        0,
        3,
        10**30,
        -1,
        2.5,
        np.inf,
        "3",
        b"x",
        dt.date(2027, 1, 1),
    ]
)


@given(st.data())
def test_what_passes_at_a_glance_passes_value_by_value(data):
    contract = data.draw(st.sampled_from([_frames.FACILITIES, _frames.CANDIDATES]))
    rows = data.draw(st.integers(0, 3))
    good = {"text": "x", "number": 1.0, "flag": True, "date": pd.Timestamp("2027-12-31")}
    columns = {
        c: pd.Series([(r.among or (good[r.holds],))[0]] * rows, dtype=None if rows else object)
        for c, r in contract.columns.items()
    }
    for name in data.draw(st.lists(st.sampled_from(sorted(columns)), max_size=2)):
        values = [data.draw(ODD) for _ in range(rows)]
        columns[name] = pd.Series(values, dtype=data.draw(st.sampled_from([None, object])))
    frame = pd.DataFrame(columns)
    frame.index = pd.Index([f"f{i}" for i in range(rows)], name=contract.index, dtype=object)
    if _frames._surely_sound(frame, contract):
        rules = {name: rule for name, rule in contract.columns.items() if name in frame}
        assert [b for name, rule in rules.items() for b in _frames._column_breaches(frame[name], rule)] == []


def test_a_whole_number_beyond_all_types_is_a_number_like_any_other():
    demand = toy.demand()
    demand["elders"] = pd.Series([10**30] * len(demand), index=demand.index, dtype=object)
    assert (_frames.checked(demand, _frames.DEMAND)["elders"] == 1e30).all()


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("elders", -1.0, "must be a finite number"),
        ("elders", np.nan, "is empty"),
        ("elders", np.inf, "must be a finite number"),
        ("unit_id", 430502001, "must be text"),
    ],
)
def test_one_wrong_value_among_sound_ones_is_named(column, value, said):
    demand = toy.demand()
    demand[column] = demand[column].astype(object)
    demand.loc["C", column] = value
    with pytest.raises(FrameError, match=said):
        _frames.checked(demand, _frames.DEMAND)


def test_a_doubled_id_and_an_id_that_is_no_text_are_named():
    demand = toy.demand()
    with pytest.raises(FrameError, match="more than once"):
        _frames.checked(demand.rename(index={"B": "A"}), _frames.DEMAND)
    with pytest.raises(FrameError, match="must be text"):
        _frames.checked(demand.set_axis(range(len(demand))), _frames.DEMAND)
