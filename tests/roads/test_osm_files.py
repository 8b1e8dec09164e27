"""OpenStreetMap files as editors, extracts and servers write them: in any order, with drafts, in every format."""

from __future__ import annotations

import bz2
import gzip
import random
import re
from typing import TYPE_CHECKING

import numpy as np
import osmium
import pytest
import shapely

from sy_coverage import _osm, roads
from sy_coverage.errors import UnreadableFileError
from tests.roads.test_osm import extract, reaches

if TYPE_CHECKING:
    from pathlib import Path

STREET = {"highway": "residential"}
NODES = {1: (0, 0), 2: (10, 0, {"highway": "traffic_signals"}), 3: (10, 10), 4: (0, 10), 5: (20, 0)}
WAYS = [
    ([1, 2], STREET),
    ([2, 3], STREET),
    ([3, 4], STREET),
    ([2, 5], STREET),
    ([1, 2, 3, 1], {"natural": "water"}),
]
LAKE = (
    "<relation id='7' version='1'><member type='way' ref='104' role='outer'/><tag k='type' v='multipolygon'/>"
    "<tag k='boundary' v='administrative'/><tag k='admin_level' v='8'/></relation>"
    "<relation id='8' version='1'><member type='way' ref='100' role='from'/><member type='node' ref='2' role='via'/>"
    "<member type='way' ref='103' role='to'/><tag k='type' v='restriction'/><tag k='restriction' v='no_straight_on'/></relation>"
)
AREA = shapely.box(110.9, 26.9, 111.1, 27.1)
OBJECT = re.compile(r"<(node|way|relation) .*?</\1>", re.DOTALL)


@pytest.fixture
def sorted_file(tmp_path) -> Path:
    return extract(tmp_path, NODES, WAYS, LAKE)


def rewritten(file: Path, name: str, turn) -> Path:
    text = file.read_text(encoding="utf-8")
    objects = [m[0] for m in OBJECT.finditer(text)]
    assert len(objects) == 12
    target = file.with_name(name)
    content = "<osm version='0.6'>" + "\n".join(turn(objects)) + "</osm>"
    packers = {"gz": gzip.compress, "z2": bz2.compress}
    target.write_bytes(packers.get(name[-2:], bytes)(content.encode()))
    return target


def shuffled(objects: list[str]) -> list[str]:
    objects = objects.copy()
    random.Random(4).shuffle(objects)  # noqa: S311
    return objects


def by_kind(*kinds: str):
    return lambda objects: sorted(objects, key=lambda o: kinds.index(o[1]))


@pytest.mark.parametrize("name", ["x.osm", "x.osm.gz", "x.osm.bz2"])
@pytest.mark.parametrize(
    "turn", [lambda o: o[::-1], shuffled, by_kind("w", "n", "r"), by_kind("r", "w", "n")]
)
def test_the_order_of_a_file_changes_nothing_that_is_read(sorted_file, name, turn) -> None:
    odd = rewritten(sorted_file, name, turn)
    for area in (None, AREA):
        one, other = (roads.read_osm(f, area=area, crs="EPSG:4546") for f in (sorted_file, odd))
        assert one.digest == other.digest
        assert one.notes == other.notes
        assert other.notes["turn_restrictions_honoured"] == other.notes["traffic_lights"] == 1
    for read in (
        lambda f: _osm.read_areas(f, admin_level=8),
        lambda f: _osm.read_points(f, tags={"natural": True, "highway": "traffic_signals"}),
        roads.read_water,
    ):
        assert len(read(odd)) > 0
        assert read(odd).equals(read(sorted_file))


def test_a_binary_file_whose_ways_come_first_is_read(sorted_file, tmp_path) -> None:
    for order in ("nwr", "wrn"):
        path = tmp_path / f"{order}.osm.pbf"
        objects = list(osmium.FileProcessor(str(sorted_file)))
        with osmium.SimpleWriter(str(path)) as writer:
            for kind in order:
                for item in osmium.FileProcessor(str(sorted_file)):
                    if item.type_str() == kind:
                        writer.add(item)
        assert objects
        assert roads.read_osm(path).digest == roads.read_osm(sorted_file).digest
        assert len(roads.read_water(path)) == 1


