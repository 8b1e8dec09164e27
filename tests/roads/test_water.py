"""Water of an extract is what a map draws beneath: lakes, reservoirs, wide rivers, and rivers as lines."""

import geopandas as gpd
import pytest
from shapely import Point

from sy_coverage.roads import read_water

LAKE = """<osm version="0.6">
 <node id="1" lat="27.00" lon="111.00"/><node id="2" lat="27.00" lon="111.01"/><node id="3" lat="27.01" lon="111.01"/>
 <node id="4" lat="27.01" lon="111.00"/><node id="5" lat="27.30" lon="111.30"/><node id="6" lat="27.31" lon="111.30"/>
 <way id="7"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/><tag k="natural" v="water"/></way>
 <way id="8"><nd ref="1"/><nd ref="3"/><tag k="waterway" v="river"/></way>
 <way id="9"><nd ref="2"/><nd ref="4"/><tag k="waterway" v="stream"/></way>
 <way id="10"><nd ref="5"/><nd ref="6"/><nd ref="99"/><tag k="waterway" v="canal"/></way>
 <way id="11"><nd ref="1"/><nd ref="3"/><nd ref="2"/><nd ref="4"/><nd ref="1"/><tag k="landuse" v="reservoir"/></way>
 <way id="12"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="yes"/></way>
</osm>"""


@pytest.fixture
def extract(tmp_path):
    path = tmp_path / "water.osm"
    path.write_text(LAKE, encoding="utf-8")
    return path


def test_lakes_are_areas_and_rivers_lines_and_streams_are_left_out(extract):
    water = read_water(extract)
    # w11 crosses itself, w9 is a stream, w12 a building; of w10 the file does not hold every node
    assert water["water"].to_dict() == {"w7": "area", "w8": "line", "w10": "line"}
    assert water.geometry["w7"].area == pytest.approx(0.0001)
    assert len(water.geometry["w10"].coords) == 2


def test_only_water_near_the_area_is_read(extract):
    near = gpd.GeoDataFrame(geometry=[Point(111, 27).buffer(0.05)], crs="EPSG:4326")
    assert list(read_water(extract, area=near).index) == ["w7", "w8"]


def test_the_rhine_runs_along_liechtenstein(shared_data):
    water = read_water(shared_data / "roads" / "liechtenstein-2021.osm.pbf")
    # beside Vaduz the Rhine is about a hundred metres wide and passes 9.507 E, 47.140 N
    metric = water.to_crs(32632)
    vaduz = metric.distance(gpd.GeoSeries([Point(9.507, 47.14)], crs=4326).to_crs(32632).iloc[0])
    assert vaduz[metric["water"] == "area"].min() < 100
    assert vaduz[metric["water"] == "line"].min() < 150
