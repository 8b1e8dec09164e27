"""Why so many minutes? The way itself, and what its minutes are made of."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Point

from sy_coverage import roads
from sy_coverage.errors import InputError

CRS = "EPSG:4546"
EAST, NORTH = 500_000.0, 3_000_000.0


def at(x: float, y: float, name: str = "p") -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[Point(EAST + x, NORTH + y)], index=[name], crs=CRS)


@pytest.fixture(scope="module")
def net() -> roads.RoadNetwork:
    """0 —primary 2 km, 2 min→ 1 —track 1 km, 6 min→ 2, both ways; a one-way residential street 2 → 3 of 1 km, 2 min."""
    nodes = pd.DataFrame({"node_id": range(4), "x": [0.0, 2000, 2000, 3000], "y": [0.0, 0, 1000, 1000]})
    nodes[["x", "y"]] += [EAST, NORTH]
    edges = [
        (0, 1, 2.0, "primary"),
        (1, 0, 2.0, "primary"),
        (1, 2, 6.0, "track"),
        (2, 1, 6.0, "track"),
        (2, 3, 2.0, "residential"),
    ]
    return roads.from_edges(nodes, pd.DataFrame(edges, columns=["u", "v", "drive_min", "highway"]), crs=CRS)


def test_minutes_and_metres_by_class_and_on_foot(net) -> None:
    # 108 m (2 minutes) to the primary road half-way, 1 km of it, the track, half of the street, 54 m on foot
    way = net.route(at(1000, 108), at(2500, 946), "drive", access_m_per_s=0.9)
    assert way.parts["what"].tolist() == ["access", "primary", "track", "residential", "access"]
    np.testing.assert_allclose(way.parts["minutes"], [2, 1, 6, 1, 1], atol=1e-9)
    np.testing.assert_allclose(way.parts["metres"], [108, 1000, 1000, 500, 54], atol=1e-6)
    assert way.minutes == pytest.approx(11, abs=1e-9)
    assert way.by_class["minutes"].to_dict() == pytest.approx(
        {"track": 6, "access": 3, "primary": 1, "residential": 1}
    )
    drawn = gpd.GeoSeries([way.geometry], crs=4326).to_crs(CRS).iloc[0]
    xy = np.array(drawn.coords) - [EAST, NORTH]
    corners = [(1000, 108), (1000, 0), (2000, 0), (2000, 1000), (2500, 1000), (2500, 946)]
    np.testing.assert_allclose(xy, corners, atol=1e-3)


def test_along_one_link_and_where_there_is_no_way(net) -> None:
    short = net.route(at(500, 0), at(1500, 0), "drive")
    assert (short.minutes, short.metres) == (pytest.approx(1), pytest.approx(1000))
    assert short.parts["what"].tolist() == ["access", "primary", "access"]
    back = net.route(at(1500, 0), at(500, 0), "drive")
    assert back.minutes == pytest.approx(1)
    assert net.route(at(0, 0), at(0, 5000), "drive") is None
    same = net.route(at(700, 0), at(700, 0), "drive")
    assert same.minutes == 0
    with pytest.raises(InputError, match="one point each, not 2 and 1"):
        net.route(pd.concat([at(0, 0), at(1, 1, "q")]), at(0, 0), "drive")


@pytest.mark.parametrize("seed", range(8))
def test_its_minutes_are_those_of_travel_times_and_its_parts_add_up(seed) -> None:
    rng = np.random.default_rng(seed)
    side = 7
    xy = np.column_stack([np.arange(side**2) % side, np.arange(side**2) // side]) * 300.0 + rng.normal(
        0, 60, (side**2, 2)
    )
    nodes = pd.DataFrame({"node_id": range(side**2), "x": xy[:, 0] + EAST, "y": xy[:, 1] + NORTH})
    pairs = [
        (i, j)
        for i in range(side**2)
        for j in (i + 1, i + side)
        if j < side**2 and (j == i + side or j % side)
    ]
    pairs += [(j, i) for i, j in pairs if rng.random() < 0.8]
    edges = pd.DataFrame(pairs, columns=["u", "v"])
    edges["drive_min"] = rng.uniform(0.2, 3, len(edges))
    edges["highway"] = rng.choice(["primary", "track"], len(edges))
    net = roads.from_edges(nodes, edges, crs=CRS)
    places = gpd.GeoDataFrame(
        geometry=[Point(EAST + x, NORTH + y) for x, y in rng.uniform(-50, 1850, (6, 2))],
        index=list("abcdef"),
        crs=CRS,
    )
    times = net.travel_times(places, places, mode="drive", cutoff_min=1e6)
    for i, b in enumerate(times.site_ids):
        for j, a in enumerate(times.demand_ids):
            way = net.route(places.loc[[a]], places.loc[[b]], "drive")
            expected = times.to_dense()[i, j]
            if way is None:
                assert np.isinf(expected)
                continue
            assert way.minutes == pytest.approx(expected, abs=1e-9)
            assert way.parts["minutes"].sum() == pytest.approx(expected, abs=1e-9)
            drawn = gpd.GeoSeries([way.geometry], crs=4326).to_crs(CRS).iloc[0]
            assert drawn.length == pytest.approx(way.metres, abs=0.01)
            ends = shapely.get_coordinates(places.geometry.loc[[a, b]])
            np.testing.assert_allclose(np.array(drawn.coords)[[0, -1]], ends, atol=1e-3)


def test_a_forbidden_turn_is_gone_round(shared_data) -> None:
    net = roads.read_osm(shared_data / "roads" / "liechtenstein-2021.osm.pbf")
    graph = net.to_networkx(mode="drive")
    rng = np.random.default_rng(3)
    xy = net.node_xy[rng.choice(len(net.node_xy), 12)]
    places = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*xy.T), index=[f"n{i}" for i in range(12)], crs=net.crs
    )
    times = net.travel_times(places, places, mode="drive", cutoff_min=1e6).to_dense()
    assert graph.number_of_nodes() > len(net.node_ids)
    assert nx.is_directed(graph)
    for i in range(0, 12, 2):
        way = net.route(places.iloc[[i]], places.iloc[[i + 1]], "drive")
        if way is not None:
            assert way.minutes == pytest.approx(times[i + 1, i], abs=1e-9)
            assert way.parts["minutes"].sum() == pytest.approx(way.minutes, abs=1e-9)
