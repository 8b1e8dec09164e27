"""Minutes on the toy road, worked out in the head, and what is refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point

from sy_coverage import roads
from sy_coverage.errors import (
    CRSMismatchError,
    CutoffError,
    FrameError,
    GeometryError,
    InputError,
    MissingCRSError,
    UnknownIdError,
    UnknownModeError,
)
from sy_coverage.roads.kernel import sweep
from tests import toy


@pytest.fixture(scope="module")
def net() -> roads.RoadNetwork:
    return roads.from_edges(toy.road_nodes(), toy.road_edges(), crs=toy.CRS)


@pytest.fixture(scope="module")
def straight() -> roads.RoadNetwork:
    return roads.from_edges(*toy.straight_road(), crs=toy.CRS)


def points(index: str, **places: tuple[float, float]) -> gpd.GeoDataFrame:
    """Return points at (km along the straight road, metres north of it)."""
    return gpd.GeoDataFrame(
        geometry=[Point(toy.EAST + km * 1000, toy.NORTH + north) for km, north in places.values()],
        index=pd.Index(list(places), name=index),
        crs=toy.CRS,
    )


def test_one_kilometre_is_one_minute(net) -> None:
    times = net.travel_times(toy.facilities().loc[["S1"]], toy.demand(), mode="drive", cutoff_min=10)
    # S1 stands at km 5, A at 2, B at 8, C at 12; D at 18 is 13 minutes away
    assert times.to_frame().to_numpy().tolist() == [["S1", "A", 3.0], ["S1", "B", 3.0], ["S1", "C", 7.0]]


def test_the_cutoff_is_inclusive_to_the_last_bit(net) -> None:
    def reached(cutoff: float) -> list[str]:
        times = net.travel_times(toy.facilities().loc[["S1"]], toy.demand(), mode="drive", cutoff_min=cutoff)
        return times.to_frame()["demand_id"].tolist()

    assert reached(3.0) == ["A", "B"]
    assert reached(3.0 - 2e-9) == []
    assert reached(np.nextafter(3.0, 4)) == ["A", "B"]


def test_points_join_the_road_between_nodes_and_walk_there(straight) -> None:
    sites = points("site_id", s=(5.25, 54.0))
    demand = points("demand_id", same=(5.75, 0.0), further=(7.5, 27.0))
    snapped = straight.snap(sites, mode="drive").loc["s"]
    assert (snapped["fraction"], snapped["snap_m"]) == (0.25, 54.0)
    assert snapped["access_min"] == pytest.approx(1.0, abs=1e-12)  # 54 m at 0.9 m/s
    times = straight.travel_times(sites, demand, mode="drive", cutoff_min=10).to_dense()[0]
    assert times == pytest.approx([0.5 + 1.0, 2.25 + 1.0 + 0.5], abs=1e-12)


def test_one_way_roads_make_the_two_directions_differ() -> None:
    # a one-way triangle 0 → 1 → 2 → 0, 3 minutes a side of 300 m
    nodes = pd.DataFrame({"node_id": [0, 1, 2], "x": [0.0, 300.0, 0.0], "y": [0.0, 0.0, 300.0]})
    edges = pd.DataFrame({"u": [0, 1, 2], "v": [1, 2, 0], "length_m": 300.0, "drive_min": 3.0})
    net = roads.from_edges(nodes, edges, crs="EPSG:4546")

    def at(x: float) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(geometry=[Point(x, 0)], index=["p"], crs="EPSG:4546")

    def minutes(direction: str) -> float:
        times = net.travel_times(at(200), at(100), mode="drive", cutoff_min=60, direction=direction)
        return float(times.to_dense()[0, 0])

    assert minutes("to_site") == pytest.approx(1.0, abs=1e-12)  # 100 m on along the road
    assert minutes("from_site") == pytest.approx(8.0, abs=1e-12)  # all the way round but 100 m


def test_a_point_on_a_node_may_leave_by_any_road() -> None:
    # two one-way roads leave node 0 in opposite directions; standing on it, both can be taken
    nodes = pd.DataFrame({"node_id": ["a", "b", "c"], "x": [0.0, 600.0, -600.0], "y": 0.0})
    edges = pd.DataFrame({"u": ["a", "a"], "v": ["b", "c"], "length_m": 600.0, "drive_min": [1.0, 2.0]})
    net = roads.from_edges(nodes, edges, crs="EPSG:4546")
    here = gpd.GeoDataFrame(geometry=[Point(0, 0)], index=["home"], crs="EPSG:4546")
    ends = gpd.GeoDataFrame(geometry=[Point(600, 0), Point(-600, 0)], index=["b", "c"], crs="EPSG:4546")
    times = net.travel_times(ends, here, mode="drive", cutoff_min=60)
    assert times.to_dense()[:, 0].tolist() == [1.0, 2.0]


def test_too_far_from_any_road_is_unreachable_and_named(straight) -> None:
    sites = points("site_id", s=(5, 0), hill=(6, 1000.5))
    demand = points("demand_id", near=(5, 1000.0), far=(5, 1001.0))
    times = straight.travel_times(sites, demand, mode="drive", cutoff_min=60)
    assert times.unreachable_sites == ("hill",)
    assert times.unreachable_demand == ("far",)
    assert times.to_frame()[["site_id", "demand_id"]].to_numpy().tolist() == [["s", "near"]]


def test_a_kilometre_of_search_can_be_widened(straight) -> None:
    demand = points("demand_id", far=(5, 1500.0))
    times = straight.travel_times(
        points("site_id", s=(5, 0)), demand, mode="drive", cutoff_min=60, max_snap_m=2000, access_m_per_s=1.0
    )
    assert times.to_dense()[0, 0] == pytest.approx(25.0, abs=1e-12)


def test_node_times_start_at_zero_and_keep_ids(net) -> None:
    times = net.node_times([7], mode="walk", cutoff_min=20)
    assert times.to_frame().set_index("demand_id")["minutes"].to_dict() == {6: 20.0, 7: 0.0, 8: 20.0}


def test_text_ids_keep_their_zeros() -> None:
    nodes = pd.DataFrame({"node_id": ["007", "08"], "x": [0.0, 100.0], "y": [0.0, 0.0]})
    edges = pd.DataFrame({"u": ["007"], "v": ["08"], "length_m": [100.0], "drive_min": [1.0]})
    times = roads.from_edges(nodes, edges).node_times(["007"], mode="drive", cutoff_min=5)
    assert times.to_frame()["demand_id"].tolist() == ["007", "08"]


def test_what_cannot_be_used_is_refused_by_name(net) -> None:
    sites, demand = toy.facilities(), toy.demand()
    ask = {"mode": "drive", "cutoff_min": 10}
    with pytest.raises(UnknownModeError, match=r"'boat'.*drive, walk"):
        net.travel_times(sites, demand, mode="boat", cutoff_min=10)
    with pytest.raises(CutoffError):
        net.travel_times(sites, demand, mode="drive", cutoff_min=float("nan"))
    with pytest.raises(MissingCRSError):
        net.travel_times(sites.set_crs(None, allow_override=True), demand, **ask)
    with pytest.raises(GeometryError, match="M1"):
        net.travel_times(
            sites.assign(geometry=sites.geometry.where(sites.index != "M1", None)), demand, **ask
        )
    with pytest.raises(FrameError, match="more than once: A"):
        net.travel_times(sites, pd.concat([demand, demand.loc[["A"]]]), **ask)
    with pytest.raises(UnknownIdError, match="99"):
        net.node_times([1, 99], mode="drive", cutoff_min=1)
    with pytest.raises(InputError, match="direction"):
        net.travel_times(sites, demand, direction="sideways", **ask)


def test_a_network_without_crs_takes_points_in_its_metres_and_refuses_degrees() -> None:
    net = roads.from_edges(toy.road_nodes(), toy.road_edges())
    metres = toy.demand().to_crs(toy.CRS)
    assert net.travel_times(metres, metres, mode="drive", cutoff_min=0).minutes.nnz == 8
    with pytest.raises(CRSMismatchError, match="crs="):
        net.travel_times(toy.facilities(), toy.demand(), mode="drive", cutoff_min=10)


def test_a_run_that_would_not_fit_in_memory_says_so_before_it_starts(monkeypatch) -> None:
    side = 40
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    nodes = pd.DataFrame(
        {"node_id": np.arange(side**2), "x": column.ravel() * 100.0, "y": row.ravel() * 100.0}
    )
    right = [(i, i + 1) for i in range(side**2) if (i + 1) % side]
    up = [(i, i + side) for i in range(side**2 - side)]
    both = right + up + [(v, u) for u, v in right + up]
    net = roads.from_edges(nodes, pd.DataFrame(both, columns=["u", "v"]).assign(drive_min=1.0))
    every = nodes["node_id"].tolist()
    # within 10 minutes a place in the middle reaches 221 places, within 1 minute 5: room for 16 each is between
    monkeypatch.setattr(sweep, "memory_bytes", lambda: 16 * side**2 * 18)
    with pytest.raises(InputError, match=r"1,600 sites reach about 0 million points.*shorter cutoff"):
        net.node_times(every, mode="drive", cutoff_min=10)
    reached = net.node_times(every, mode="drive", cutoff_min=1)
    assert reached.minutes.nnz == side**2 + len(both)


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "2", 10**12])
def test_a_count_of_nearest_sites_that_is_none_is_refused(net, wrong) -> None:
    with pytest.raises(InputError, match=r"^k=|the 1,000,000,000,000 nearest sites"):
        net.nearest(toy.facilities().loc[["S1"]], toy.demand(), mode="drive", k=wrong)


@pytest.mark.parametrize("wrong", [None, "5", -1, float("nan")])
def test_a_cutoff_that_is_no_number_of_minutes_is_refused(net, wrong) -> None:
    with pytest.raises(CutoffError, match=r"^cutoff_min="):
        net.travel_times(toy.facilities().loc[["S1"]], toy.demand(), mode="drive", cutoff_min=wrong)


@pytest.mark.parametrize("wrong", [0, -1, 1.5])
def test_so_many_threads_are_none(net, wrong) -> None:
    ask = {"mode": "drive", "cutoff_min": 5.0, "threads": wrong}
    with pytest.raises(InputError, match=r"^threads="):
        net.travel_times(toy.facilities().loc[["S1"]], toy.demand(), **ask)
    with pytest.raises(InputError, match=r"^threads="):
        net.node_times(net.node_ids[:1], **ask)
