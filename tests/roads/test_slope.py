"""Slopes: hills of a known grade make the minutes worked out by hand, bridges stay level, and what is not known is said."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from sy_coverage import roads
from sy_coverage.errors import ConfigError, InputError
from tests.roads.test_osm import extract, reaches

rasterio = pytest.importorskip("rasterio")
STREET = {"highway": "residential"}
MODES = ("drive", "walk", "bike", "ebike")


@pytest.fixture
def hills(tmp_path):
    """Return a way to write the metres above sea level around 111° E 27° N as a function of the metres east of it."""

    def write(height, *, cell=20.0):
        # x is 500,000 on the 111st meridian of EPSG:4546, and y 2,987,737 at 27° N
        centres = np.arange(-3000, 3000, cell) + cell / 2
        cells = np.tile(height(centres).astype(np.float32), (100, 1))
        path = tmp_path / "hills.tif"
        shape = rasterio.transform.from_origin(497_000, 2_987_737 + 50 * cell, cell, cell)
        with rasterio.open(
            path, "w", driver="GTiff", height=100, width=centres.size, count=1, dtype="float32",
            crs="EPSG:4546", transform=shape, nodata=-9999,
        ) as target:  # fmt: skip
            target.write(cells, 1)
        return path

    return write


def slower(flat, steep, mode, start, end) -> float:
    return reaches(steep, mode, start, end) / reaches(flat, mode, start, end)


def test_a_tenth_uphill_takes_as_much_longer_as_the_tables_say(tmp_path, hills) -> None:
    file = extract(tmp_path, {1: (0, 0), 2: (10, 0)}, [([1, 2], STREET)])
    flat = roads.read_osm(file, modes=MODES)
    steep = roads.read_osm(file, modes=MODES, elevation=hills(lambda east: 500 + east / 10))
    # east is up: Tobler's 0.705 on foot, a bicycle is pushed at 0.24, an e-bike halfway between 0.59 and 0.41
    for mode, share in (("drive", 1.0), ("walk", 0.705), ("bike", 0.24), ("ebike", 0.5)):
        assert slower(flat, steep, mode, 1, 2) == pytest.approx(1 / share, rel=1e-3)
        assert slower(flat, steep, mode, 2, 1) == pytest.approx(1, rel=1e-3)


def test_up_and_down_again_is_no_level_road(tmp_path, hills) -> None:
    # 993 m of road with the top of a ridge in its middle, at 0.005° east
    file = extract(tmp_path, {1: (0, 0), 2: (10, 0)}, [([1, 2], STREET)])
    flat = roads.read_osm(file, modes=("walk",))
    steep = roads.read_osm(file, modes=("walk",), elevation=hills(lambda east: 500 - abs(east - 496.1) / 10))
    for start, end in ((1, 2), (2, 1)):
        assert slower(flat, steep, "walk", start, end) == pytest.approx((1 / 0.705 + 1) / 2, rel=0.01)


def test_bridges_and_tunnels_do_not_follow_the_ground(tmp_path, hills) -> None:
    nodes = {1: (0, 0), 2: (10, 0), 3: (20, 0), 4: (30, 0)}
    ways = [([1, 2], STREET), ([2, 3], STREET | {"bridge": "yes"}), ([3, 4], STREET | {"tunnel": "no"})]
    file = extract(tmp_path, nodes, ways)
    flat = roads.read_osm(file, modes=("walk",))
    steep = roads.read_osm(file, modes=("walk",), elevation=hills(lambda east: 500 + east / 10))
    assert len(flat.node_ids) == 2  # without elevations nothing distinguishes the three
    assert reaches(steep, "walk", 2, 3) == pytest.approx(reaches(flat, "walk", 1, 4) / 3, rel=1e-3)
    assert reaches(steep, "walk", 3, 4) == pytest.approx(reaches(flat, "walk", 1, 4) / 3 / 0.705, rel=1e-3)


def test_where_no_elevation_is_known_the_road_is_level_and_counted(tmp_path, hills) -> None:
    nodes = {1: (0, 0), 2: (10, 0), 3: (20, 0), 4: (10, 5)}
    file = extract(tmp_path, nodes, [([1, 2], STREET), ([2, 3], STREET), ([2, 4], STREET)])
    path = hills(lambda east: np.where(east > 1500, -9999, 500 + east / 10))
    net = roads.read_osm(file, modes=("walk",), elevation=path)
    flat = roads.read_osm(file, modes=("walk",))
    assert net.notes["road_pieces_without_elevation_taken_as_level"] == 1
    assert slower(flat, net, "walk", 2, 3) == 1
    assert slower(flat, net, "walk", 1, 2) > 1.3
    assert f"hills.tif sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" in net.source


def test_a_short_road_shows_no_slope_that_the_elevations_cannot(tmp_path, hills) -> None:
    # 10 m of road over a step of 8 m between two cells of 100 m: at most 8 % is known, not 80 %
    file = extract(tmp_path, {1: (0.45, 0), 2: (0.55, 0)}, [([1, 2], STREET)])
    steps = hills(lambda east: 500 + 8.0 * (east > 0), cell=100.0)
    flat, steep = (
        roads.read_osm(file, modes=("walk",)),
        roads.read_osm(file, modes=("walk",), elevation=steps),
    )
    assert slower(flat, steep, "walk", 1, 2) < 1 / 0.705


@pytest.mark.parametrize("cell", [20.0, 90.0])
@pytest.mark.parametrize("pieces", [1, 4, 40])
def test_a_hill_is_as_steep_however_many_junctions_it_has(tmp_path, hills, cell, pieces) -> None:
    # a road of 993 m up a tenth, with a lane at every junction: pieces of 993, 248 and 25 m
    nodes = {i + 1: (10 * i / pieces, 0) for i in range(pieces + 1)}
    lanes = {100 + i: (10 * i / pieces, 0.5) for i in range(1, pieces)}
    ways = [(sorted(nodes), STREET), *[([i - 99, i], {"highway": "footway"}) for i in lanes]]
    file = extract(tmp_path, nodes | lanes, ways)
    flat = roads.read_osm(file, modes=("walk", "bike"))
    steep = roads.read_osm(
        file, modes=("walk", "bike"), elevation=hills(lambda east: 500 + east / 10, cell=cell)
    )
    for mode, share in (("walk", 0.705), ("bike", 0.24)):
        assert slower(flat, steep, mode, 1, pieces + 1) == pytest.approx(1 / share, rel=0.03)
        assert slower(flat, steep, mode, pieces + 1, 1) == pytest.approx(1, rel=0.03)


def test_voids_feet_and_a_coarse_model_are_said(tmp_path, hills) -> None:
    file = extract(
        tmp_path,
        {1: (0, 0), 2: (10, 0), 3: (20, 0), 4: (10, 5)},
        [([1, 2], STREET), ([2, 3], STREET), ([2, 4], STREET)],
    )
    # the mark of a void that the file does not declare
    void = roads.read_osm(
        file, modes=("walk",), elevation=hills(lambda east: np.where(east > 1500, -32768, 500 + east / 10))
    )
    flat = roads.read_osm(file, modes=("walk",))
    assert void.notes["elevations_that_cannot_be_metres_left_out"] > 0
    assert void.notes["road_pieces_without_elevation_taken_as_level"] == 1
    assert slower(flat, void, "walk", 2, 3) == 1
    feet = roads.read_osm(file, modes=("walk",), elevation=hills(lambda east: 3.28 * (3000 + east / 10)))
    assert feet.notes["elevations_higher_than_any_mountain_feet_perhaps"] > 0
    coarse = roads.read_osm(file, modes=("walk",), elevation=hills(lambda east: 500 + east / 10, cell=900.0))
    assert coarse.notes["elevation_cells_too_wide_for_slopes_of_roads_m"] == 900


def test_elevations_of_another_place_or_kind_are_refused(tmp_path, hills) -> None:
    file = extract(tmp_path, {1: (90_000, 0), 2: (90_010, 0)}, [([1, 2], STREET)])
    with pytest.raises(InputError, match="does not touch the study area"):
        roads.read_osm(file, modes=("walk",), elevation=hills(lambda east: east))
    with pytest.raises(InputError, match="slopes need an OpenStreetMap extract"):
        roads.read_osm(tmp_path / "g.graphml", elevation=tmp_path / "hills.tif")


@pytest.mark.parametrize(
    "slopes",
    [
        {"slope_grade": [0.1], "slope_factor": []},
        {"slope_grade": [0.1, 0.1], "slope_factor": [1, 0.5]},
        {"slope_grade": [0.1], "slope_factor": [0]},
    ],
)
def test_slopes_that_say_nothing_sensible_are_refused(slopes) -> None:
    with pytest.raises(ConfigError, match="slope"):
        roads.travel_mode("walk", slopes)
