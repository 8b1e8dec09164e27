"""Condition of a road, signs that hold at times, and classes that are none: what each takes off a speed, worked by hand."""

from __future__ import annotations

import pytest

from sy_coverage import roads
from sy_coverage.roads.read import tags
from tests.roads.test_osm import extract, reaches

DRIVE = roads.travel_mode("drive")
WALK = roads.travel_mode("walk")


@pytest.mark.parametrize(
    ("way", "kph"),
    [
        # a village road of 30 km/h: the worst of surface, smoothness and tracktype counts
        ({"highway": "unclassified", "surface": "asphalt"}, 30.0),
        ({"highway": "unclassified", "surface": "gravel"}, 21.0),
        ({"highway": "unclassified", "surface": "gravel", "smoothness": "very_bad"}, 13.5),
        ({"highway": "unclassified", "surface": "concrete:lanes"}, 30.0),
        ({"highway": "unclassified", "surface": "asphalt;dirt"}, 18.0),
        ({"highway": "unclassified", "surface": "what"}, 30.0),
        ({"highway": "unclassified", "smoothness": "impassable"}, 0.0),
        # a track is expected to be of grade 3: 12 km/h; 12 / 0.7 on a paved one, 12 · 0.35 / 0.7 on the worst
        ({"highway": "track"}, 12.0),
        ({"highway": "track", "tracktype": "grade3"}, 12.0),
        ({"highway": "track", "tracktype": "grade1"}, 12 / 0.7),
        ({"highway": "track", "tracktype": "grade5"}, 6.0),
        # a limit holds down and never pushes
        ({"highway": "track", "maxspeed": "60"}, 12.0),
        ({"highway": "track", "maxspeed": "10"}, 9.0),
        ({"highway": "primary", "maxspeed": "100"}, 60.0),
        ({"highway": "primary", "maxspeed": "50", "maxspeed:advisory": "30"}, 30.0),
        ({"highway": "primary", "maxspeed:advisory": "90"}, 60.0),
        # one lane for both directions, or less than 4 m: four fifths
        ({"highway": "unclassified", "lanes": "1"}, 24.0),
        ({"highway": "unclassified", "width": "3.5"}, 24.0),
        ({"highway": "unclassified", "width": "5", "lanes": "1"}, 30.0),
        ({"highway": "unclassified", "lanes": "1", "oneway": "yes"}, 30.0),
        ({"highway": "unclassified", "flood_prone": "yes"}, 24.0),
        ({"highway": "unclassified", "flood_prone": "no"}, 30.0),
        ({"highway": "unclassified", "seasonal": "wet_season"}, 15.0),
        ({"highway": "unclassified", "ford": "yes"}, 15.0),
        ({"highway": "unclassified", "impassable": "yes"}, 0.0),
    ],
)
def test_the_condition_of_a_road_slows_a_car_as_the_table_says(way, kph) -> None:
    assert tags.pace(way, DRIVE).forward_kph == pytest.approx(kph)


@pytest.mark.parametrize(
    ("way", "kph"),
    [
        ({"highway": "path", "sac_scale": "hiking"}, 3.24),
        ({"highway": "path", "sac_scale": "mountain_hiking"}, 0.0),
        ({"highway": "path", "sac_scale": "difficult_alpine_hiking", "foot": "yes"}, 0.0),
        ({"highway": "path", "surface": "mud"}, 1.62),
        ({"highway": "proposed", "foot": "yes"}, 0.0),
        ({"highway": "via_ferrata", "foot": "designated"}, 0.0),
    ],
)
def test_what_elders_can_walk(way, kph) -> None:
    assert tags.pace(way, WALK).forward_kph == pytest.approx(kph)


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("(Mo-Fr 07:00-09:00)", False),
        ("Mo-Fr 07:00-19:00", True),
        ("(Mo-Fr 07:00-09:00; Tu 09:30-10:30)", True),
        ("22:00-06:00", False),
        ("Sa,Su", False),
        ("Fr-Tu", True),
        ("24/7", True),
        ("wet", None),
        ("weight>7.5", None),
        ("Nov-Apr", None),
        ("", None),
    ],
)
def test_conditions_are_decided_for_tuesday_at_ten(condition, answer) -> None:
    assert tags.holds(condition) is answer


