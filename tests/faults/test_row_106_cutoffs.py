"""Row 106: a sum of minutes at the cutoff is within it everywhere alike, though floats say 1.1 + 2.2 > 3.3."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from shapely import Point

from sy_coverage import coverage, roads, siting
from sy_coverage.errors import CutoffError
from sy_coverage.roads import TravelTimes
from sy_coverage.siting.classic.asked.decay import StepDecay

CUTOFF = 3.3
LATE = CUTOFF + 2e-9
assert CUTOFF < 1.1 + 2.2


@pytest.fixture(scope="module")
def times() -> TravelTimes:
    """One site; a at the sum of 1.1 and 2.2 minutes along a road of three nodes, b two billionths of a minute later."""
    nodes = pd.DataFrame({"node_id": [0, 1, 2, 3], "x": [0.0, 1100.0, 3300.0, 0.0], "y": [0, 0, 0, 3300.0]})
    edges = pd.DataFrame({"u": [1, 2, 3], "v": [0, 1, 0], "drive_min": [1.1, 2.2, LATE]})
    back = edges.rename(columns={"u": "v", "v": "u"})
    net = roads.from_edges(nodes, pd.concat([edges, back]), crs="EPSG:4546")
    at = gpd.GeoDataFrame(
        geometry=[Point(0, 0), Point(3300, 0), Point(0, 3300)], index=["s", "a", "b"], crs="EPSG:4546"
    )
    found = net.travel_times(at.loc[["s"]], at.loc[["a", "b"]], mode="drive", cutoff_min=CUTOFF)
    assert found.demand_ids == ("a", "b")
    assert net.nearest(at.loc[["s"]], at.loc[["a", "b"]], mode="drive", cutoff_min=CUTOFF)[
        "nearest_min"
    ].notna().tolist() == [True, False]
    assert set(net.node_times([0], mode="drive", cutoff_min=CUTOFF).to_frame()["demand_id"]) == {0, 1, 2}
    return found


@pytest.fixture
def dense() -> TravelTimes:
    return TravelTimes.from_matrix([[1.1 + 2.2], [LATE]], ["a", "b"], ["s"])


def test_times_hold_the_sum_and_answer_for_it(times) -> None:
    assert times.minutes.nnz == 1
    assert times.within(CUTOFF).toarray().tolist() == [[True, False]]
    times.require_cutoff(1.1 + 2.2)
    with pytest.raises(CutoffError):
        times.require_cutoff(LATE)


def test_the_classic_problems_and_scores_count_the_same_pair(dense) -> None:
    assert dense.within(CUTOFF).toarray().tolist() == [[True, False]]
    best = siting.mclp(dense, CUTOFF, [5.0, 7.0], p=1)
    assert best.objective == 5.0
    stepped = siting.mclp(dense, 99.0, [5.0, 7.0], p=1, decay=StepDecay(((1.0, 1.0), (CUTOFF, 0.5))))
    assert stepped.objective == 2.5
    room = siting.mclp(dense, CUTOFF, [5.0, 7.0], p=1, capacities=[100.0])
    assert room.objective == 5.0
    for score in (coverage.two_step_fca, coverage.enhanced_two_step_fca):
        values = score(dense, CUTOFF, supply=[10.0], demand=[5.0, 7.0])
        assert values["a"] == pytest.approx(2.0)
        assert values["b"] == 0
    steps = coverage.enhanced_two_step_fca(dense, 99.0, supply=[10.0], demand=[5.0, 7.0], decay={CUTOFF: 1.0})
    assert (steps["a"], steps["b"]) == (pytest.approx(2.0), 0)


def test_made_by_hand_they_may_lie_so_far_beyond_their_cutoff_and_no_farther() -> None:
    table = sparse.csr_array(np.array([[1.1 + 2.2]]))
    assert TravelTimes(table, ("s",), ("a",), CUTOFF).minutes.nnz == 1
    with pytest.raises(ValueError, match=r"within 3\.3"):
        TravelTimes(sparse.csr_array(np.array([[LATE]])), ("s",), ("a",), CUTOFF)
