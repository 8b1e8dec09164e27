"""What if the road were there, closed or slower: the same as a network that was made so."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, Point, box

from sy_coverage import roads
from sy_coverage.errors import FrameError, GeometryError

CRS = "EPSG:4546"
E, N = 500_000.0, 3_000_000.0


def marks(*shapes, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def at(x: float, y: float) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[Point(E + x, N + y)], index=["p"], crs=CRS)


@pytest.fixture(scope="module")
def net() -> roads.RoadNetwork:
    """Two roads of 4 km along y = 0 and y = 1000, joined by a bridge at x = 0; a kilometre a minute."""
    nodes = pd.DataFrame({"node_id": [1, 2, 3, 4], "x": [0.0, 4000, 0, 4000], "y": [0.0, 0, 1000, 1000]})
    nodes[["x", "y"]] += [E, N]
    pairs = [(1, 2), (3, 4), (1, 3)]
    edges = pd.DataFrame([*pairs, *((b, a) for a, b in pairs)], columns=["u", "v"])
    metres = [4000.0, 4000, 1000] * 2
    return roads.from_edges(
        nodes, edges.assign(drive_min=np.array(metres) / 1000, highway="tertiary"), crs=CRS
    )


def minutes(net: roads.RoadNetwork, a=(4000, 0), b=(4000, 1000)) -> float:
    return float(net.travel_times(at(*b), at(*a), mode="drive", cutoff_min=999).to_dense()[0, 0])


def test_a_closed_bridge_a_flood_and_a_barred_point_cut_the_way(net) -> None:
    assert minutes(net) == pytest.approx(9)
    for shape in (
        LineString([(E, N), (E, N + 1000)]),
        box(E - 50, N + 400, E + 50, N + 600),
        Point(E + 3, N + 500),
    ):
        assert np.isinf(minutes(net.with_changes(close=marks(shape))))
    assert minutes(net) == pytest.approx(9)
    # the rest is as it was
    cut = net.with_changes(close=marks(Point(E, N + 500)))
    assert minutes(cut, (1000, 0), (3000, 0)) == pytest.approx(2)


def test_a_slower_road_takes_longer(net) -> None:
    bridge = LineString([(E, N), (E, N + 1000)])
    assert minutes(net.with_changes(slow=marks(bridge, factor=[5.0]))) == pytest.approx(13)
    # 1 km at 10 km/h takes 6 minutes; a limit above what is driven changes nothing
    assert minutes(net.with_changes(slow=marks(bridge, speed_kph=[10.0]))) == pytest.approx(14)
    assert minutes(net.with_changes(slow=marks(bridge, speed_kph=[200.0]))) == pytest.approx(9)


def test_a_new_road_joins_the_roads_it_ends_at(net) -> None:
    # a road from the middle of one to near the middle of the other: 1 km at 30 km/h, 2 minutes
    line = LineString([(E + 2000, N), (E + 2000, N + 990)])
    new = net.with_changes(add=marks(line, speed_kph=[30.0]))
    assert minutes(new) == pytest.approx(2 + 990 * 0.06 / 30 + 2)
    assert len(new.links) == len(net.links) + 3
    assert minutes(new, (1000, 0), (3000, 0)) == pytest.approx(2)
    assert set(new.node_ids.tolist()) == {1, 2, 3, 4, -1, -2}
    one_way = net.with_changes(add=marks(line, speed_kph=[30.0], oneway=["yes"]))
    assert minutes(one_way) == pytest.approx(minutes(new))
    assert minutes(one_way, (4000, 1000), (4000, 0)) == pytest.approx(9)
    # and all at once: the new road, the bridge closed
    both = net.with_changes(add=marks(line, speed_kph=[30.0]), close=marks(Point(E, N + 500)))
    assert minutes(both, (0, 0), (0, 1000)) == pytest.approx(4 + 990 * 0.06 / 30)


def test_on_real_roads_only_what_is_touched_changes(shared_data) -> None:
    net = roads.read_osm(shared_data / "roads" / "liechtenstein-2021.osm.pbf")
    xy = net.node_xy
    places = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*xy[::200].T), index=[f"n{i}" for i in range(len(xy[::200]))], crs=net.crs
    )
    ask = {"mode": "drive", "cutoff_min": 60}
    before = net.travel_times(places, places, **ask).to_dense()
    far = LineString([xy[:, :].min(axis=0) - 5000, xy.min(axis=0) - 4000])
    more = net.with_changes(add=gpd.GeoDataFrame({"highway": ["tertiary"]}, geometry=[far], crs=net.crs))
    np.testing.assert_allclose(more.travel_times(places, places, **ask).to_dense(), before, atol=1e-9)
    # a road laid between two others is cut into them, turns that were forbidden stay so: nothing becomes longer
    a, b = xy[100], xy[1500]
    cut = net.with_changes(
        add=gpd.GeoDataFrame({"speed_kph": [100.0]}, geometry=[LineString([a, b])], crs=net.crs)
    )
    after = cut.travel_times(places, places, **ask).to_dense()
    assert (after <= before + 1e-9).all()
    assert (after < before - 1).any()


def test_what_means_no_road_is_named(net) -> None:
    far = Point(E, N + 9000)
    for what in ("close", "slow"):
        with pytest.raises(GeometryError, match=f"{what}: no road within 25 m of rows 0"):
            net.with_changes(**{what: marks(far, factor=[2.0])})
    with pytest.raises(FrameError, match="factor"):
        net.with_changes(slow=marks(Point(E, N + 500)))
    with pytest.raises(FrameError, match="above zero"):
        net.with_changes(slow=marks(Point(E, N + 500), factor=[0.0]))
    with pytest.raises(GeometryError, match="one line"):
        net.with_changes(add=marks(Point(E, N)))
    with pytest.raises(FrameError, match="no mode may use"):
        net.with_changes(add=marks(LineString([(E, N), (E + 9, N + 9)]), highway=["tertiary"]))
