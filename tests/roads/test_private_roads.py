"""Roads for the ends of trips, and bans over several ways: what may be gone, against every path tried one by one."""

from __future__ import annotations

import itertools

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
from shapely import Point

from sy_coverage import roads
from tests.roads.test_osm import LAT, extract, reaches

STREET = {"highway": "residential"}


def point(east: float, north: float) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[Point(111 + east / 1000, LAT + north / 1000)], index=["p"], crs=4326)


def drive(net, start, end) -> float:
    times = net.travel_times(point(*end), point(*start), mode="drive", cutoff_min=999).to_frame()
    return float(times["minutes"].iloc[0]) if len(times) else float("inf")


# a short cut from 2 to 5 over 8, and the long way round over 3 and 4
NODES = {1: (0, 0), 2: (2, 0), 3: (2, 6), 4: (6, 6), 5: (6, 0), 6: (8, 0), 8: (4, 0), 9: (4, 2)}


@pytest.mark.parametrize(
    "value",
    ["private", "destination", "customers", "residents", "private;destination", "delivery;destination"],
)
def test_a_private_short_cut_is_for_who_lives_there(tmp_path, value) -> None:
    private = STREET | {"motor_vehicle": value}
    ways = [
        ([1, 2], STREET),
        ([2, 3, 4, 5], STREET),
        ([5, 6], STREET),
        ([2, 8, 5], private),
        ([8, 9], private),
    ]
    net = roads.read_osm(extract(tmp_path, NODES, ways), modes=("drive",))
    free = roads.read_osm(extract(tmp_path, NODES, [(r, STREET) for r, _ in ways]), modes=("drive",))
    apart = roads.read_osm(extract(tmp_path, NODES, ways[:3]), modes=("drive",))
    # who passes takes the long way
    assert reaches(net, "drive", 1, 6) == pytest.approx(reaches(apart, "drive", 1, 6), rel=1e-9)
    assert reaches(free, "drive", 1, 6) < reaches(net, "drive", 1, 6) - 1
    # who lives in it is reached from both sides, and reaches both
    for end in ((4, 2), (4, 1), (3, 0), (4, 0)):
        for other in ((0, 0), (8, 0), (6, 3)):
            there, back = drive(net, other, end), drive(net, end, other)
            assert there == pytest.approx(drive(free, other, end), abs=0.2)
            assert back == pytest.approx(drive(free, end, other), abs=0.2)
    # and neighbours reach each other within
    assert drive(net, (3, 0), (4, 2)) == pytest.approx(drive(free, (3, 0), (4, 2)), abs=0.2)
    assert net.notes["roads_open_to_who_begins_or_ends_there"] == 2
    assert net.summary().set_index(["subject", "what"])["value"]["drive", "strongly_connected_parts"] == 1


def test_two_private_roads_one_after_the_other_are_no_way_through(tmp_path) -> None:
    nodes = {1: (0, 0), 2: (2, 0), 3: (4, 0), 4: (6, 0), 5: (4, 3), 6: (2, 8), 7: (6, 8)}
    private = STREET | {"access": "private"}
    ways = [([1, 2], STREET), ([2, 3], private), ([3, 4], private), ([3, 5], STREET), ([2, 6, 7, 4], STREET)]
    net = roads.read_osm(extract(tmp_path, nodes, ways), modes=("drive",))
    around = sum(
        reaches(net, "drive", a, b)
        for a, b in ((2, 6), (6, 7), (7, 4))
        if {a, b} <= set(net.node_ids.tolist())
    )
    assert reaches(net, "drive", 2, 4) >= around
    assert reaches(net, "drive", 1, 3) < 2
    # the yard at 5 lies behind private roads on both sides: nobody passes them, whoever lives there does
    assert drive(net, (4, 0), (0, 0)) < 3