@pytest.mark.parametrize(
    ("way", "passes"),
    [
        ({"motor_vehicle:conditional": "no @ (Mo-Fr 07:00-20:00)"}, False),
        ({"motor_vehicle:conditional": "no @ (22:00-06:00)"}, True),
        ({"motor_vehicle": "no", "motor_vehicle:conditional": "yes @ (09:00-11:00)"}, True),
        ({"access:conditional": "no @ (snow)"}, True),
        ({"motor_vehicle:conditional": "no @ (10:00-12:00); yes @ (weight>3)"}, False),
        ({"oneway:conditional": "yes @ (06:00-22:00)"}, True),
    ],
)
def test_signs_that_hold_at_times_are_read_at_that_hour_and_never_taken_for_ever(
    tmp_path, way, passes
) -> None:
    ways = [([1, 2], {"highway": "residential"} | way), ([2, 3], {"highway": "residential"})]
    net = roads.read_osm(extract(tmp_path, {1: (0, 0), 2: (1, 0), 3: (2, 0)}, ways), modes=("drive", "walk"))
    assert (reaches(net, "drive", 1, 3) < 1) == passes
    counted = sum(v for k, v in net.notes.items() if k.startswith("roads_with_signs_at_times"))
    assert counted >= 1
    assert (reaches(net, "drive", 3, 1) < 1) == (passes and "oneway:conditional" not in way)


def test_what_slows_roads_is_counted_and_printed(tmp_path) -> None:
    road = {"highway": "residential"}
    ways = [
        ([1, 2], road | {"surface": "mud"}),
        ([2, 3], road | {"flood_prone": "yes"}),
        ([3, 4], road | {"construction": "yes"}),
        ([4, 5], road | {"lanes": "1"}),
    ]
    net = roads.read_osm(extract(tmp_path, {i: (i, 0) for i in range(1, 6)}, ways), modes=("drive",))
    said = net.summary().set_index(["subject", "what"])["value"]
    for cause in ("surface", "flood_prone", "narrow"):
        assert said["notes", f"roads_slower_{cause}"] == 1
    assert said["notes", "roads_undone_left_closed"] == 1


def test_a_study_may_close_what_the_table_only_slows() -> None:
    shut = DRIVE.changed({"condition_factor": {"flood_prone": 0.0}})
    assert tags.pace({"highway": "primary", "flood_prone": "yes"}, shut).forward_kph == 0
    assert tags.pace({"highway": "primary", "ford": "yes"}, shut).forward_kph == 30


@pytest.mark.parametrize(
    ("gate", "passes"),
    [
        ({"barrier": "gate"}, True),
        ({"barrier": "gate", "locked": "yes"}, False),
        ({"barrier": "gate", "locked": "yes", "access": "yes"}, False),
        ({"barrier": "gate", "locked": "yes", "motor_vehicle": "yes"}, True),
        ({"barrier": "gate", "access": "destination"}, True),
        ({"barrier": "gate", "access": "no"}, False),
        ({"ford": "stepping_stones"}, False),
        ({"ford": "yes"}, True),
    ],
)
def test_gates_and_fords_on_the_way(tmp_path, gate, passes) -> None:
    nodes = {1: (0, 0), 2: (1, 0, gate), 3: (2, 0)}
    net = roads.read_osm(
        extract(tmp_path, nodes, [([1, 2, 3], {"highway": "residential"})]), modes=("drive", "walk")
    )
    assert (reaches(net, "drive", 1, 3) < 5) == passes


def test_a_square_is_crossed_along_its_edge_and_not_by_car(tmp_path) -> None:
    square = {"highway": "pedestrian", "area": "yes"}
    nodes = {
        1: (-2, 0),
        2: (0, 0),
        3: (1, 1),
        4: (2, 0),
        5: (1, -1),
        6: (4, 0),
        7: (9, 9),
        8: (9, 10),
        9: (10, 9),
    }
    street = {"highway": "residential"}
    ways = [([1, 2], street), ([2, 3, 4, 5, 2], square), ([4, 6], street), ([7, 8, 9, 7], square)]
    net = roads.read_osm(extract(tmp_path, nodes, ways), modes=("drive", "walk"))
    assert reaches(net, "walk", 1, 6) < 20
    assert reaches(net, "drive", 1, 6) == float("inf")
    # a square that no road touches leads nowhere
    assert not {7, 8, 9} & set(net.node_ids.tolist())
