"""What goes on to others: QGIS, the natural-resources bureau, phones."""

import io
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from xml.dom import minidom

import geopandas as gpd
import pytest
import shapely

from sy_coverage import _files
from sy_coverage._frames import metric_crs
from sy_coverage.outputs import tables
from sy_coverage.outputs.figures import canvas, qgis, small_map
from sy_coverage.places import to_wgs84


@pytest.fixture
def with_centres(findings):
    # each village's own centre with the plan: c15 for all that it is nearest to, S1 for the street
    nearest = ["S1" if unit == "990100001" else "c15" for unit in findings.demand["unit_id"]]
    return replace(findings, demand=findings.demand.assign(nearest_planned_id=nearest))


def test_the_geopackage_says_how_qgis_draws_each_layer_in_the_colours_of_the_map(with_centres, tmp_path):
    path = tmp_path / "coverage.gpkg"
    _files.write_layers(path, tables.layers(with_centres), styles=qgis.styles(with_centres))
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1")
        said = {name: minidom.parseString(qml) for name, qml in rows}  # noqa: S318  a file of ours
        listed = file.execute(
            "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'"
        ).fetchall()
    assert listed == [("attributes",)]
    assert set(said) == set(tables.layers(with_centres))
    units = said["units"]
    colours = {
        symbol.getAttribute("name"): next(
            p.getAttribute("v") for p in symbol.getElementsByTagName("prop") if p.getAttribute("k") == "color"
        )
        for symbol in units.getElementsByTagName("symbol")
    }
    categories = units.getElementsByTagName("category")
    drawn = {
        c.getAttribute("value"): "#"
        + "".join(f"{int(v):02x}" for v in colours[c.getAttribute("symbol")].split(",")[:3])
        for c in categories
    }
    assert drawn == {"today": canvas.TODAY, "plan": canvas.PLAN, "none": canvas.NONE, "other": canvas.OTHER}
    assert {c.getAttribute("label") for c in categories} >= {"现状已覆盖", "按规划将覆盖"}
    # a file with styles reads like any other, and twice the same is the same bytes
    assert "layer_styles" not in _files.layer_names(path)
    again = tmp_path / "again.gpkg"
    _files.write_layers(again, tables.layers(with_centres), styles=qgis.styles(with_centres))
    assert again.read_bytes() == path.read_bytes()


def test_a_line_goes_from_each_village_to_the_centre_it_would_use(with_centres):
    lines = tables.layers(with_centres)["to_centre"]
    homes = with_centres.demand.to_crs("EPSG:4326")
    assert sorted(lines.index) == sorted(homes.index)
    for demand_id, line in lines.iterrows():
        start, end = shapely.get_coordinates(line.geometry)
        centre = {**with_centres.facilities.geometry, **with_centres.proposals.geometry}[line["centre_id"]]
        assert shapely.Point(start).equals_exact(homes.geometry[demand_id], 1e-9)
        assert shapely.Point(end).equals_exact(centre, 1e-9)
        assert line["within"] == homes.loc[demand_id, "covered_planned"]
    assert "to_centre" not in tables.layers(
        replace(with_centres, demand=homes.drop(columns="nearest_planned_id"))
    )


def test_points_have_what_phones_in_china_ask_for_beside_them(findings):
    for name in ("facilities", "proposals"):
        layer = tables.layers(findings)[name]
        layer = layer[layer.geometry.notna()]
        lon, lat = to_wgs84(layer["gcj02_lon"], layer["gcj02_lat"], "gcj02")
        assert abs(lon - layer.geometry.x).max() < 2e-5
        assert abs(lat - layer.geometry.y).max() < 2e-5
        # some 500 m away, as everywhere in China
        assert (abs(layer["gcj02_lon"] - layer.geometry.x) > 1e-3).all()
    assert "经度（GCJ-02）" in str(
        tables.proposal_geojson(findings)
    ) or "gcj02_lon" in tables.proposal_geojson(findings)


def test_the_bureau_gets_shapefiles_in_cgcs2000_with_chinese_texts(findings, tmp_path):
    content = tables.cgcs2000(findings)
    assert content == tables.cgcs2000(findings)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert "2000" in archive.read("units.prj").decode()
        assert archive.read("units.cpg").decode().strip() == "UTF-8"
        archive.extractall(tmp_path)
    assert {n.rpartition(".")[0] for n in names} == {"units", "facilities", "proposals", "demand"}
    for name in ("units", "facilities", "proposals", "demand"):
        frame = gpd.read_file(tmp_path / f"{name}.shp")
        own = getattr(findings, name)
        own = own[own.geometry.notna()].sort_index().to_crs("EPSG:4326")
        assert frame.crs.to_epsg() == 4490
        assert len(frame) == len(own)
        assert frame["name"].tolist() == [n[:80] if len(n) > 80 else n for n in own["name"]]
        for written, known in zip(frame.geometry, own.geometry, strict=True):
            # CGCS2000 degrees are taken as those of WGS 84
            assert shapely.hausdorff_distance(written, known) < 1e-9


def test_a_road_that_passes_beside_a_small_map_is_not_drawn_and_spoils_nothing(findings):
    crs = metric_crs(findings.units)
    site = findings.proposals.index[0]
    at = findings.proposals.to_crs(crs).geometry[site]
    reach = small_map.REACH_M

    def drawn(*lines):
        roads = gpd.GeoDataFrame(
            {"highway": "primary"}, index=range(len(lines)), geometry=list(lines), crs=crs
        )
        return small_map.Surroundings(replace(findings, roads=roads.to_crs(4326))).png(site)

    through = shapely.LineString([(at.x - 2 * reach, at.y), (at.x + 2 * reach, at.y)])
    # its frame cuts the corner of the map, the road itself does not: at the map's west edge it is 200 m north of the corner
    beside = shapely.LineString(
        [(at.x - reach - 300, at.y + reach - 100), (at.x - reach + 100, at.y + reach + 300)]
    )
    assert drawn(beside, through) == drawn(through)
    assert drawn(shapely.LineString([(at.x, at.y - reach), (at.x, at.y + reach)])) != drawn(through)
