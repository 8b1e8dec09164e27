"""Boundary files: declared systems, validity, overlaps, gaps, codes and names."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
from shapely import MultiPolygon, Polygon, box

from sy_coverage.errors import FrameError, GeometryError, MissingCRSError
from sy_coverage.places import from_wgs84, read_units
from tests import toy

CRS = toy.CRS
E, N = toy.EAST, toy.NORTH


def layer(shapes, **columns):
    """Return units of county 990100 with the `shapes`, coded 990100001, 990100002, …"""
    count = len(shapes)
    data = {
        "unit_id": [f"99010000{i + 1}" for i in range(count)],
        "name": [f"{'甲乙丙丁戊'[i]}镇" for i in range(count)],
        "county": ["试验县"] * count,
    } | columns
    return gpd.GeoDataFrame(data, geometry=shapes, crs=CRS)


def square(i, width=1000.0, *, left=0.0):
    return box(E + i * 1000 + left, N, E + i * 1000 + width, N + 1000)


def write(folder, frame, name="units.gpkg"):
    path = folder / name
    frame.to_file(path)
    return path


def said(units, what_id):
    report = units.attrs["report"]
    return report[report["what_id"] == what_id]


def test_units_come_in_degrees_sorted_by_id_with_kind_and_county_from_names_and_codes(tmp_path):
    frame = layer([square(2), square(0), square(1)], unit_id=["990100003", "990100001", "990100002"])
    frame["name"] = ["丙乡", "城东街道", "国有林场"]
    units = read_units(write(tmp_path, frame))
    assert list(units.index) == ["990100001", "990100002", "990100003"]
    assert units.crs == "EPSG:4326"
    assert units["kind"].tolist() == ["street", "other", "township"]
    assert set(units["county_id"]) == {"990100"}
    assert units["county"].tolist() == ["试验县"] * 3
    assert units["boundary_quality"].tolist() == ["official"] * 3
    area = units.to_crs(CRS).area
    assert np.allclose(area, 1_000_000, rtol=1e-6)
    assert said(units, "unit_kind_from_name")["value"].item() == "3"


@pytest.mark.parametrize(
    ("written", "unit_id"),
    [("990100001", "990100001"), ("990100001000", "990100001"), ("９９０１００００１", "990100001")],
)
def test_codes_of_nine_and_twelve_digits_mean_the_same_unit(tmp_path, written, unit_id):
    assert list(read_units(write(tmp_path, layer([square(0)], unit_id=[written]))).index) == [unit_id]


def test_numeric_codes_stay_whole_text(tmp_path):
    units = read_units(write(tmp_path, layer([square(0)], unit_id=[990100001.0])))
    assert list(units.index) == ["990100001"]


def test_geojson_declared_as_gcj02_is_converted_vertex_by_vertex(tmp_path):
    true = layer([square(0), square(1)]).to_crs("EPSG:4326")
    rings = [list(p.exterior.coords) for p in true.geometry]
    moved = [Polygon([tuple(map(float, from_wgs84(x, y, "gcj02"))) for x, y in ring]) for ring in rings]
    path = tmp_path / "amap.geojson"
    true.set_geometry(gpd.GeoSeries(moved, crs="EPSG:4326")).to_file(path)
    undeclared, declared = read_units(path), read_units(path, coordinate_system="gcj02")
    metric = true.to_crs(CRS).set_axis(["990100001", "990100002"]).geometry
    # read as WGS84 the units are off by more than half a kilometre; declared, by less than a centimetre
    assert metric.centroid.distance(undeclared.to_crs(CRS).centroid).min() > 500
    assert metric.hausdorff_distance(declared.to_crs(CRS).geometry).max() < 0.02
    assert said(declared, "vertices_converted")["subject"].item() == "gcj02"


def test_converted_amap_counties_agree_with_the_published_conversion(shared_data):
    folder = shared_data / "shaoyang"
    columns = {"unit_id": "adcode", "name": "name", "county_id": "adcode", "county": "name"}
    read = read_units(
        folder / "counties_amap_gcj02.geojson", coordinate_system="gcj02", invalid="repair", columns=columns
    )
    theirs = gpd.read_file(folder / "counties_amap_wgs84.geojson").set_index("adcode").sort_index()
    apart = read.to_crs(CRS).geometry.hausdorff_distance(theirs.to_crs(CRS).geometry, align=True)
    assert len(read) == 12
    assert apart.max() < 1.0


def test_row_10_a_layer_without_a_system_stops_and_says_how_to_declare_it(tmp_path):
    path = write(tmp_path, layer([square(0)]).to_crs("EPSG:4490"), "units.shp")
    path.with_suffix(".prj").unlink()
    with pytest.raises(MissingCRSError, match='coordinate_system = "cgcs2000"'):
        read_units(path)
    units = read_units(path, coordinate_system="cgcs2000")
    assert units.crs == "EPSG:4326"


def test_metres_with_a_zone_number_and_no_prj_are_read_when_declared_cgcs2000(tmp_path):
    # EPSG:4525 is zone 37, whose eastings begin with 37
    path = write(tmp_path, layer([square(0)]).to_crs("EPSG:4525"), "units.shp")
    path.with_suffix(".prj").unlink()
    units = read_units(path, coordinate_system="cgcs2000")
    assert units.to_crs(CRS).geometry.iloc[0].hausdorff_distance(square(0)) < 0.01


def test_shapefile_attributes_in_gb18030_without_a_cpg_are_read_right(tmp_path):
    path = tmp_path / "街道.shp"
    frame = layer([square(0)]).rename(columns={"name": "名称", "unit_id": "代码"})
    frame.to_file(path, encoding="gb18030")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    units = read_units(path)
    assert units["name"].item() == "甲镇"
    assert said(units, "encoding")["value"].item() == "gb18030"


BOW_TIE = Polygon([(E, N), (E + 1000, N + 1000), (E + 1000, N), (E, N + 1000)])
SPIKE = Polygon([(E, N), (E + 1000, N), (E, N)])


def test_row_23_a_bow_tie_stops_or_is_repaired_or_skipped_and_both_are_counted(tmp_path):
    path = write(tmp_path, layer([BOW_TIE, square(2)]))
    with pytest.raises(GeometryError, match=r"990100001 \(Self-intersection.*repair"):
        read_units(path)
    repaired = read_units(path, invalid="repair")
    # two triangles of a quarter of the square each
    assert repaired.to_crs(CRS).area.iloc[0] == pytest.approx(500_000, rel=1e-6)
    assert len(said(repaired, "unit_repaired")) == 1
    skipped = read_units(path, invalid="skip")
    assert list(skipped.index) == ["990100002"]
    assert len(said(skipped, "unit_skipped")) == 1


def test_row_24_a_spike_without_area_cannot_be_repaired_and_is_named(tmp_path):
    with pytest.raises(GeometryError, match="990100001 cannot be repaired"):
        read_units(write(tmp_path, layer([SPIKE, square(2)])), invalid="repair")


def test_row_25_a_unit_without_a_boundary_stops_whatever_the_policy(tmp_path):
    path = write(tmp_path, layer([square(0), None]))
    for policy in ("stop", "repair", "skip"):
        with pytest.raises(GeometryError, match="without a boundary: 990100002"):
            read_units(path, invalid=policy)


def test_row_26_a_real_overlap_stops_and_on_repair_goes_to_the_lowest_id(tmp_path):
    path = write(tmp_path, layer([square(0), square(1, left=-100)]))
    with pytest.raises(GeometryError, match="990100001 and 990100002"):
        read_units(path)
    units = read_units(path, invalid="repair").to_crs(CRS)
    assert units.area.tolist() == pytest.approx([1_000_000, 1_000_000], rel=1e-5)
    assert units.geometry.iloc[0].intersection(units.geometry.iloc[1]).area < 1
    assert len(said(units, "overlap_repaired")) == 1


def test_row_26_a_sliver_is_resolved_and_counted_without_being_asked(tmp_path):
    # 0.5 m wide, 0.05 % of a unit
    units = read_units(write(tmp_path, layer([square(0), square(1, left=-0.5)])))
    resolved = said(units, "slivers_resolved")
    assert resolved["value"].item() == "1"
    assert float(resolved["subject"].item()) == pytest.approx(500, rel=0.01)
    metric = units.to_crs(CRS).geometry
    assert metric.iloc[0].intersection(metric.iloc[1]).area < 0.1


def test_row_26_gaps_between_units_are_measured_and_reported(tmp_path):
    ring = box(E, N, E + 3000, N + 3000) - box(E + 1000, N + 1000, E + 2000, N + 2000)
    gaps = said(read_units(write(tmp_path, layer([ring]))), "gaps_found")
    assert gaps["value"].item() == "1"
    assert float(gaps["subject"].item()) == pytest.approx(1.0, rel=1e-3)


def test_a_unit_of_several_parts_is_one_unit(tmp_path):
    shape = MultiPolygon([square(0), square(3)])
    assert read_units(write(tmp_path, layer([shape]))).to_crs(CRS).area.item() == pytest.approx(2e6, rel=1e-6)


def test_order_of_features_changes_nothing_but_the_report(tmp_path):
    frame = layer([square(0), square(1, left=-0.5), square(2)])
    one = read_units(write(tmp_path, frame, "a.gpkg"))
    two = read_units(write(tmp_path, frame.iloc[::-1], "b.gpkg"))
    assert one.to_json() == two.to_json()


def test_all_that_is_wrong_with_units_is_said_at_once(tmp_path):
    frame = layer([square(0), square(1), square(2)], unit_id=["x", "990100002", "990100002"])
    frame.loc[1, "name"] = None
    with pytest.raises(FrameError) as caught:
        read_units(write(tmp_path, frame))
    for part in ("code tells no county: units.gpkg row 1", "(name) is empty", "more than once: 990100002"):
        assert part.replace("(name)", "'name'") in str(caught.value)


def test_swapped_axes_in_degrees_are_refused(tmp_path):
    west, south, east, north = 111.0, 27.0, 111.1, 27.1
    ring = [[south, west], [north, west], [north, east], [south, east], [south, west]]
    feature = {
        "type": "Feature",
        "properties": {"code": "990100001", "name": "甲镇"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    path = tmp_path / "x.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    with pytest.raises(GeometryError, match="axes look swapped"):
        read_units(path)


def test_administrative_areas_of_openstreetmap_are_units_at_the_level_chosen(shared_data):
    units = read_units(shared_data / "roads" / "liechtenstein-2021.osm.pbf", admin_level=8, invalid="repair")
    # the eleven municipalities; Liechtenstein has 160.5 km²
    assert {"Vaduz", "Balzers", "Triesen", "Schaan", "Planken", "Ruggell"} <= set(units["name"])
    assert len(units) == 11
    assert units.to_crs(units.estimate_utm_crs()).area.sum() / 1e6 == pytest.approx(160.5, abs=1.0)
    assert set(units["kind"]) == {"township"}
    with pytest.raises(FrameError, match="no whole area of admin_level 3"):
        read_units(shared_data / "roads" / "liechtenstein-2021.osm.pbf", admin_level=3)


def test_names_keep_their_spaces_unless_they_are_chinese(tmp_path):
    frame = layer([square(0), square(1)], name=["Água Longa", "城东 街道"])
    assert read_units(write(tmp_path, frame))["name"].tolist() == ["Água Longa", "城东街道"]


def test_the_code_decides_the_class_where_the_name_tells_none(tmp_path):
    # 地区 of Beijing have the codes of streets; a forest farm is neither, whatever its code
    frame = layer(
        [square(0), square(1), square(2)],
        unit_id=["110105041", "110105241", "110105042"],
        name=["某地区", "某某地区", "国有林场"],
    )
    units = read_units(write(tmp_path, frame))
    assert units.set_index("name")["kind"].to_dict() == {
        "某地区": "street",
        "某某地区": "township",
        "国有林场": "other",
    }