DRAFT = """<osm version='0.6' generator='JOSM'>
<node id='-1' action='modify' lat='27.0' lon='111.0'/><node id='-2' action='modify' lat='27.0' lon='111.01'/>
<way id='-3' action='modify'><nd ref='-1'/><nd ref='-2'/><nd ref='2'/><tag k='highway' v='residential'/></way>
<node id='2' version='3' lat='27.01' lon='111.01'/><node id='3' version='1' lat='27.02' lon='111.01'/>
<node id='4' version='1' lat='27.03' lon='111.01' action='delete'/>
<way id='9' version='2'><nd ref='2'/><nd ref='3'/><tag k='highway' v='tertiary'/></way>
<way id='10' version='2' action='delete'><nd ref='3'/><nd ref='-1'/><tag k='highway' v='residential'/></way>
<way id='11' version='2' visible="false"><nd ref='3'/><nd ref='-2'/><tag k='highway' v='primary'/></way>
<relation id='-5' action='modify'><member type='way' ref='-3' role='from'/><member type='node' ref='2' role='via'/>
<member type='way' ref='9' role='to'/><tag k='type' v='restriction'/><tag k='restriction' v='no_left_turn'/></relation>
</osm>"""


@pytest.mark.parametrize("area", [None, AREA])
@pytest.mark.parametrize("name", ["draft.osm", "draft.osm.gz"])
def test_a_draft_of_an_editor_is_read_with_its_new_and_without_its_deleted_roads(
    tmp_path, area, name
) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(DRAFT.encode()) if name.endswith("gz") else DRAFT.encode())
    net = roads.read_osm(path, modes=("drive", "walk"), area=area)
    assert set(net.node_ids.tolist()) == {-1, 2, 3}
    assert set(net.links.classes) == {"residential", "tertiary"}
    # 0.01° along the parallel and 0.01° along the meridian: 992 + 1,108 m
    assert reaches(net, "walk", -1, 2) == pytest.approx((992.4 + 1108.0) / 54, rel=2e-3)
    assert net.notes["turn_restrictions_honoured"] == 1
    assert net.notes["vertices_the_extract_lacks"] == 0
    assert set(_osm.read_points(path, tags={"highway": True}).index) == {"w-3", "w9"}


def test_a_draft_in_a_binary_format_is_read_too(tmp_path) -> None:
    path = tmp_path / "draft.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        writer.add_node(osmium.osm.mutable.Node(id=-1, location=(111.0, 27.0)))
        writer.add_node(osmium.osm.mutable.Node(id=2, location=(111.0, 27.01)))
        writer.add_way(osmium.osm.mutable.Way(id=-9, nodes=[-1, 2], tags=STREET))
    net = roads.read_osm(path, modes=("drive",))
    assert set(net.node_ids.tolist()) == {-1, 2}


@pytest.mark.parametrize("area", [None, AREA])
def test_missing_nodes_end_the_road_there(tmp_path, area) -> None:
    file = extract(tmp_path, NODES, WAYS[:4])
    text = re.sub(r"<node id='(?:3|5)'.*?</node>", "", file.read_text(), flags=re.DOTALL)
    file.write_text(text)
    net = roads.read_osm(file, modes=("drive",), area=area)
    assert set(net.node_ids.tolist()) == {1, 2}
    assert net.notes["vertices_the_extract_lacks"] == 3
    assert np.isfinite(net.links.xy).all()


def test_names_and_signs_with_odd_letters_come_through(tmp_path) -> None:
    ferry = {"route": "ferry", "name": "老渡口, 东=西 @1"}
    file = extract(tmp_path, {1: (0, 0), 2: (5, 0)}, [([1, 2], ferry)])
    assert roads.read_osm(file).notes["ferries_at_stated_speed_named"] == "老渡口, 东=西 @1"


@pytest.mark.parametrize(
    "content", [b"", b"<osm", b"<html></html>", b"<osm version='0.6'><way id='1'><nd ref='x'/></way></osm>"]
)
def test_what_is_no_file_of_roads_is_refused_by_every_reader(tmp_path, content) -> None:
    path = tmp_path / "x.osm"
    path.write_bytes(content)
    for read in (
        roads.read_osm,
        roads.read_water,
        lambda f: _osm.read_areas(f, admin_level=8),
        lambda f: _osm.read_points(f, tags={"a": True}),
    ):
        with pytest.raises(UnreadableFileError):
            read(path)
