"""Hostile road data: each test is named by its row of the table of faults."""

from __future__ import annotations

import hashlib

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point

from sy_coverage import _osm, roads
from sy_coverage.errors import FrameError
from sy_coverage.roads.read import tags
from tests import toy


@pytest.fixture(scope="module")
def net() -> roads.RoadNetwork:
    return roads.from_edges(toy.road_nodes(), toy.road_edges(), crs=toy.CRS)


def toy_with(column: str, values: dict[int, object]) -> pd.DataFrame:
    edges = toy.road_edges()
    edges[column] = edges[column].astype(object)
    for row, value in values.items():
        edges.loc[row, column] = value
    return edges


@pytest.mark.parametrize("wrong", [0, -3, float("nan"), float("inf"), "4", None, True])
def test_row_45_a_weight_that_is_no_minute_is_listed(wrong) -> None:
    edges = toy_with("drive_min", dict.fromkeys(range(3, 10), wrong))
    with pytest.raises(FrameError, match=r"3→4=.*7→8=.*7 in all") as refused:
        roads.from_edges(toy.road_nodes(), edges, crs=toy.CRS)
    assert len(refused.value.violations) == 1


def test_row_45_every_breach_is_said_at_once() -> None:
    edges = toy_with("drive_min", {0: -1}).assign(length_m=[np.nan, *[1000.0] * 79])
    edges.loc[5, "v"] = 999
    with pytest.raises(FrameError) as refused:
        roads.from_edges(toy.road_nodes(), edges, crs=toy.CRS)
    assert len(refused.value.violations) == 3


def test_row_45_a_missing_column_of_minutes_is_said() -> None:
    with pytest.raises(FrameError, match="drive_min"):
        roads.from_edges(toy.road_nodes(), toy.road_edges()[["u", "v"]], crs=toy.CRS)


def test_row_45_zero_length_gets_a_floor_that_is_stated() -> None:
    edges = toy.road_edges().assign(length_m=[0.0] * 4 + [1000.0] * 76)
    net = roads.from_edges(toy.road_nodes(), edges, crs=toy.CRS)
    assert net.notes["edges_of_no_length"] == 4
    assert (net.links.length_m > 0).all()


@given(st.lists(st.floats(0.01, 9), min_size=2, max_size=6))
def test_row_46_parallel_edges_count_by_the_quickest(minutes) -> None:
    nodes = pd.DataFrame({"node_id": [1, 2], "x": [0.0, 500.0], "y": [0.0, 0.0]})
    edges = pd.DataFrame({"u": 1, "v": 2, "drive_min": minutes})
    net = roads.from_edges(nodes, edges)
    assert net.node_times([1], mode="drive", cutoff_min=99).to_frame()["minutes"].tolist() == [
        0.0,
        min(minutes),
    ]
    assert net.to_networkx(mode="drive").edges[1, 2]["drive_min"] == min(minutes)


def test_row_47_islands_and_one_way_traps_are_unreachable_and_counted() -> None:
    # mainland 0 ⇄ 1, trap 1 → 2, island 3 ⇄ 4
    nodes = pd.DataFrame({"node_id": range(5), "x": [0.0, 1000, 3000, 9000, 10_000], "y": 0.0})
    edges = pd.DataFrame([(0, 1), (1, 0), (1, 2), (3, 4), (4, 3)], columns=["u", "v"]).assign(drive_min=1.0)
    net = roads.from_edges(nodes, edges, crs="EPSG:4546")
    people = gpd.GeoDataFrame(
        geometry=[Point(x, 0) for x in (0, 3000, 9500)], index=["main", "trap", "island"], crs="EPSG:4546"
    )
    near = net.nearest(people.loc[["main"]], people, mode="drive")
    assert near["nearest_min"].isna().to_dict() == {"main": False, "trap": True, "island": True}
    rows = net.summary().set_index(["subject", "what"])["value"]
    assert rows["drive", "strongly_connected_parts"] == 3
    assert rows["drive", "nodes_in_other_parts"] == 3


@given(st.floats(1001, 2e7), st.floats(0, 2 * np.pi))
def test_row_48_a_point_far_from_every_road_is_not_moved_there(away, bearing) -> None:
    net = roads.from_edges(*toy.straight_road(), crs=toy.CRS)
    end = Point(toy.EAST + 40_000, toy.NORTH)
    x, y = end.x + away * abs(np.cos(bearing)), end.y + away * np.sin(bearing)
    lost = gpd.GeoDataFrame(geometry=[Point(x, y)], index=["lost"], crs=toy.CRS)
    times = net.travel_times(toy.facilities().to_crs(toy.CRS), lost, mode="drive", cutoff_min=1e6)
    assert times.minutes.nnz == 0
    assert times.unreachable_demand == ("lost",)


def test_row_49_a_larger_buffer_changes_no_result(shared_data) -> None:
    path = shared_data / "roads" / "liechtenstein-2021.osm.pbf"
    area = shapely.box(9.50, 47.12, 9.54, 47.16)
    places = gpd.GeoDataFrame(
        geometry=[Point(9.5209, 47.141), Point(9.53, 47.13), Point(9.51, 47.15), Point(9.525, 47.155)],
        index=list("abcd"),
        crs="EPSG:4326",
    )
    crs = "EPSG:32632"
    answers = []
    for buffer_m in (6_000, 9_000, 60_000):  # six minutes at 60 km/h, and more
        net = roads.read_osm(path, modes=("drive",), area=area, buffer_m=buffer_m, crs=crs)
        times = net.travel_times(places, places, mode="drive", cutoff_min=6)
        answers.append((len(net.links), times.to_dense().tobytes()))
    assert answers[0][0] < answers[2][0]
    assert answers[0][1] == answers[1][1] == answers[2][1]


