"""What junctions cost: the same main road with and without its driveways, less on the main road, lights where they are."""

from __future__ import annotations

import pytest

from sy_coverage import roads
from tests.roads.test_osm import extract, reaches

DRIVE = roads.travel_mode("drive")


def main_road(folder, side: dict, kind: str = "primary", node: dict | None = None) -> roads.RoadNetwork:
    """Return a road from 1 to 9 of 8 × 100 m, every node between with a side road of 100 m to 10 n."""
    ways = [(list(range(1, 10)), {"highway": kind})]
    nodes: dict = {i: (i, 0, *([node] if node and i == 5 else [])) for i in range(1, 10)}
    if side:
        for i in range(2, 9):
            nodes[10 * i] = (i, 1)
            ways.append(([i, 10 * i], side))
    return roads.read_osm(extract(folder, nodes, ways), modes=("drive",))


@pytest.mark.parametrize(
    "side",
    [
        {"highway": "service", "service": "driveway"},
        {"highway": "service"},
        {"highway": "track"},
        {"highway": "residential", "access": "private"},
        {"highway": "residential"},
        {"highway": "footway"},
    ],
)
def test_what_is_no_road_of_comparable_class_costs_the_main_road_nothing(tmp_path, side) -> None:
    plain = reaches(main_road(tmp_path, {}), "drive", 1, 9)
    assert reaches(main_road(tmp_path, side), "drive", 1, 9) == pytest.approx(plain, rel=1e-9)


def test_driveways_cost_a_residential_street_nothing_either(tmp_path) -> None:
    plain = reaches(main_road(tmp_path, {}, "residential"), "drive", 1, 9)
    drives = main_road(tmp_path, {"highway": "service", "service": "driveway"}, "residential")
    assert reaches(drives, "drive", 1, 9) == pytest.approx(plain, rel=1e-9)


def test_a_comparable_side_road_costs_less_on_the_main_road_than_from_the_side(tmp_path) -> None:
    plain = reaches(main_road(tmp_path, {}), "drive", 1, 9)
    net = main_road(tmp_path, {"highway": "secondary"})
    # seven junctions, a quarter of four seconds each
    assert reaches(net, "drive", 1, 9) == pytest.approx(plain + 7 * 0.25 * 4 / 60, abs=1e-9)
    # out of the side road: 100 m at 50 km/h, five seconds of giving way
    metres = (reaches(net, "drive", 5, 50)) * 50 / 0.06
    assert reaches(net, "drive", 50, 5) == pytest.approx(metres * 0.06 / 50 + 5 / 60, abs=1e-9)


def test_lights_cost_their_seconds_where_they_are_mapped(tmp_path) -> None:
    plain = reaches(main_road(tmp_path, {}), "drive", 1, 9)
    for side in ({}, {"highway": "secondary"}):
        net = main_road(tmp_path, side, node={"highway": "traffic_signals"})
        others = 6 * 0.25 * 4 if side else 0
        assert reaches(net, "drive", 1, 9) == pytest.approx(plain + (others + 10) / 60, abs=1e-9)
        assert net.notes["traffic_lights"] == 1


def test_the_lights_of_one_junction_hold_up_once(tmp_path) -> None:
    # stop lines 20 m on each side of a crossing of two secondary roads
    lights = {"highway": "traffic_signals"}
    nodes = {
        1: (-3, 0),
        2: (-0.2, 0, lights),
        3: (0, 0),
        4: (0.2, 0, lights),
        5: (3, 0),
        6: (0, 3),
        7: (0, -3),
    }
    road = {"highway": "secondary"}
    net = roads.read_osm(
        extract(tmp_path, nodes, [([1, 2, 3, 4, 5], road), ([6, 3, 7], road)]), modes=("drive",)
    )
    bare = roads.read_osm(extract(tmp_path, {1: (-3, 0), 5: (3, 0)}, [([1, 5], road)]), modes=("drive",))
    assert reaches(net, "drive", 1, 5) == pytest.approx(reaches(bare, "drive", 1, 5) + 10 / 60, rel=1e-6)
    assert reaches(net, "drive", 5, 1) == pytest.approx(reaches(net, "drive", 1, 5), rel=1e-9)


def test_on_a_roundabout_one_has_the_right_of_way_and_pays_only_to_enter(tmp_path) -> None:
    ring = {"highway": "residential", "junction": "roundabout"}
    arm = {"highway": "residential"}
    nodes = {1: (0, 1), 2: (-1, 0), 3: (0, -1), 4: (1, 0), 10: (0, 3), 20: (-3, 0), 30: (0, -3), 40: (3, 0)}
    ways = [([1, 2, 3, 4, 1], ring), *[([10 * i, i], arm) for i in range(1, 5)]]
    net = roads.read_osm(extract(tmp_path, nodes, ways), modes=("drive",))
    metres = dict(
        zip(
            map(tuple, net.node_ids[[net.links.tail, net.links.head]].T.tolist()),
            net.links.length_m,
            strict=True,
        )
    )
    total = sum(metres.get(e, metres.get(e[::-1], 0.0)) for e in ((10, 1), (1, 2), (2, 3), (3, 4), (4, 40)))
    assert reaches(net, "drive", 10, 40) == pytest.approx(total * 0.06 / 25 + 2 / 60, rel=1e-6)