def test_the_graph_with_private_roads_and_bans_is_the_one_networkx_walks(tmp_path) -> None:
    rng = np.random.default_rng(3)
    side = range(6)
    nodes = {10 * i + j + 1: (i, j) for i in side for j in side}
    kinds = [STREET, STREET, STREET | {"access": "private"}, STREET | {"access": "destination"}]
    ways = []
    for i, j in itertools.product(side, side):
        here = 10 * i + j + 1
        ahead = ([here + 10] if i < 5 else []) + ([here + 1] if j < 5 else [])
        ways += [([here, there], kinds[rng.integers(4)]) for there in ahead]
    net = roads.read_osm(extract(tmp_path, nodes, ways), modes=("drive",))
    graph = net.to_networkx(mode="drive")
    for start in net.node_ids.tolist():
        lengths = nx.single_source_dijkstra_path_length(graph, start, weight="drive_min")
        mine = (
            net.node_times([start], mode="drive", cutoff_min=1e4).to_frame().set_index("demand_id")["minutes"]
        )
        mine.index = mine.index.astype(str)
        assert set(mine.index) == {str(n) for n in lengths}
        assert max(abs(mine[str(n)] - m) for n, m in lengths.items()) <= 1e-9
    # by brute force: a path may be private at its beginning and at its end, not between two public roads
    minutes, private = _plain(net)
    for start in net.node_ids.tolist()[::5]:
        expected = _walked(minutes, private, start)
        for end, least in expected.items():
            assert reaches(net, "drive", start, end) == pytest.approx(least, abs=1e-9), (start, end)


def _plain(net) -> tuple[dict, set]:
    ids = net.node_ids.tolist()
    shut = set(net.parts.ends_only["drive"].tolist())
    # public streets that private ones alone join to the largest part of the public ones are as private
    open_to_all = nx.Graph(
        (a, b)
        for k, (a, b) in enumerate(zip(net.links.tail.tolist(), net.links.head.tolist(), strict=True))
        if k not in shut
    )
    outside = max(
        nx.connected_components(open_to_all), key=lambda part: open_to_all.subgraph(part).number_of_edges()
    )
    shut |= {k for k, a in enumerate(net.links.tail.tolist()) if a not in outside}
    minutes, private = {}, set()
    for k, (a, b) in enumerate(zip(net.links.tail.tolist(), net.links.head.tolist(), strict=True)):
        for u, v, m in ((a, b, net.links.minutes["drive"][k, 0]), (b, a, net.links.minutes["drive"][k, 1])):
            minutes[ids[u], ids[v]] = m
            if k in shut:
                private.add((ids[u], ids[v]))
    return minutes, private


def _walked(minutes: dict, private: set, start: int) -> dict[int, float]:
    """Return the least minutes to every node in three stages: private, public, private; the first only from inside."""
    graph = nx.DiGraph()
    public = {n for e in minutes if e not in private for n in e}
    for (u, v), m in minutes.items():
        if (u, v) in private:
            graph.add_edge(("end", u), ("end", v), m=m)
            if u in public:
                graph.add_edge(("on", u), ("end", v), m=m)
            if u not in public:
                graph.add_edge(("begin", u), ("begin", v) if v not in public else ("on", v), m=m)
        else:
            graph.add_edge(("on", u), ("on", v), m=m)
    first = ("on" if start in public else "begin", start)
    # once in a private road by its end, the next public node is where the trip ends
    for node in public:
        for _, after in list(graph.out_edges(("end", node))) if ("end", node) in graph else []:
            graph.remove_edge(("end", node), after)
    found: dict[int, float] = {}
    for (_, node), m in nx.single_source_dijkstra_path_length(graph, first, weight="m").items():
        found[node] = min(m, found.get(node, np.inf))
    return found