@given(st.text(max_size=30))
def test_row_50_any_maxspeed_is_a_limit_or_nothing(value) -> None:
    limit = tags.maxspeed_kph(value)
    assert limit is None or 1 <= limit <= 160


@given(st.text(max_size=30))
def test_row_50_any_duration_is_minutes_or_nothing(value) -> None:
    minutes = tags.duration_min(value)
    assert minutes is None or minutes > 0


def test_row_50_a_limit_not_understood_leaves_the_class_speed_and_is_counted(tmp_path) -> None:
    limits = {100: "50 mph", 101: "signals", 102: "CN:urban", 103: "30;50", 104: "999"}
    rows = [f"<node id='{i}' version='1' lat='{27 + i / 1000}' lon='111'/>" for i in range(6)]
    for n, (way, limit) in enumerate(limits.items()):
        rows.append(
            f"<way id='{way}' version='1'><nd ref='{n}'/><nd ref='{n + 1}'/>"
            f"<tag k='highway' v='primary'/><tag k='maxspeed' v='{limit}'/></way>"
        )
    path = tmp_path / "limits.osm"
    path.write_text("<osm version='0.6'>" + "".join(rows) + "</osm>")
    net = roads.read_osm(path, modes=("drive",))
    assert net.notes["maxspeed_not_understood_class_speed_taken"] == 2
    assert net.notes["maxspeed_read"] == 3
    kph = sorted((net.links.length_m / net.links.minutes["drive"][:, 0] * 0.06).round(6).tolist())
    # signals, 999 and 50 mph are primary roads at 60 (the last two are one road); the others 0.9 of the limit
    assert kph == pytest.approx(sorted([60, 60, 45, 27, 60])[: len(kph)], abs=1e-6)


def test_row_52_a_network_names_its_extract_by_digest(shared_data) -> None:
    path = shared_data / "roads" / "liechtenstein-2021.osm.pbf"
    net = roads.read_osm(path, modes=("drive",))
    assert hashlib.sha256(path.read_bytes()).hexdigest() in net.source
    assert roads.read_osm(path, modes=("drive",)).digest == net.digest


@given(st.integers(1, 400), st.integers(0, 39))
def test_row_53_exactly_at_the_cutoff_is_within(quarter, km) -> None:
    # quarters of a minute are exact in binary, so that the cutoff can be hit to the bit
    edges = toy.road_edges().assign(drive_min=quarter / 4)
    net = roads.from_edges(toy.road_nodes(), edges, crs=toy.CRS)
    there = abs(km - 20) * quarter / 4
    for cutoff, within in (
        (there, True),
        (np.nextafter(there, np.inf), True),
        (there - 9e-10, True),
        (there - 2e-9, False),
    ):
        if cutoff >= 0:
            times = net.node_times([20], mode="drive", cutoff_min=cutoff)
            assert (km in set(times.to_frame()["demand_id"])) == within


def test_row_86_minutes_follow_what_exists_and_the_rest_is_listed(shared_data) -> None:
    path = shared_data / "roads" / "malta-2018.osm.pbf"
    villages = _osm.read_points(path, tags={"place": ("town", "village", "suburb", "neighbourhood")})
    hospital = _osm.read_points(path, tags={"amenity": ("hospital",)})
    gozo = villages.geometry.y > 36.0
    on_malta = hospital[hospital.geometry.y < 36.0]
    net = roads.read_osm(path, modes=(roads.travel_mode("drive", {"ferry_kph": 0}),))
    near = net.nearest(on_malta, villages, mode="drive")
    unreached = near["nearest_min"].isna()
    assert gozo.sum() > 10
    assert unreached[
        gozo & (villages.geometry.y > 36.02)
    ].all()  # Gozo: no road, and no ferry that says its duration
    assert unreached[~gozo].mean() < 0.05
    both = net.nearest(hospital, villages, mode="drive")["nearest_min"]
    assert both[gozo & (villages.geometry.y > 36.02)].notna().mean() > 0.9  # Gozo has its own hospital


def test_row_86_a_road_in_the_neighbouring_county_is_used(tmp_path) -> None:
    # home (1) and centre (3) lie in the county; the only road between them runs outside it
    rows = [
        f"<node id='{i}' version='1' lat='{lat}' lon='{lon}'/>"
        for i, lat, lon in ((1, 27.0, 111.0), (2, 27.2, 111.005), (3, 27.0, 111.01))
    ]
    way = "<way id='9' version='1'><nd ref='{}'/><nd ref='{}'/><tag k='highway' v='primary'/></way>"
    path = tmp_path / "around.osm"
    path.write_text(
        "<osm version='0.6'>"
        + "".join(rows)
        + way.format(1, 2)
        + way.format(2, 3).replace("'9'", "'10'")
        + "</osm>"
    )
    county = shapely.box(110.99, 26.99, 111.02, 27.01)
    net = roads.read_osm(path, modes=("drive",), area=county, buffer_m=30_000)
    ends = gpd.GeoDataFrame(
        geometry=[Point(111.0, 27.0), Point(111.01, 27.0)], index=["home", "centre"], crs=4326
    )
    near = net.nearest(ends.loc[["centre"]], ends.loc[["home"]], mode="drive")
    assert near["nearest_min"]["home"] == pytest.approx(net.links.length_m.sum() / 1000, rel=1e-6)  # 60 km/h
