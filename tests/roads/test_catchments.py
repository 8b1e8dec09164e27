"""Catchments as drawings: where roads are cut, how outlines lie around them, and holes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Point

from sy_coverage import roads
from sy_coverage.roads.catchments.draw import polygons
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


def scattered(net: roads.RoadNetwork, count: int) -> gpd.GeoDataFrame:
    low, top = net.node_xy.min(axis=0) - 100, net.node_xy.max(axis=0) + 100
    xy = np.random.default_rng(9).uniform(low, top, (count, 2))
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), index=map(str, range(count)), crs=CRS)


@pytest.mark.parametrize("direction", ["to_site", "from_site"])
@pytest.mark.parametrize("seed", range(4))
def test_who_is_drawn_in_is_within_the_cutoff_and_who_is_within_it_is_drawn_in(seed, direction) -> None:
    net, people = lattice(seed), scattered(lattice(seed), 4000)
    ask = {"mode": "drive", "direction": direction}
    x, y = net.node_xy[np.argmin(np.abs(net.node_xy - net.node_xy.mean(axis=0)).sum(axis=1))]
    home = gpd.GeoDataFrame(geometry=[Point(x + 3, y + 2)], index=["s"], crs=CRS)
    times = net.travel_times(home, people, cutoff_min=99, **ask).to_dense()[0]
    near = net.snap(people, mode="drive", side="leaves" if direction == "to_site" else "arrives")
    drawn = net.catchments(home, cutoffs_min=(1, 2, 3.5, 8), buffer_m=WIDTH, **ask).geometry.to_crs(CRS)
    inner = None
    for cutoff in (1.0, 2.0, 3.5, 8.0):
        shape = drawn["s", cutoff]
        assert shape.is_valid
        inside = shapely.covers(shape, np.asarray(people.geometry))
        covered = (times <= cutoff) & (near["snap_m"] <= WIDTH).to_numpy()
        assert covered.any()
        assert (inside & ~covered).sum() <= max(0.04 * inside.sum(), 3)
        assert (covered & ~inside).sum() <= max(0.04 * covered.sum(), 3)
        if inner is not None:
            assert shape.buffer(1e-3).covers(inner)
        inner = shape


def test_the_width_at_a_place_is_what_one_can_still_walk() -> None:
    # S1 at km 5 of a straight road: 1 minute a kilometre by car, 54 m a minute on foot, at most 100 m from the road
    net = roads.from_edges(*toy.straight_road(), crs=toy.CRS)
    ask = {"mode": "drive", "cutoffs_min": (2.5,), "access_m_per_s": 0.9}
    shape = net.catchments(toy.on_straight_road(S1=5), buffer_m=100, **ask).geometry.to_crs(toy.CRS).iloc[0]
    for km, metres in ((5, 100), (6.5, 54), (7, 27), (3, 27), (7.25, 13.5)):
        across = shapely.LineString(
            [(toy.EAST + km * 1000, toy.NORTH + y) for y in (-500, 500)]
        ).intersection(shape)
        assert across.length == pytest.approx(2 * metres, abs=4)
    # the whole width from where 100 m can be walked, 1.852 minutes, then in a straight line down to nothing
    full = 2.5 - 100 / 54
    assert shape.area / 1e6 == pytest.approx(2 * (full * 0.2 + 0.054 * (100 / 54) ** 2), rel=0.01)


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
    whole = free.geometry.to_crs(toy.CRS)["S1", 2.5]
    left = whole.intersection(square(0, -9000, 40_000, 50)).difference(square(6000, -500, 7000, 500))
    assert cut["area_km2"]["S1", 2.5] == pytest.approx(left.area / 1e6, rel=1e-6)
    assert left.area < 0.8 * whole.area
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


def test_how_far_drawings_agree_with_minutes_is_counted() -> None:
    # by hand: two sites, four places; drawn: s holds 1 and 2, t holds 3; in time: s reaches 1 and 4, t nothing within 5 minutes
    here = gpd.GeoDataFrame(
        geometry=[Point(x, 0) for x in (1, 2, 11, 21)], index=["1", "2", "3", "4"], crs="EPSG:32649"
    )
    drawn = gpd.GeoDataFrame(
        geometry=[shapely.box(0, -1, 3, 1), shapely.box(10, -1, 12, 1)],
        index=pd.MultiIndex.from_tuples([("s", 5.0), ("t", 5.0)], names=["facility_id", "cutoff_min"]),
        crs="EPSG:32649",
    )
    times = roads.TravelTimes.from_matrix(
        pd.DataFrame({"s": [5.0, 6, 99, 1], "t": [9.0, 9, 9, 9]}, index=here.index)
    )
    found = roads.catchment_agreement(drawn, here, times).loc[5.0]
    assert found[["inside", "late", "covered", "outside"]].tolist() == [3, 2, 2, 1]
    assert found[["late_share", "outside_share"]].tolist() == [2 / 3, 1 / 2]
