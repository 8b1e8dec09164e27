"""What is read from OpenStreetMap: tags in all spellings, on small extracts written here and on real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Point

from sy_coverage import _osm, roads
from sy_coverage.errors import (
    IncompleteNetworkError,
    InputError,
    MissingFileError,
    UnknownModeError,
    UnreadableFileError,
)
from sy_coverage.roads.read import tags

if TYPE_CHECKING:
    from pathlib import Path

LAT = 27.0
DEGREES_100_M = 0.001


def extract(folder: Path, nodes: dict[int, tuple[float, float]], ways: list, more: str = "") -> Path:
    """Write an .osm file: nodes at (east, north) in thousandths of a degree, ways as (refs, tags)."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<osm version='0.6'>"]
    for i, (east, north, *node_tags) in sorted(nodes.items()):
        inner = "".join(f"<tag k='{k}' v='{v}'/>" for t in node_tags for k, v in t.items())
        place = f"lat='{LAT + north * DEGREES_100_M:.7f}' lon='{111 + east * DEGREES_100_M:.7f}'"
        lines.append(f"<node id='{i}' version='1' {place}>{inner}</node>")
    for number, (refs, way_tags) in enumerate(ways, start=100):
        inner = "".join(f"<nd ref='{r}'/>" for r in refs)
        inner += "".join(f"<tag k='{k}' v='{v}'/>" for k, v in way_tags.items())
        lines.append(f"<way id='{number}' version='1'>{inner}</way>")
    path = folder / "roads.osm"
    path.write_text("\n".join([*lines, more, "</osm>"]), encoding="utf-8")
    return path


def reaches(net: roads.RoadNetwork, mode: str, start: int, end: int) -> float:
    """Return minutes from node to node, the least over the copies of the end; inf if there is no way."""
    times = net.node_times([start], mode=mode, cutoff_min=1e4).to_frame()
    there = times[times["demand_id"].astype(str).str.partition("@")[0] == str(end)]["minutes"]
    return float(there.min()) if len(there) else float("inf")


@pytest.mark.parametrize(
    ("value", "kph"),
    [
        ("50", 50),
        ("50 km/h", 50),
        ("50kmh", 50),
        ("50 mph", 80.4672),
        ("30;50", 30),
        ("CN:urban", 50),
        ("CN:rural", 70),
        ("DE:urban", 50),
        ("DE:zone30", 30),
        ("FR:zone:30", 30),
        ("DE:30", 30),
        ("walk", 7),
        ("DE:walk", 7),
        ("none", None),
        ("signals", None),
        ("variable", None),
        ("999", None),
        ("0", None),
        ("fast", None),
        ("", None),
        ("-50", None),
        ("５０", None),
    ],
)
def test_posted_limits_are_read_in_all_their_spellings(value, kph) -> None:
    assert tags.maxspeed_kph(value) == (None if kph is None else pytest.approx(kph))


@pytest.mark.parametrize(
    ("value", "minutes"),
    [
        ("25", 25),
        ("00:25", 25),
        ("00:05:00", 5),
        ("1:45", 105),
        ("01:45:00", 105),
        ("33:31", 33 * 60 + 31),
        ("PT25M", 25),
        ("PT1H30M", 90),
        ("1h", 60),
        ("1 h 45 min", 105),
        ("1h30", 90),
        ("90 min", 90),
        ("1.5 hours", 90),
        ("1h about", None),
        ("soon", None),
        ("", None),
        ("0", None),
    ],
)
def test_durations_of_ferries_are_read(value, minutes) -> None:
    assert tags.duration_min(value) == minutes


