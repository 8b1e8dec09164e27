"""Catchments as drawings: where roads are cut, how outlines lie around them, and holes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Point

from sy_coverage import roads
from sy_coverage.roads.catchments.draw import Drawer, Reach, polygons
from sy_coverage.roads.graph.states import turning
from tests import toy

CRS = "EPSG:4546"
WIDTH = 90.0


def lattice(seed: int, side: int = 9) -> roads.RoadNetwork:
    """Return streets between the places of a shaken lattice, some of them missing and some one-way."""
    rng = np.random.default_rng(seed)
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    xy = np.column_stack([column.ravel(), row.ravel()]) * 317.3 + rng.normal(0, 45, (side * side, 2))
    nodes = pd.DataFrame({"node_id": np.arange(side * side), "x": xy[:, 0] + 5e5, "y": xy[:, 1] + 3e6})
    pairs = [(i, j) for i in range(side * side) for j in (i + 1, i + side) if j < side * side]
    pairs = [(i, j) for i, j in pairs if (j == i + side or j % side) and rng.random() < 0.8]
    back = [(j, i) for i, j in pairs if rng.random() < 0.9]
    edges = pd.DataFrame(pairs + back, columns=["u", "v"])
    edges["drive_min"] = rng.uniform(0.5, 1.5, len(edges))
    return roads.from_edges(nodes, edges, crs=CRS)


def site(net: roads.RoadNetwork) -> gpd.GeoDataFrame:
    x, y = net.node_xy.mean(axis=0)
    return gpd.GeoDataFrame(geometry=[Point(x + 13.7, y + 21.9)], index=["s"], crs=CRS)


def small_holes(shape: shapely.Geometry) -> shapely.Geometry:
    holes = [shapely.Polygon(h) for h in shape.interiors]
    return shapely.union_all([h for h in holes if h.area < 1.1 * WIDTH**2])


def test_a_road_is_cut_where_the_cutoff_is_reached() -> None:
    # 0 —4 min→ 1 —6 min→ 2 along x, 400 m and 600 m; the site stands at 100 m and needs half a minute to the road
    nodes = pd.DataFrame({"node_id": [0, 1, 2], "x": [0.0, 400, 1000], "y": 0.0})
    edges = pd.DataFrame({"u": [0, 1, 1, 2], "v": [1, 0, 2, 1], "drive_min": [4.0, 4, 6, 6]})
    net = roads.from_edges(nodes, edges, crs=CRS)
    turns = turning(net.links, 3, "drive", np.zeros((0, 4), np.int64))
    drawer = Drawer(net.links, 3, "drive", turns, to_site=True, buffer_m=50)
    at = {name: i for i, name in enumerate(net.node_ids.tolist())}
    link = int(np.flatnonzero(net.links.xy[net.links.start[:-1], 0] < 400)[0])
    tail_first = net.links.xy[net.links.start[link], 0] == 0
    reach = Reach(
        np.array([at[0], at[1]]), np.array([1.5, 3.5]), link, 0.25 if tail_first else 0.75, access_min=0.5
    )
    for cutoff, west, east in ((0.25, None, None), (1.25, 25, 175), (3.0, 0, 350), (5.0, 0, 550)):
        pieces, rank = drawer.segments(drawer.parts(reach, [cutoff]))
        assert (rank == 0).all()
        if west is None:
            assert not len(pieces)
            continue
        assert pieces[:, [0, 2]].min() == pytest.approx(west, abs=1e-9)
        assert pieces[:, [0, 2]].max() == pytest.approx(east, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_outlines_lie_where_a_geometry_library_buffers_the_same_roads(seed) -> None:
    net = lattice(seed)
    sheds = net.catchments(
        site(net), mode="drive", cutoffs_min=(1, 2, 3.5), buffer_m=WIDTH, access_m_per_s=50
    )
    drawer = next(v for k, v in net.prepared._kept.items() if k[0] == "drawer")
    snapped = net.snap(site(net), mode="drive", access_m_per_s=50).iloc[0]
    times = net.travel_times(
        site(net),
        gpd.GeoDataFrame(geometry=gpd.points_from_xy(*net.node_xy.T), index=range(len(net.node_xy)), crs=CRS),
        mode="drive",
        cutoff_min=3.5,
        access_m_per_s=50,
    ).minutes
    reach = Reach(
        times.indices, times.data, int(snapped["edge"]), snapped["fraction"], float(snapped["access_min"])
    )
    drawn = sheds.geometry.to_crs(CRS)
    inner = None
    for cutoff in (1.0, 2.0, 3.5):
        pieces, _ = drawer.segments(drawer.parts(reach, [cutoff]))
        lines = shapely.multilinestrings(pieces.reshape(-1, 2, 2))
        shape = drawn["s", cutoff]
        assert shape.is_valid
        exact = lines.buffer(WIDTH, quad_segs=16)
        assert shape.buffer(1e-3).covers(lines.buffer(0.88 * WIDTH, quad_segs=16))
        assert lines.buffer(1.15 * WIDTH, quad_segs=16).union(small_holes(exact)).covers(shape)
        assert shape.area == pytest.approx(exact.area, rel=0.03)
        if inner is not None:
            assert shape.buffer(1e-3).covers(inner)
        inner = shape


def test_rings_become_shells_holes_and_islands_in_holes() -> None:
    def ring(half: float, *, hole: bool) -> np.ndarray:
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]], float) * half
        return corners[::-1] if hole else corners

    lone = ring(1, hole=False) + 50
    parts = [ring(3, hole=False), ring(20, hole=False), ring(10, hole=True), ring(2, hole=True), lone]
    start = np.r_[0, np.cumsum([len(p) for p in parts])]
    shape = polygons(np.concatenate(parts), start, smallest_hole=1.0)
    assert shape.is_valid
    assert shape.area == 40**2 - 20**2 + 6**2 - 4**2 + 2**2
    assert polygons(np.concatenate(parts), start, smallest_hole=17.0).area == 40**2 - 20**2 + 6**2 + 2**2


def test_catchments_are_the_same_whatever_other_sites_are_drawn_with_them() -> None:
    net = lattice(3)
    here = site(net)
    both = pd.concat([here.rename(index={"s": "t"}).translate(400, 300).to_frame("geometry"), here])
    ask = {"mode": "drive", "cutoffs_min": (1, 2), "buffer_m": WIDTH, "access_m_per_s": 50}
    alone, together = net.catchments(here, **ask), net.catchments(both, **ask)
    for cutoff in (1.0, 2.0):
        one, other = (f.geometry["s", cutoff] for f in (alone, together))
        assert shapely.to_wkb(one) == shapely.to_wkb(other)


def square(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(toy.EAST + west, toy.NORTH + south, toy.EAST + east, toy.NORTH + north)


def test_catchments_end_at_the_land_and_leave_out_water_and_stay_nested() -> None:
    net = roads.from_edges(*toy.straight_road(), crs=toy.CRS)
    # the road runs along y = 0; land ends 50 m north of it, a lake lies on it from km 6 to km 7, another far away
    land = gpd.GeoDataFrame(
        geometry=[square(0, -9000, 6000, 50), square(6000, -9000, 40_000, 50)], crs=toy.CRS
    )
    lakes = gpd.GeoDataFrame(geometry=[square(6000, -500, 7000, 500), square(0, 900, 10, 910)], crs=toy.CRS)
    asked = {"mode": "drive", "cutoffs_min": (2.5, 5), "buffer_m": 100}
    home = toy.on_straight_road(S1=5)
    free = net.catchments(home, **asked)
    cut = net.catchments(home, **asked, within=land.to_crs(4326), without=lakes)
    shapes = cut.geometry.to_crs(toy.CRS)
    # 2.5 minutes are km 2.5 to 7.5: 5 km by 150 m and two ends, less the kilometre of lake by 150 m
    ends = free["area_km2"]["S1", 2.5] - 5 * 0.2
    assert cut["area_km2"]["S1", 2.5] == pytest.approx(4 * 0.15 + ends * 0.8, abs=0.003)
    assert set(cut.geometry.geom_type) == {"MultiPolygon"}
    for shape in shapes:
        assert shape.bounds[3] == pytest.approx(toy.NORTH + 50, abs=0.01)
        assert not shape.contains(square(6400, -1, 6600, 1).centroid)
    assert shapes["S1", 5.0].buffer(1e-3).covers(shapes["S1", 2.5])


def test_a_catchment_that_lies_in_water_or_abroad_has_no_row() -> None:
    net = roads.from_edges(toy.road_nodes(), toy.road_edges(), crs=toy.CRS)
    elsewhere = gpd.GeoDataFrame(geometry=[square(0, 9000, 10, 9010)], crs=toy.CRS)
    sea = gpd.GeoDataFrame(geometry=[square(-9000, -9000, 90_000, 9000)], crs=toy.CRS)
    home = toy.facilities().loc[["S1"]]
    for cut in ({"within": elsewhere}, {"without": sea}):
        assert net.catchments(home, mode="drive", cutoffs_min=(5,), **cut).empty


@pytest.mark.parametrize("direction", ["to_site", "from_site"])
def test_without_any_cutoff_a_one_way_street_is_drawn_as_far_as_it_leads(direction) -> None:
    nodes = pd.DataFrame({"node_id": [1, 2, 3], "x": [0.0, 1000, 2000], "y": 0.0})
    net = roads.from_edges(
        nodes, pd.DataFrame({"u": [1, 2, 3], "v": [2, 3, 2], "drive_min": [1.0, 2, 2]}), crs=CRS
    )
    here = gpd.GeoDataFrame(geometry=[Point(300, 0)], index=["s"], crs=CRS)
    ask = {"mode": "drive", "direction": direction, "buffer_m": 50.0}
    endless, long = (net.catchments(here, cutoffs_min=(c,), **ask) for c in (np.inf, 1e9))
    assert endless.geometry.iloc[0].equals(long.geometry.iloc[0])