@pytest.mark.parametrize(
    ("word", "free"),
    [("no_u_turn", False), ("no_left_turn", False), ("only_straight_on", True), ("no_u_turn_on_red", True)],
)
def test_a_ban_over_a_way_is_honoured_to_the_letter(tmp_path, word, free) -> None:
    # two carriageways joined by a short way from 2 to 5: 1-2-3 going east, 4-5-6 going west
    nodes = {1: (-3, 0), 2: (0, 0), 3: (3, 0), 4: (3, 0.3), 5: (0, 0.3), 6: (-3, 0.3), 7: (0, 3), 8: (0, -3)}
    one = STREET | {"oneway": "yes"}
    ways = [
        ([1, 2], one),
        ([2, 3], one),
        ([4, 5], one),
        ([5, 6], one),
        ([2, 5], STREET),
        ([5, 7], STREET),
        ([8, 2], STREET),
    ]
    members = "<member type='way' ref='100' role='from'/><member type='way' ref='104' role='via'/><member type='way' ref='{}' role='to'/>"
    target = 105 if word.startswith("only") else 103
    relation = f"<relation id='1' version='1'>{members.format(target)}<tag k='type' v='restriction'/><tag k='restriction' v='{word}'/></relation>"
    net = roads.read_osm(extract(tmp_path, nodes, ways, relation), modes=("drive",))
    bare = roads.read_osm(extract(tmp_path, nodes, ways), modes=("drive",))
    before = reaches(bare, "drive", 1, 6)
    banned = word in ("no_u_turn", "no_left_turn", "only_straight_on")
    # round at the end of the northern arm is the only other way: 600 m and more
    assert (reaches(net, "drive", 1, 6) > before + 1) == banned
    # straight over to the north, and from the south to the west, nothing has changed
    for start, end in ((1, 7), (8, 6), (8, 7), (4, 6)):
        assert reaches(net, "drive", start, end) == pytest.approx(
            reaches(bare, "drive", start, end), abs=1e-9
        )
    assert net.notes["turn_restrictions_over_ways_honoured"] == banned
    assert free or banned


@pytest.mark.parametrize(
    ("tags", "bound"),
    [
        ("<tag k='hour_on' v='07:00'/><tag k='hour_off' v='09:00'/>", False),
        (
            "<tag k='hour_on' v='07:00'/><tag k='hour_off' v='19:00'/><tag k='day_on' v='Monday'/><tag k='day_off' v='Friday'/>",
            True,
        ),
        (
            "<tag k='hour_on' v='07:00'/><tag k='hour_off' v='19:00'/><tag k='day_on' v='Saturday'/><tag k='day_off' v='Sunday'/>",
            False,
        ),
        ("<tag k='except' v='bus;motorcar'/>", False),
        ("", True),
    ],
)
def test_a_ban_of_some_hours_holds_at_the_hour_that_counts_or_not_at_all(tmp_path, tags, bound) -> None:
    nodes = {1: (0, 0), 2: (-1, 0), 3: (1, 0), 4: (0, 1)}
    ways = [([2, 1], STREET), ([1, 3], STREET), ([1, 4], STREET)]
    relation = (
        "<relation id='1' version='1'><member type='way' ref='100' role='from'/><member type='node' ref='1' role='via'/>"
        f"<member type='way' ref='102' role='to'/><tag k='type' v='restriction'/><tag k='restriction' v='no_left_turn'/>{tags}</relation>"
    )
    net = roads.read_osm(extract(tmp_path, nodes, ways, relation), modes=("drive",))
    bare = roads.read_osm(extract(tmp_path, nodes, ways), modes=("drive",))
    assert (reaches(net, "drive", 2, 4) > reaches(bare, "drive", 2, 4) + 0.1) == bound


@pytest.mark.parametrize(
    ("members", "tags", "note"),
    [
        (
            "<member type='way' ref='100' role='from'/><member type='way' ref='102' role='to'/>",
            "no_left_turn",
            "without_via_not_honoured",
        ),
        (
            "<member type='node' ref='1' role='via'/><member type='way' ref='102' role='to'/>",
            "no_left_turn",
            "incomplete_not_honoured",
        ),
        ("", "stop", "of_a_kind_that_closes_nothing"),
        ("", "no_left_turn' /><tag k='except' v='motorcar", ""),
    ],
)
def test_what_is_not_honoured_is_counted_apart(tmp_path, members, tags, note) -> None:
    nodes = {1: (0, 0), 2: (-1, 0), 3: (1, 0), 4: (0, 1)}
    members = members or (
        "<member type='way' ref='100' role='from'/><member type='node' ref='1' role='via'/><member type='way' ref='102' role='to'/>"
    )
    relation = f"<relation id='1' version='1'>{members}<tag k='type' v='restriction'/><tag k='restriction' v='{tags}'/></relation>"
    net = roads.read_osm(
        extract(tmp_path, nodes, [([2, 1], STREET), ([1, 3], STREET), ([1, 4], STREET)], relation),
        modes=("drive",),
    )
    said = {k: v for k, v in net.notes.items() if k.startswith("turn_restrictions")}
    assert said == ({f"turn_restrictions_{note}": 1} if note else {})