@pytest.mark.parametrize(
    ("way", "forth", "back"),
    [
        ({}, True, True),
        ({"oneway": "yes"}, True, False),
        ({"oneway": "true"}, True, False),
        ({"oneway": "1"}, True, False),
        ({"oneway": "-1"}, False, True),
        ({"oneway": "reverse"}, False, True),
        ({"oneway": "no"}, True, True),
        ({"junction": "roundabout"}, True, False),
        ({"junction": "roundabout", "oneway": "-1"}, False, True),
        ({"highway": "motorway"}, True, False),
        ({"highway": "motorway", "oneway": "no"}, True, True),
        ({"oneway": "yes", "oneway:bicycle": "no"}, True, False),
        ({"oneway": "yes", "cycleway": "opposite_lane"}, True, False),
        ({"oneway": "yes", "oneway:motorcar": "no"}, True, True),
        ({"oneway:motor_vehicle": "yes"}, True, False),
        ({"oneway:vehicle": "-1"}, False, True),
        ({"motor_vehicle:backward": "no"}, True, False),
        ({"access:forward": "private", "motorcar:forward": "yes"}, True, True),
        ({"vehicle:forward": "no", "oneway": "yes"}, False, False),
        ({"motorroad": "yes"}, True, True),
        ({"maxwidth": "1.7"}, False, False),
        ({"maxwidth": "1.7 m"}, False, False),
        ({"maxwidth": "1.8"}, True, True),
        ({"maxheight": "1.2"}, False, False),
        ({"maxheight": "2.5"}, True, True),
        ({"maxheight": "default"}, True, True),
        ({"maxwidth": "5 ft"}, True, True),
        ({"access": "no"}, False, False),
        ({"access": "no", "motor_vehicle": "yes"}, True, True),
        ({"access": "private"}, True, True),
        ({"access": "permit"}, True, True),
        ({"access": "residents"}, True, True),
        ({"access": "military"}, False, False),
        ({"motorcar": "no", "access": "yes"}, False, False),
        ({"motor_vehicle": "destination"}, True, True),
        ({"vehicle": "no"}, False, False),
        ({"highway": "footway"}, False, False),
        ({"highway": "footway", "motor_vehicle": "yes"}, True, True),
        ({"highway": "construction"}, False, False),
        ({"highway": "proposed", "motor_vehicle": "yes"}, False, False),
        ({"highway": "abandoned", "motorcar": "designated"}, False, False),
        ({"highway": "razed:residential", "motor_vehicle": "yes"}, False, False),
        ({"construction": "yes"}, False, False),
        ({"construction": "residential", "access": "yes"}, False, False),
        ({"construction": "minor"}, True, True),
        ({"disused": "yes", "motor_vehicle": "yes"}, False, False),
        ({"operational_status": "under_construction"}, False, False),
        ({"impassable": "yes"}, False, False),
        ({"impassable": "no"}, True, True),
        ({"smoothness": "impassable"}, False, False),
        ({"winter_road": "yes"}, False, False),
        ({"width": "1.2"}, False, False),
        ({"width": "1,5"}, False, False),
        ({"width": "150 cm"}, False, False),
        ({"maxwidth": "5&apos;6&quot;"}, False, False),
        ({"maxwidth": "6&apos;7&quot;"}, True, True),
        ({"maxheight": "4&apos;"}, False, False),
        ({"maxwidth:physical": "1.6"}, False, False),
        ({"maxheight:physical": "2"}, True, True),
        ({"area": "yes"}, False, False),
        ({"state": "proposed"}, False, False),
        ({"status": "Under Construction"}, False, False),
        ({"under_construction": "yes"}, False, False),
        ({"collapsed": "yes", "access": "yes"}, False, False),
        ({"closed": "no"}, True, True),
        ({"ford": "stepping_stones"}, False, False),
        ({"ford": "boat"}, False, False),
        ({"ford": "yes"}, True, True),
        ({"access:conditional": "no @ (Mo-Fr 07:00-09:00, Sa 09:00-12:00)"}, True, True),
        ({"access:conditional": "no @ (Mo-Fr 07:00-09:00, Tu 09:30-10:30)"}, False, False),
        ({"motor_vehicle:conditional": "no @ (Mo-Su 09:00-18:00; Tu off)"}, True, True),
        ({"motor_vehicle:conditional": "no @ (Mo-Fr 08:00-18:00; Tu 14:00-16:00)"}, True, True),
        ({"motor_vehicle:conditional": "no @ (Mo-Fr, PH 08:00-18:00)"}, False, False),
        ({"motor_vehicle:conditional": "no @ (Mo-Fr 08:00-18:00; PH off)"}, False, False),
        ({"motor_vehicle": "no", "motor_vehicle:conditional": "yes @ (PH)"}, False, False),
    ],
)
def test_who_may_drive_which_way(tmp_path, way, forth, back) -> None:
    # the way in question joins 1 and 2; a street of its own keeps the file from being empty
    path = extract(
        tmp_path,
        {1: (0, 0), 2: (1, 0), 3: (0, 1), 4: (1, 1)},
        [([1, 2], {"highway": "residential"} | way), ([3, 4], {"highway": "residential"})],
    )
    net = roads.read_osm(path, modes=("drive",))
    known = {str(i) for i in net.node_ids}
    if not forth and not back:
        assert known == {"3", "4"}
    else:
        assert (np.isfinite(reaches(net, "drive", 1, 2)), np.isfinite(reaches(net, "drive", 2, 1))) == (
            forth,
            back,
        )


