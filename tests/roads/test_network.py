"""Saved networks, OSMnx graphs, catchments and the summary."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, Point, box

from sy_coverage import roads
from sy_coverage.errors import (
    ConfigError,
    CutoffError,
    FrameError,
    IncompleteNetworkError,
    InputError,
    MissingCRSError,
    MissingFileError,
    UnknownModeError,
    UnreadableFileError,
)
from sy_coverage.roads.graph.describe import travel_tables
from sy_coverage.roads.travel_modes import at_walking_speed
from tests import toy


@pytest.fixture(scope="module")
def net() -> roads.RoadNetwork:
    return roads.from_edges(toy.road_nodes(), toy.road_edges(), crs=toy.CRS)


def test_a_saved_network_comes_back_bit_by_bit(tmp_path, net) -> None:
    net.save(tmp_path / "roads.net")
    again = roads.load(tmp_path / "roads.net")
    assert again.digest == net.digest
    assert (again.crs, again.modes, dict(again.notes)) == (net.crs, net.modes, dict(net.notes))
    ask = {"mode": "drive", "cutoff_min": 15}
    one, other = (n.travel_times(toy.facilities(), toy.demand(), **ask).to_dense() for n in (net, again))
    assert one.tobytes() == other.tobytes()
    again.save(tmp_path / "twice.net")
    assert (tmp_path / "roads.net").read_bytes() == (tmp_path / "twice.net").read_bytes()


def test_text_ids_are_saved_too(tmp_path) -> None:
    nodes = pd.DataFrame({"node_id": ["路口\n一", "02"], "x": [0.0, 100.0], "y": [0.0, 0.0]})
    edges = pd.DataFrame({"u": ["02"], "v": ["路口\n一"], "drive_min": [1.0]})
    roads.from_edges(nodes, edges).save(tmp_path / "a.net")
    assert sorted(roads.load(tmp_path / "a.net").node_ids.tolist()) == ["02", "路口\n一"]


def test_every_damage_to_a_saved_network_is_found(tmp_path, net) -> None:
    net.save(tmp_path / "roads.net")
    whole = (tmp_path / "roads.net").read_bytes()
    broken = tmp_path / "broken.net"
    for at in [*range(0, len(whole), 97), len(whole) - 1]:
        broken.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(IncompleteNetworkError):
            roads.load(broken)
    for length in range(0, len(whole), 211):
        broken.write_bytes(whole[:length])
        with pytest.raises(IncompleteNetworkError):
            roads.load(broken)
    with pytest.raises(MissingFileError):
        roads.load(tmp_path / "none.net")


def test_the_graph_for_networkx_has_the_callers_ids_and_the_kernels_minutes(net) -> None:
    graph = net.to_networkx(mode="walk")
    assert set(graph.nodes) == set(range(41))
    assert graph.number_of_edges() == 80
    assert {d["walk_min"] for _, _, d in graph.edges(data=True)} == {20.0}
    assert nx.shortest_path_length(graph, 0, 40, weight="walk_min") == 800.0
    with pytest.raises(UnknownModeError):
        net.to_networkx(mode="bike")


def osmnx_like() -> nx.MultiDiGraph:
    """Return a graph as OSMnx makes it: 1 ⇄ 2 with a bend, 2 → 3 one-way and doubled, a footway 3 ⇄ 4."""
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for i, (x, y) in {1: (111.0, 27.0), 2: (111.01, 27.0), 3: (111.02, 27.0), 4: (111.03, 27.0)}.items():
        graph.add_node(i, x=x, y=y)
    bend = LineString([(111.0, 27.0), (111.005, 27.001), (111.01, 27.0)])
    graph.add_edge(1, 2, length=1100.0, highway="residential", oneway=False, geometry=bend)
    graph.add_edge(2, 1, length=1100.0, highway="residential", oneway=False, geometry=bend.reverse())
    graph.add_edge(
        2, 3, length=990.0, highway=["tertiary", "tertiary", "service"], oneway=True, maxspeed=["30", "50"]
    )
    graph.add_edge(2, 3, length=1200.0, highway="motorway", oneway=True, maxspeed="100", travel_time=60.0)
    graph.add_edge(3, 4, length=990.0, highway="footway", oneway=False)
    graph.add_edge(4, 3, length=990.0, highway="footway", oneway=False)
    return graph


def test_an_osmnx_graph_keeps_its_ids_and_reads_its_tags() -> None:
    net = roads.from_networkx(osmnx_like(), modes=("drive", "walk"))
    assert sorted(net.node_ids.tolist()) == [1, 2, 3, 4]
    drive, walk = net.to_networkx(mode="drive"), net.to_networkx(mode="walk")
    assert drive.edges[1, 2]["drive_min"] == pytest.approx(1100 * 0.06 / 25)
    assert drive.edges[2, 3]["drive_min"] == pytest.approx(1.0)  # the quicker of the two
    assert not drive.has_edge(3, 2)
    assert not drive.has_edge(3, 4)
    assert walk.edges[3, 2]["walk_min"] == pytest.approx(990 / 0.9 / 60)
    assert walk.edges[4, 3]["walk_min"] == pytest.approx(990 / 0.9 / 60)
    bends = net.lines().geometry.count_coordinates()
    assert bends.tolist().count(3) == 1


def test_a_junction_of_an_osmnx_graph_costs_its_delay_where_a_speed_makes_the_minutes() -> None:
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    places = {1: (111.0, 27.0), 2: (111.01, 27.0), 3: (111.02, 27.0), 4: (111.01, 27.01)}
    for i, (x, y) in places.items():
        graph.add_node(i, x=x, y=y)
    for u, v in ((1, 2), (2, 1), (2, 3), (3, 2), (2, 4), (4, 2)):
        graph.add_edge(u, v, length=1000.0, highway="secondary")
    graph.edges[3, 2, 0]["travel_time"] = 60.0
    drive = roads.from_networkx(graph, modes=("drive",)).to_networkx(mode="drive")
    # 1.2 minutes at 50 km/h and 5 seconds where three roads meet; what the graph itself says stays as it is
    assert drive.edges[1, 2]["drive_min"] == pytest.approx(1.2 + 5 / 60)
    assert drive.edges[2, 1]["drive_min"] == pytest.approx(1.2)
    assert drive.edges[3, 2]["drive_min"] == pytest.approx(1.0)


def test_graphml_of_osmnx_reads_the_same(tmp_path) -> None:
    import osmnx as ox

    graph = osmnx_like()
    ox.save_graphml(graph, tmp_path / "g.graphml")
    net = roads.read_osm(tmp_path / "g.graphml", modes=("drive", "walk"))
    assert net.digest == roads.from_networkx(graph, modes=("drive", "walk")).digest


LISTS = {
    "highway": ["residential", "residential", "service"], "maxspeed": ["20", "50"], "surface": ["asphalt", "mud"],
    "access": ["yes", "no"], "oneway": [True, False], "lanes": ["1", "2"], "name": ["O'Neill's Road", "老路"], "width": ["3", "4.5"],
}  # fmt: skip


@pytest.mark.parametrize("key", sorted(LISTS))
def test_a_list_of_tags_is_read_alike_from_a_graph_a_file_and_networkx_itself(tmp_path, key) -> None:
    import osmnx as ox

    graph = osmnx_like()
    graph.edges[1, 2, 0][key] = LISTS[key]
    ox.save_graphml(graph, tmp_path / "g.graphml")
    modes = ("drive", "walk", "bike")
    direct = roads.from_networkx(graph, modes=modes)
    file = roads.read_osm(tmp_path / "g.graphml", modes=modes)
    theirs = roads.from_networkx(nx.read_graphml(tmp_path / "g.graphml", node_type=int), modes=modes)
    assert file.digest == direct.digest
    assert theirs.digest == direct.digest
    text = roads.from_networkx(nx.read_graphml(tmp_path / "g.graphml"), modes=modes)
    assert sorted(map(str, text.node_ids)) == ["1", "2", "3", "4"]
    for mode in modes:
        assert np.array_equal(text.links.minutes[mode], direct.links.minutes[mode])


def test_the_shared_graphml_of_trunk_roads_is_read(shared_data) -> None:
    net = roads.read_osm(shared_data / "shaoyang" / "trunk_roads_z7.graphml", modes=("drive",))
    assert len(net.node_ids) == 1662
    assert net.crs == "EPSG:4546"


def test_a_graph_that_cannot_be_routed_is_refused() -> None:
    graph = osmnx_like()
    with pytest.raises(InputError, match="directed"):
        roads.from_networkx(graph.to_undirected())
    nowhere = osmnx_like()
    del nowhere.graph["crs"]
    with pytest.raises(MissingCRSError, match="crs"):
        roads.from_networkx(nowhere)
    with pytest.raises(IncompleteNetworkError):
        roads.from_networkx(nx.MultiDiGraph(crs="EPSG:4326"))
    short = osmnx_like()
    del short.edges[1, 2, 0]["length"]
    with pytest.raises(FrameError, match="1→2"):
        roads.from_networkx(short)


@pytest.mark.parametrize(
    "text",
    [
        "<?xml version='1.0'?><!DOCTYPE g [<!ENTITY a 'x'>]><graphml>&a;</graphml>",
        "<?xml version='1.0'?><!DOCTYPE g [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><graphml>&a;</graphml>",
        "<html/>",
        "no xml",
    ],
)
def test_graphml_with_entities_or_of_another_kind_is_refused(tmp_path, text) -> None:
    (tmp_path / "g.graphml").write_text(text)
    with pytest.raises(UnreadableFileError):
        roads.read_osm(tmp_path / "g.graphml")


ENTITIES = [
    "<!ENTITY a 'x'>",
    "<!ENTITY a SYSTEM 'file:///etc/hostname'>",
    "<!ENTITY b 'x'><!ENTITY a '&b;&b;&b;'>",
]


@pytest.mark.parametrize("entities", ENTITIES)
def test_a_good_graphml_is_refused_for_nothing_but_the_entities_it_defines(tmp_path, entities) -> None:
    import osmnx as ox

    path = tmp_path / "g.graphml"
    ox.save_graphml(osmnx_like(), path)
    assert len(roads.read_osm(path).node_ids) > 0
    declaration, rest = path.read_text(encoding="utf-8").split("?>", 1)
    path.write_text(f"{declaration}?><!DOCTYPE graphml [{entities}]>{rest}", encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="Forbidden"):
        roads.read_osm(path)


@pytest.mark.parametrize("entities", ENTITIES)
def test_an_osm_file_with_entities_is_refused(tmp_path, entities) -> None:
    path = tmp_path / "g.osm"
    path.write_text(toy.roads_xml(), encoding="utf-8")
    assert len(roads.read_osm(path).node_ids) > 0
    declaration, rest = toy.roads_xml().split("?>", 1)
    path.write_text(f"{declaration}?><!DOCTYPE osm [{entities}]>{rest}", encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=r"[Ee]ntit"):
        roads.read_osm(path)


def test_lines_are_drawn_in_degrees_with_their_class() -> None:
    edges = toy.road_edges().assign(highway="primary")
    lines = roads.from_edges(toy.road_nodes(), edges, crs=toy.CRS).lines()
    assert lines.crs == "EPSG:4326"
    assert len(lines) == 40
    assert set(lines["highway"]) == {"primary"}
    assert lines["length_m"].sum() == 50_000
    with pytest.raises(MissingCRSError):
        roads.from_edges(toy.road_nodes(), toy.road_edges()).lines()


def test_the_summary_counts_parts_that_cannot_reach_each_other() -> None:
    # 0 ⇄ 1 → 2 ⇄ 3 ⇄ 4: who crosses to 2 never comes back
    nodes = pd.DataFrame({"node_id": range(5), "x": [i * 100.0 for i in range(5)], "y": 0.0})
    edges = pd.DataFrame([(0, 1), (1, 0), (1, 2), (2, 3), (3, 2), (3, 4), (4, 3)], columns=["u", "v"]).assign(
        drive_min=1.0
    )
    rows = roads.from_edges(nodes, edges, crs="EPSG:4546").summary().set_index(["subject", "what"])["value"]
    assert rows["drive", "strongly_connected_parts"] == 2
    assert rows["drive", "nodes_in_largest_part"] == 3
    assert rows["drive", "nodes_in_other_parts"] == 2
    assert rows["drive", "road_km"] == 0.4


def test_catchments_are_cut_at_the_exact_minute_and_nested() -> None:
    net = roads.from_edges(*toy.straight_road(), crs=toy.CRS)
    shed = net.catchments(toy.on_straight_road(S1=5), mode="drive", cutoffs_min=(10, 2.5), buffer_m=100)
    assert shed.index.tolist() == [("S1", 2.5), ("S1", 10.0)]
    assert shed.crs == "EPSG:4326"
    metres = shed.geometry.to_crs(toy.CRS)
    # S1 at km 5: 2.5 minutes reach km 2.5 … 7.5, 10 minutes km 0 (the road's end, and what can be walked there) … 15
    for cutoff, west, east in ((2.5, 2.5, 7.5), (10.0, -0.1, 15.0)):
        shape = metres["S1", cutoff]
        assert shape.bounds[0] == pytest.approx(toy.EAST + west * 1000, abs=30)
        assert shape.bounds[2] == pytest.approx(toy.EAST + east * 1000, abs=300)
        assert shape.bounds[2] <= toy.EAST + east * 1000 + 0.01
    assert metres["S1", 10.0].buffer(1e-3).covers(metres["S1", 2.5])


def test_catchments_keep_holes_and_are_clipped_to_land() -> None:
    # a square ring of 4 × 1 km, 1 minute a side, around a lake
    nodes = pd.DataFrame({"node_id": range(4), "x": [0.0, 1000, 1000, 0], "y": [0.0, 0, 1000, 1000]})
    nodes["x"] += toy.EAST
    nodes["y"] += toy.NORTH
    ring = [(0, 1), (1, 2), (2, 3), (3, 0)]
    edges = pd.DataFrame(ring + [(v, u) for u, v in ring], columns=["u", "v"]).assign(drive_min=1.0)
    net = roads.from_edges(nodes, edges, crs=toy.CRS)
    site = gpd.GeoDataFrame(geometry=[Point(toy.EAST, toy.NORTH)], index=["s"], crs=toy.CRS)
    shed = net.catchments(site, mode="drive", cutoffs_min=[1, 2], buffer_m=100).geometry.to_crs(toy.CRS)
    assert len(shed["s", 1.0].interiors) == 0
    assert len(shed["s", 2.0].interiors) == 1
    land = gpd.GeoDataFrame(
        geometry=[box(toy.EAST, toy.NORTH, toy.EAST + 500, toy.NORTH + 5000)], crs=toy.CRS
    )
    cut = net.catchments(site, mode="drive", cutoffs_min=[2], buffer_m=100, within=land).geometry.to_crs(
        toy.CRS
    )
    assert cut.total_bounds[2] == pytest.approx(toy.EAST + 500, abs=0.01)


def test_one_way_roads_make_catchments_differ_by_direction() -> None:
    nodes = pd.DataFrame({"node_id": [0, 1], "x": [toy.EAST, toy.EAST + 1000], "y": toy.NORTH})
    edges = pd.DataFrame({"u": [0], "v": [1], "drive_min": [10.0]})
    net = roads.from_edges(nodes, edges, crs=toy.CRS)
    site = gpd.GeoDataFrame(geometry=[Point(toy.EAST + 500, toy.NORTH)], index=["s"], crs=toy.CRS)
    ask = {"mode": "drive", "cutoffs_min": [2], "buffer_m": 10}
    to = net.catchments(site, direction="to_site", **ask).geometry.to_crs(toy.CRS).total_bounds
    out = net.catchments(site, direction="from_site", **ask).geometry.to_crs(toy.CRS).total_bounds
    assert (to[0] - toy.EAST, to[2] - toy.EAST) == pytest.approx((300, 500), abs=20)
    assert (out[0] - toy.EAST, out[2] - toy.EAST) == pytest.approx((500, 700), abs=20)


def test_catchments_of_a_real_town_hold_what_is_reached_and_little_else(shared_data) -> None:
    net = roads.read_osm(shared_data / "roads" / "liechtenstein-2021.osm.pbf", modes=("walk",))
    vaduz = gpd.GeoDataFrame(geometry=[Point(9.5209, 47.1410)], index=["Vaduz"], crs="EPSG:4326")
    shed = net.catchments(vaduz, mode="walk", cutoffs_min=(5, 10, 15)).geometry.to_crs(net.crs)
    at = gpd.GeoSeries(gpd.points_from_xy(*net.node_xy.T), index=net.node_ids.astype(str), crs=net.crs)
    points = gpd.GeoDataFrame(geometry=at)
    at = at[(net.access_legs(points, mode="walk")["note"] == "none").to_numpy()]
    times = net.travel_times(vaduz, points, mode="walk", cutoff_min=60).nearest_minutes().reindex(at.index)
    for cutoff in (5.0, 10.0, 15.0):
        inside = at.within(shed["Vaduz", cutoff])
        covered = times <= cutoff
        assert (inside & ~covered).sum() <= 0.03 * inside.sum()
        assert (covered & ~inside).sum() <= 0.04 * covered.sum()
    assert shed["Vaduz", 15.0].buffer(0.01).covers(shed["Vaduz", 10.0])
    assert shed["Vaduz", 10.0].buffer(0.01).covers(shed["Vaduz", 5.0])


def test_catchments_refuse_what_is_no_cutoff_and_name_who_is_too_far(net) -> None:
    with pytest.raises(CutoffError):
        net.catchments(toy.facilities(), mode="drive", cutoffs_min=())
    with pytest.raises(CutoffError):
        net.catchments(toy.facilities(), mode="drive", cutoffs_min=(5, -1))
    far = gpd.GeoDataFrame(geometry=[Point(toy.EAST, toy.NORTH + 5000)], index=["far"], crs=toy.CRS)
    shed = net.catchments(far, mode="drive", cutoffs_min=[5])
    assert len(shed) == 0
    assert shed.attrs["unreachable"] == ("far",)


def test_travel_modes_are_data_that_can_be_overridden() -> None:
    slow = roads.travel_mode("drive", {"speed_kph": {"track": 8}})
    assert slow.speed_kph["track"] == 8
    assert slow.speed_kph["motorway"] == roads.travel_mode("drive").speed_kph["motorway"]
    wheelchair = roads.travel_mode("wheelchair", {"speed_kph": {"footway": 2.5}, "most_kph": 2.5})
    assert wheelchair.kph("steps") is None
    with pytest.raises(ConfigError, match="speed_kmh"):
        roads.travel_mode("drive", {"speed_kmh": {"track": 8}})
    with pytest.raises(UnknownModeError):
        roads.travel_mode("zones")
    for name in ("drive", "walk", "bike", "ebike"):
        mode = roads.travel_mode(name)
        assert all(0 < kph <= mode.most_kph for kph in mode.speed_kph.values())


def test_a_network_says_what_its_minutes_were_worked_out_with_and_keeps_it(tmp_path) -> None:
    own = roads.travel_mode("walk", {"speed_kph": {"steps": 1.0}, "buffer_m": 80})
    graph = osmnx_like()
    net = roads.from_networkx(graph, modes=(own, "drive"))
    net.save(tmp_path / "g.network")
    for network in (net, roads.load(tmp_path / "g.network")):
        said = travel_tables(network.tables.values()).set_index(["mode", "what", "subject"])
        assert said.loc[("walk", "speed_kph", "steps"), ["value", "unit"]].tolist() == [1.0, "km/h"]
        assert said.loc[("walk", "slope_factor", "+10%"), "value"] == 0.705
        assert said.loc[("drive", "junction_s", "secondary"), ["value", "unit"]].tolist() == [5.0, "s"]
        assert said.loc[("drive", "service_kph", "driveway"), "value"] == 7.0
        assert "bollard" in said.loc[("drive", "barriers", ""), "value"]
    assert roads.load(tmp_path / "g.network").tables == dict(net.tables)


def test_elders_walk_as_fast_as_a_study_says() -> None:
    slow = at_walking_speed(roads.travel_mode("walk"), 0.8)
    # 0.8 m/s are 2.88 km/h
    assert slow.speed_kph["residential"] == pytest.approx(2.88)
    assert slow.most_kph == pytest.approx(2.88)
    assert slow.speed_kph["steps"] == pytest.approx(1.6 * 0.8 / 0.9)


def test_the_room_shows_its_public_names_and_a_node_has_one_name_everywhere(net) -> None:
    assert dir(roads) == sorted(roads.__all__)
    assert all(callable(getattr(roads, name)) for name in dir(roads))
    times = net.node_times([0, 40], mode="drive", cutoff_min=5)
    assert set(times.demand_ids) == set(net.to_networkx(mode="drive").nodes)
    assert times.site_ids == (0, 40)