def test_a_one_way_street_binds_cars_and_bicycles_but_not_people_on_foot(tmp_path) -> None:
    way = {"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}
    path = extract(tmp_path, {1: (0, 0), 2: (1, 0)}, [([1, 2], way)])
    net = roads.read_osm(path, modes=("drive", "bike", "walk"))
    assert [np.isfinite(reaches(net, m, 2, 1)) for m in net.modes] == [False, True, True]


@pytest.mark.parametrize(
    ("way", "mode", "forth", "back"),
    [
        ({"oneway": "yes"}, "bike", True, False),
        ({"oneway": "yes", "cycleway": "opposite"}, "bike", True, True),
        ({"oneway": "yes", "cycleway:left": "opposite_lane"}, "ebike", True, True),
        ({"oneway": "yes", "cycleway": "lane"}, "bike", True, False),
        ({"bicycle:backward": "no"}, "bike", True, False),
        ({"foot:forward": "no"}, "walk", False, True),
        ({"motorroad": "yes"}, "walk", False, False),
        ({"motorroad": "yes"}, "bike", False, False),
        ({"motorroad": "yes", "foot": "yes"}, "walk", True, True),
        ({"maxwidth": "1.2", "maxheight": "1.0"}, "walk", True, True),
    ],
)
def test_which_way_bicycles_and_feet_may_go(tmp_path, way, mode, forth, back) -> None:
    ways = [([1, 2], {"highway": "primary"} | way), ([2, 3], {"highway": "residential"})]
    net = roads.read_osm(extract(tmp_path, {1: (0, 0), 2: (1, 0), 3: (2, 0)}, ways), modes=("drive", mode))
    found = tuple(bool(np.isfinite(reaches(net, mode, *ends))) for ends in ((1, 2), (2, 1)))
    assert found == (forth, back)


def test_service_roads_of_a_kind_have_a_speed_of_their_own_and_no_more(tmp_path) -> None:
    nodes = {i: (i, 0) for i in range(1, 6)}
    aisle = {"highway": "service", "service": "parking_aisle"}
    kinds = [
        aisle,
        aisle | {"maxspeed": "30"},
        {"highway": "service"},
        {"highway": "service", "maxspeed": "30"},
    ]
    ways = [([i, i + 1], kind) for i, kind in enumerate(kinds, start=1)]
    net = roads.read_osm(extract(tmp_path, nodes, ways), modes=("drive", "walk"))
    a_piece = reaches(net, "walk", 1, 5) / 4 * 3.24
    # a sign of 30 makes nobody faster than the 7 and 15 km/h of such roads
    by_hand = {(1, 3): 2 * a_piece / 7, (3, 5): 2 * a_piece / 15}
    for (start, end), minutes in by_hand.items():
        assert reaches(net, "drive", start, end) == pytest.approx(minutes, rel=1e-4)


@pytest.mark.parametrize("value", ["delivery", "psv", "taxi", "hgv", "no", "military", "delivery;psv"])
def test_a_road_for_others_is_closed_to_cars(tmp_path, value) -> None:
    ways = [
        ([1, 2], {"highway": "residential", "motor_vehicle": value}),
        ([2, 3], {"highway": "residential"}),
    ]
    net = roads.read_osm(extract(tmp_path, {1: (0, 0), 2: (1, 0), 3: (2, 0)}, ways), modes=("drive", "walk"))
    assert reaches(net, "drive", 2, 1) == float("inf")
    assert reaches(net, "walk", 2, 1) < 3


def test_minutes_are_metres_by_speed(tmp_path) -> None:
    way = {"highway": "unclassified", "maxspeed": "40"}
    net = roads.read_osm(extract(tmp_path, {1: (0, 0), 2: (10, 0)}, [([1, 2], way)]))
    metres = (
        0.01 * 111_320 * np.cos(np.radians(27)) * 1.0007
    )  # the parallel at 27° N, to a tenth of a percent
    assert net.links.length_m[0] == pytest.approx(metres, rel=1e-3)
    # the sign of 40 makes nobody faster than the 30 km/h of the class
    assert reaches(net, "drive", 1, 2) == pytest.approx(net.links.length_m[0] / (30 / 0.06), rel=1e-12)
    assert reaches(net, "walk", 1, 2) == pytest.approx(net.links.length_m[0] / 0.9 / 60, rel=1e-12)


def test_nodes_where_nothing_meets_become_shape_and_ways_join_end_to_end(tmp_path) -> None:
    # 1-2-3 and 3-4-5 are one road in two ways, drawn against each other; 5-6 is of another kind
    street = {"highway": "residential"}
    path = extract(
        tmp_path,
        {1: (0, 0), 2: (1, 0), 3: (2, 1), 4: (3, 0), 5: (4, 0), 6: (5, 0)},
        [([1, 2, 3], street), ([5, 4, 3], street), ([5, 6], {"highway": "primary"})],
    )
    net = roads.read_osm(path, modes=("drive",))
    assert sorted(net.node_ids.tolist()) == [1, 5, 6]
    assert sorted(net.lines()["highway"]) == ["primary", "residential"]
    assert max(len(line.coords) for line in net.lines().geometry) == 5


def test_rings_and_parallel_roads_keep_their_shape(tmp_path) -> None:
    street = {"highway": "residential"}
    path = extract(
        tmp_path,
        {
            1: (0, 0),
            2: (1, 1),
            3: (2, 0),
            4: (1, -1),
            5: (-1, 0),
            6: (3, 1),
            7: (4, 0),
            8: (9, 9),
            9: (9, 10),
            10: (10, 9),
        },
        [
            ([1, 2, 3], street),
            ([1, 4, 3], street),  # two roads between 1 and 3
            ([5, 1], street),
            ([3, 6, 7, 3], street),  # a ring that hangs on 3
            ([8, 9, 10, 8], street),  # a ring with no junction at all
        ],
    )
    net = roads.read_osm(path, modes=("drive",))
    loops = net.links.tail == net.links.head
    assert (len(net.links), int(loops.sum())) == (5, 2)
    assert {1, 3, 5} <= set(net.node_ids.tolist())
    assert len(net.node_ids) == 4


def test_a_bollard_stops_cars_and_lets_people_through(tmp_path) -> None:
    street = {"highway": "residential"}
    nodes = {
        1: (0, 0),
        2: (1, 0, {"barrier": "bollard"}),
        3: (2, 0),
        4: (4, 0, {"barrier": "gate"}),
        5: (5, 0),
    }
    net = roads.read_osm(extract(tmp_path, nodes, [([1, 2, 3], street), ([3, 4, 5], street)]))
    assert sorted(net.node_ids.tolist()) == [1, 2, 5]  # the gate is open and the ways are one road
    assert np.isinf(reaches(net, "drive", 1, 5))
    assert np.isfinite(reaches(net, "drive", 1, 2))
    assert np.isfinite(reaches(net, "drive", 2, 5))
    assert np.isfinite(reaches(net, "walk", 1, 5))
    here = gpd.GeoDataFrame(geometry=[Point(111.0005, LAT)], index=["h"], crs=4326)
    there = gpd.GeoDataFrame(geometry=[Point(111.0015, LAT)], index=["t"], crs=4326)
    assert net.travel_times(there, here, mode="drive", cutoff_min=99).minutes.nnz == 0
    assert net.travel_times(there, here, mode="walk", cutoff_min=99).minutes.nnz == 1
    shed = net.catchments(here, mode="drive", cutoffs_min=[30], buffer_m=5)
    assert not shed.geometry.iloc[0].covers(there.geometry.iloc[0])


def test_a_private_gate_stops_and_an_open_bollard_does_not(tmp_path) -> None:
    street = {"highway": "residential"}
    nodes = {
        1: (0, 0),
        2: (1, 0, {"barrier": "gate", "access": "private"}),
        3: (2, 0),
        4: (3, 0, {"barrier": "bollard", "motor_vehicle": "yes"}),
        5: (4, 0),
    }
    net = roads.read_osm(extract(tmp_path, nodes, [([1, 2, 3, 4, 5], street)]), modes=("drive",))
    assert np.isinf(reaches(net, "drive", 1, 5))
    assert np.isfinite(reaches(net, "drive", 2, 5))


def test_a_narrow_gate_stops_cars_and_a_wide_one_does_not(tmp_path) -> None:
    street = {"highway": "residential"}
    for width, minutes in (("1.5", np.inf), ("2.2", 0.48)):
        gate = {"barrier": "height_restrictor", "maxwidth": width}
        file = extract(tmp_path, {1: (0, 0), 2: (1, 0, gate), 3: (2, 0)}, [([1, 2, 3], street)])
        net = roads.read_osm(file, modes=("drive", "walk"))
        assert reaches(net, "drive", 1, 3) == pytest.approx(minutes, rel=0.02)
        assert np.isfinite(reaches(net, "walk", 1, 3))


STREET = {"highway": "residential"}
CROSS = {1: (0, 0), 2: (-1, 0), 3: (1, 0), 4: (0, 1), 5: (0, -1)}


def crossing(
    folder: Path, restriction: str, members: str = "", kind: str = "restriction"
) -> roads.RoadNetwork:
    """Return a crossing at node 1 with arms to 2 (way 100), 3 (101), 4 (102), 5 (103), and one turn restriction."""
    street = {"highway": "residential"}
    members = members or (
        "<member type='way' ref='100' role='from'/><member type='node' ref='1' role='via'/>"
        "<member type='way' ref='102' role='to'/>"
    )
    relation = (
        f"<relation id='1' version='1'>{members}<tag k='type' v='{kind}'/>"
        f"<tag k='restriction' v='{restriction}'/></relation>"
    )
    ways = [([2, 1], street), ([1, 3], street), ([1, 4], street), ([1, 5], street)]
    return roads.read_osm(extract(folder, CROSS, ways, relation))


def arms_min(net) -> tuple[float, float, float]:
    """Return the minutes along the arms to the west, to the east or west, and to the north or south."""
    return reaches(net, "drive", 1, 2), reaches(net, "drive", 1, 3), reaches(net, "drive", 1, 4)


def test_a_forbidden_turn_is_made_only_by_turning_round_at_a_dead_end(tmp_path) -> None:
    net = crossing(tmp_path, "no_left_turn")
    west, east, north = arms_min(net)
    into = reaches(net, "drive", 2, 1)
    assert reaches(net, "drive", 2, 3) == pytest.approx(into + east, abs=1e-9)
    # straight on to 3, round at its end (and the junction's delay again), back to 1 and right to 4
    assert reaches(net, "drive", 2, 4) == pytest.approx(
        into + east + reaches(net, "drive", 3, 1) + north, abs=1e-9
    )
    assert reaches(net, "drive", 3, 4) == pytest.approx(reaches(net, "drive", 3, 1) + north, abs=1e-9)
    assert reaches(net, "walk", 2, 4) == pytest.approx(
        reaches(net, "walk", 2, 1) + reaches(net, "walk", 1, 4)
    )
    assert west > 0
    assert net.notes["turn_restrictions_honoured"] == 1


def test_points_on_the_arms_of_a_crossing_heed_the_turn(tmp_path) -> None:
    net = crossing(tmp_path, "no_left_turn")
    west = gpd.GeoDataFrame(geometry=[Point(111 - 0.0005, LAT)], index=["w"], crs=4326)
    arms = gpd.GeoDataFrame(
        geometry=[Point(111, LAT + 0.0005), Point(111, LAT - 0.0005), Point(111, LAT + 0.001)],
        index=["n", "s", "end"],
        crs=4326,
    )
    _, east, _ = arms_min(net)
    round_trip = east + reaches(net, "drive", 3, 1)
    for sites, demand, direction in ((arms, west, "to_site"), (west, arms, "from_site")):
        north, south, end = (
            net.travel_times(sites, demand, mode="drive", cutoff_min=99, direction=direction)
            .to_dense()
            .ravel()
        )
        assert north == pytest.approx(south + round_trip, rel=1e-3)
        assert end > north > south
    back = net.travel_times(arms, west, mode="drive", cutoff_min=99, direction="from_site").to_dense().ravel()
    assert back[0] == pytest.approx(back[1], rel=1e-3)
    cutoff = [float(end - 1e-6)]
    shed = net.catchments(west, mode="drive", cutoffs_min=cutoff, direction="from_site", buffer_m=1)
    assert shed.geometry.iloc[0].distance(arms.geometry["n"]) < 1e-5
    shed = net.catchments(
        west, mode="drive", cutoffs_min=[float(south + 0.01)], direction="from_site", buffer_m=1
    )
    assert shed.geometry.iloc[0].distance(arms.geometry["n"]) > 1e-4
    assert shed.geometry.iloc[0].distance(arms.geometry["s"]) < 1e-5


def test_an_only_turn_closes_the_others(tmp_path) -> None:
    net = crossing(tmp_path, "only_left_turn")
    into, (_, east, north) = reaches(net, "drive", 2, 1), arms_min(net)
    assert reaches(net, "drive", 2, 4) == pytest.approx(into + north, abs=1e-9)
    assert reaches(net, "drive", 2, 3) == pytest.approx(
        into + north + reaches(net, "drive", 4, 1) + east, abs=1e-9
    )


def test_a_turn_forbidden_to_lorries_alone_is_open_to_cars(tmp_path) -> None:
    free = crossing(tmp_path, "no_left_turn", kind="restriction:hgv")
    bound = crossing(tmp_path, "no_left_turn", kind="restriction:motorcar")
    west, _, north = arms_min(free)
    # two seconds are what a crossing of residential streets costs
    assert reaches(free, "drive", 2, 4) == pytest.approx(west + north + 2 / 60, rel=1e-6)
    assert reaches(bound, "drive", 2, 4) > west + north + 0.1


@pytest.mark.parametrize(
    ("key", "value", "is_closed"),
    [
        ("restriction:vehicle", "no_left_turn", True),
        ("restriction:motorcar:conditional", "no_left_turn @ (Mo-Fr 09:00-11:00)", True),
        ("restriction:motor_vehicle:conditional", "no_left_turn @ (Mo-Fr 09:00-11:00)", True),
        ("restriction:vehicle:conditional", "no_left_turn @ (Mo-Fr 07:00-09:00, Sa 09:00-12:00)", False),
        ("restriction:conditional", "no_left_turn @ (Tu off)", False),
        ("restriction:bus", "no_left_turn", False),
        ("restriction", "no_left_turn;no_u_turn", True),
        ("restriction", "no_left_turn_on_red", False),
    ],
)
def test_a_turn_is_closed_by_whatever_key_speaks_of_cars(tmp_path, key, value, is_closed) -> None:
    free = crossing(tmp_path, "no_left_turn", kind="restriction:hgv")
    west, _, north = arms_min(free)
    ways = [([2, 1], STREET), ([1, 3], STREET), ([1, 4], STREET), ([1, 5], STREET)]
    relation = (
        "<relation id='1' version='1'><member type='way' ref='100' role='from'/><member type='node' ref='1' role='via'/>"
        f"<member type='way' ref='102' role='to'/><tag k='type' v='restriction'/><tag k='{key}' v='{value}'/></relation>"
    )
    net = roads.read_osm(extract(tmp_path, CROSS, ways, relation))
    usual = west + north + 2 / 60
    taken = reaches(net, "drive", 2, 4)
    assert taken > usual + 0.1 if is_closed else taken == pytest.approx(usual, rel=1e-6)


def test_bicycles_are_pushed_up_steps_that_are_signed_open_to_them(tmp_path) -> None:
    steps = {"highway": "steps", "bicycle": "yes"}
    net = roads.read_osm(extract(tmp_path, {1: (0, 0), 2: (1, 0)}, [([1, 2], steps)]), modes=("bike", "walk"))
    # a thousandth of a degree is 99 m: a minute and a half at 4 km/h, not 36 seconds at 10
    assert reaches(net, "bike", 1, 2) == pytest.approx(0.09924 / 4 * 60, rel=0.01)


def test_a_ferry_takes_its_duration_and_one_without_a_stated_speed(tmp_path) -> None:
    street = {"highway": "residential"}
    ferry = {"route": "ferry", "duration": "00:20", "motor_vehicle": "no"}
    path = extract(
        tmp_path,
        {1: (0, 0), 2: (1, 0), 3: (20, 0), 4: (21, 0), 5: (40, 0)},
        [([1, 2], street), ([3, 4], street), ([2, 3], ferry), ([4, 5], {"route": "ferry", "name": "老渡口"})],
    )
    net = roads.read_osm(path)
    assert reaches(net, "walk", 2, 3) == pytest.approx(20, abs=1e-9)
    assert np.isinf(reaches(net, "drive", 2, 3))
    # 19 thousandths of a degree are 1,886 m: 9.4 minutes at 12 km/h
    assert reaches(net, "walk", 4, 5) == pytest.approx(0.019 * 99_240 / 200, rel=0.01)
    assert (net.notes["ferries"], net.notes["ferries_without_duration_at_stated_speed"]) == (1, 1)
    assert net.notes["ferries_at_stated_speed_named"] == "老渡口"


def test_the_places_that_depend_on_a_ferry_without_duration_are_named(tmp_path) -> None:
    street = {"highway": "residential"}
    nodes = {i: (10 * i, 0) for i in range(5)} | {9: (15, 30)}
    ferry = {"route": "ferry", "name": "渡口"}
    # 0–1 and 2–3–4 on two banks; a ferry from 1 to 2, and a road far round from 1 to 3
    ways = [([0, 1], street), ([2, 3, 4], street), ([1, 2], ferry), ([1, 9, 3], street | {"foot": "no"})]
    net = roads.read_osm(extract(tmp_path, nodes, ways))
    people = gpd.GeoDataFrame(
        geometry=[Point(111 + e / 1000, LAT) for e in (2, 21, 38)], index=["here", "bank", "far"], crs=4326
    )
    walk = roads.ferry_dependents(net, people.loc[["here"]], people, mode="walk")
    assert walk.isna().to_dict() == {"bank": True, "far": True}
    drive = roads.ferry_dependents(net, people.loc[["here"]], people, mode="drive")
    assert list(drive.index) == ["bank", "far"]
    assert (drive > 8).all()
    no_ferry = roads.read_osm(extract(tmp_path, nodes, ways[:2]))
    assert roads.ferry_dependents(no_ferry, people.loc[["here"]], people, mode="walk").empty


def test_clipping_keeps_ways_that_touch_the_box_whole(tmp_path) -> None:
    street = {"highway": "residential"}
    path = extract(
        tmp_path,
        {1: (0, 0), 2: (8, 0), 3: (30, 0), 4: (60, 0)},
        [([1, 2], street), ([2, 3], street), ([3, 4], street)],
    )
    area = shapely.box(111.0, 26.999, 111.002, 27.001)
    net = roads.read_osm(path, modes=("drive",), area=area, buffer_m=1000)
    # 1 km is about 10 thousandths of a degree: the way 2–3 begins inside, 3–4 lies outside
    assert sorted(net.node_ids.tolist()) == [1, 3]


def test_what_is_no_extract_is_refused(tmp_path) -> None:
    with pytest.raises(MissingFileError):
        roads.read_osm(tmp_path / "nothing.osm.pbf")
    (tmp_path / "broken.osm.pbf").write_bytes(b"this is not a PBF file at all")
    with pytest.raises(UnreadableFileError, match="damaged"):
        roads.read_osm(tmp_path / "broken.osm.pbf")
    (tmp_path / "table.csv").write_text("a,b")
    with pytest.raises(InputError, match=r"\.osm\.pbf"):
        roads.read_osm(tmp_path / "table.csv")
    with pytest.raises(IncompleteNetworkError, match="no road for drive"):
        roads.read_osm(
            extract(tmp_path, {1: (0, 0), 2: (1, 0)}, [([1, 2], {"highway": "footway"})]), modes=("drive",)
        )
    with pytest.raises(UnknownModeError, match="'fly'"):
        roads.read_osm(tmp_path / "broken.osm.pbf", modes=("fly",))


def test_a_real_extract_cut_short_is_refused(tmp_path, shared_data) -> None:
    whole = (shared_data / "roads" / "liechtenstein-2021.osm.pbf").read_bytes()
    (tmp_path / "half.osm.pbf").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFileError, match="download it again"):
        roads.read_osm(tmp_path / "half.osm.pbf")


def without(net: roads.RoadNetwork, *classes: str) -> roads.RoadNetwork:
    """Return the network with links of some classes closed."""
    shut = np.isin(net.links.highway, [net.links.classes.index(c) for c in classes if c in net.links.classes])
    minutes = {m: np.where(shut[:, None], np.inf, v) for m, v in net.links.minutes.items()}
    return roads.RoadNetwork(replace(net.parts, links=replace(net.links, minutes=minutes)))


@pytest.fixture(scope="module")
def malta(shared_data) -> roads.RoadNetwork:
    return roads.read_osm(shared_data / "roads" / "malta-2018.osm.pbf")


def test_malta_is_two_islands_that_cannot_reach_each_other(malta) -> None:
    places = {"Valletta": (14.5140, 35.8989), "Mosta": (14.4256, 35.9097), "Victoria": (14.2397, 36.0443)}
    towns = gpd.GeoDataFrame(
        geometry=[Point(*p) for p in places.values()], index=list(places), crs="EPSG:4326"
    )
    for mode in ("drive", "walk"):
        near = malta.nearest(towns.loc[["Valletta"]], towns, mode=mode)
        # a place is its own neighbour: it walks to the road and back
        walk = malta.snap(towns, mode=mode)["access_min"]["Valletta"]
        assert near["nearest_min"]["Valletta"] == pytest.approx(2 * walk, abs=1e-9)
        assert np.isfinite(near["nearest_min"]["Mosta"])
        # Gozo is reached by ferries alone
        dry = without(malta, "ferry", "ferry_at_stated_speed")
        assert np.isnan(dry.nearest(towns.loc[["Valletta"]], towns, mode=mode)["nearest_min"]["Victoria"])
    # Valletta–Mosta is about 9 km by road: a quarter to half an hour by car
    drive = malta.nearest(towns.loc[["Valletta"]], towns, mode="drive")["nearest_min"]["Mosta"]
    assert 9 < drive < 30


def test_malta_has_its_kilometres_and_its_islands_in_the_summary(malta) -> None:
    summary = malta.summary().set_index(["subject", "what"])["value"]
    # the National Statistics Office counts about 2,400 km of road; driveways and tracks come on top
    assert 2200 < summary["drive", "road_km"] < 4000
    # both islands are one part: ferries join them
    assert summary["drive", "nodes_in_largest_part"] > 23_000
    islands = (
        without(malta, "ferry", "ferry_at_stated_speed").summary().set_index(["subject", "what"])["value"]
    )
    assert islands["drive", "nodes_in_second_largest_part"] > 3000
    assert summary["notes", "turn_restrictions_honoured"] > 200


def test_malta_has_67_councils_and_its_hospitals(shared_data) -> None:
    path = shared_data / "roads" / "malta-2018.osm.pbf"
    councils = _osm.read_areas(path, admin_level=8)
    assert len(councils) == 67
    assert councils.is_valid.all()
    assert councils.crs == "EPSG:4326"
    # 316 km² of land; councils reach a little way into the harbours
    assert councils.to_crs("EPSG:32633").area.sum() / 1e6 == pytest.approx(316, rel=0.05)
    care = _osm.read_points(path, tags={"amenity": ("hospital", "nursing_home")})
    assert (care["amenity"] == "hospital").sum() == 19
    assert care.within(councils.union_all()).all()


def test_the_graph_of_a_real_country_is_the_one_networkx_walks(shared_data) -> None:
    import networkx as nx

    net = roads.read_osm(shared_data / "roads" / "liechtenstein-2021.osm.pbf", modes=("drive", "ebike"))
    for mode in net.modes:
        graph = net.to_networkx(mode=mode)
        starts = sorted(net.node_ids.tolist())[::1500]
        times = net.node_times(starts, mode=mode, cutoff_min=15).to_frame()
        for start in starts:
            lengths = nx.single_source_dijkstra_path_length(graph, start, cutoff=15, weight=f"{mode}_min")
            mine = times[times["site_id"] == start].set_index("demand_id")["minutes"]
            assert set(mine.index) == set(lengths)
            assert max(abs(mine[n] - m) for n, m in lengths.items()) <= 1e-9


def test_ways_that_lack_nodes_do_not_stop_the_reading(shared_data) -> None:
    net = roads.read_osm(shared_data / "roads" / "las-palmas-2023.osm.pbf", modes=("drive", "walk", "bike"))
    assert net.notes["vertices_the_extract_lacks"] > 0
    assert net.notes["ferries_cut_by_the_extract_left_out"] > 0
    assert np.isfinite(net.links.xy).all()
    assert net.crs == "EPSG:32628"


def test_the_shipped_sample_is_read_like_any_extract() -> None:
    from sy_coverage import _files

    net = roads.read_osm(_files.sample_folder() / "roads.osm.pbf")
    assert net.crs == "EPSG:4546"
    assert len(net.node_ids) > 5000
