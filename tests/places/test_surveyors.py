"""Surveyors' files: shapefiles with GB18030 attributes and no projection file, Gauss–Kruger metres in every guise."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

from sy_coverage.errors import CoordinateSystemError, GeometryError, MissingCRSError
from sy_coverage.places import from_wgs84, read_facilities, read_units
from tests import toy


def shapefile(folder, frame, *, declared):
    """Write a shapefile as offices hand it over: GB18030, no .cpg, and a .prj only where `declared`."""
    path = folder / "乡镇.shp"
    frame.to_file(path, encoding="gb18030")
    path.with_suffix(".cpg").unlink()
    if not declared:
        path.with_suffix(".prj").unlink()
    return path


@pytest.fixture
def metres():
    """Return the toy units as a bureau's layer, in metres of EPSG:4546, no zone number."""
    frame = toy.units().reset_index().rename(columns={"unit_id": "XZQDM", "name": "XZQMC"})
    return frame[["XZQDM", "XZQMC", "county", "geometry"]].to_crs(toy.CRS)


def km_of(units):
    """Return the km of the middle of each unit along the toy road."""
    return ((units.geometry.to_crs(toy.CRS).centroid.x - toy.EAST) / 1000).round(3).tolist()


def moved(frame, change):
    return frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), change))


@pytest.mark.parametrize("zone", [37, 19])
@pytest.mark.parametrize("swapped", [False, True])
def test_row_82_boundaries_in_zoned_metres_without_a_projection_file_are_read_when_declared(
    tmp_path, metres, zone, swapped
):
    zoned = moved(metres, lambda v: (v + np.array([zone * 1e6, 0]))[:, :: -1 if swapped else 1])
    path = shapefile(tmp_path, zoned, declared=False)
    with pytest.raises(MissingCRSError, match='say which one, for example coordinate_system = "cgcs2000"'):
        read_units(path)
    units = read_units(path, coordinate_system="cgcs2000")
    assert units["name"].tolist() == ["城东街道", "甲镇", "乙镇", "丙乡"]
    assert km_of(units) == [5, 15, 25, 35]
    report = units.attrs["report"].set_index("what_id")
    assert report.loc["encoding", "value"] == "gb18030"
    assert report.loc["metres_read", "subject"] == "cgcs2000"


def test_boundaries_in_metres_without_zone_say_how_to_declare_the_projection(tmp_path, metres):
    path = shapefile(tmp_path, metres, declared=False)
    with pytest.raises(CoordinateSystemError, match=r"no zone number; .* coordinate_system = .EPSG:4546."):
        read_units(path, coordinate_system="cgcs2000")
    assert km_of(read_units(path, coordinate_system="EPSG:4546")) == [5, 15, 25, 35]
    with pytest.raises(CoordinateSystemError, match="no such EPSG code"):
        read_units(path, coordinate_system="epsg:999999")
    with pytest.raises(GeometryError, match="no degrees of longitude and latitude"):
        read_units(path, coordinate_system="wgs84")


def test_a_projection_file_is_believed_and_said(tmp_path, metres):
    units = read_units(shapefile(tmp_path, metres, declared=True))
    assert km_of(units) == [5, 15, 25, 35]
    assert "CM 111E" in units.attrs["report"].set_index("what_id").loc["system_from_file", "value"]


def test_points_in_metres_without_zone_take_the_meridian_that_puts_them_into_the_units(tmp_path):
    homes = toy.facilities().sort_index().reset_index()[["name", "kind", "geometry"]].to_crs(toy.CRS)
    path = shapefile(tmp_path, homes, declared=False)
    read = read_facilities(path, coordinate_system="cgcs2000", units=toy.units())
    assert ((read.geometry.to_crs(toy.CRS).x - toy.EAST) / 1000).round(3).tolist() == [6, 5, 15]
    assert read.attrs["report"].set_index("what_id").loc["metres_read", "value"] == "111"
    with pytest.raises(CoordinateSystemError, match="no zone number"):
        read_facilities(path, coordinate_system="cgcs2000")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_geojson_is_read_in_any_of_the_encodings_offices_use(tmp_path, encoding):
    text = json.dumps(json.loads(toy.units().reset_index().to_json()), ensure_ascii=False)
    (tmp_path / "u.geojson").write_bytes(text.encode(encoding))
    units = read_units(tmp_path / "u.geojson")
    assert units["name"].tolist() == ["城东街道", "甲镇", "乙镇", "丙乡"]
    if encoding != "utf-8-sig":
        assert units.attrs["report"].set_index("what_id").loc["encoding", "value"] == encoding


def table(folder, rows):
    text = "机构名称,类型,经度,纬度,所在镇（街道）\n" + "".join(
        f"院{n},敬老院,{x},{y},{u}\n" for n, (x, y, u) in enumerate(rows)
    )
    (folder / "a.csv").write_text(text, encoding="utf-8")
    return folder / "a.csv"


def spots(system, **km):
    """Return (lon, lat, unit) in `system` of points at `km` along the road, 4.5 km north of it."""
    points = gpd.GeoSeries(
        [shapely.Point(toy.EAST + k * 1000, toy.NORTH + 4500) for k in km.values()], crs=toy.CRS
    )
    degrees = points.to_crs("EPSG:4326")
    lon, lat = from_wgs84(degrees.x.to_numpy(), degrees.y.to_numpy(), system)
    return list(zip(np.round(lon, 6), np.round(lat, 6), km, strict=True))


@pytest.mark.parametrize("system", ["wgs84", "gcj02", "bd09"])
def test_an_undeclared_system_is_guessed_where_points_lie_near_borders(tmp_path, system):
    # 300 m from a border on either side: only in the right system does every row lie in the unit it names
    near = spots(system, 城东街道=9.7, 甲镇=10.3) + spots(system, 乙镇=29.7, 丙乡=30.3)
    with pytest.raises(CoordinateSystemError, match=rf"{system} fits best.*{system} 4 of 4, 0 m off"):
        read_facilities(table(tmp_path, near), units=toy.units(), strict=True)


def test_where_the_rows_do_not_tell_the_refusal_says_so_and_swapped_columns_are_seen(tmp_path):
    inside = spots("gcj02", 甲镇=15, 丙乡=35)
    inside = [(x, y - 0.03, unit) for x, y, unit in inside]
    with pytest.raises(CoordinateSystemError, match="rows do not tell: gcj02, wgs84, bd09 fit them equally"):
        read_facilities(table(tmp_path, inside), units=toy.units(), strict=True)
    with pytest.raises(CoordinateSystemError, match="longitude and latitude look swapped"):
        read_facilities(
            table(tmp_path, [(y, x, unit) for x, y, unit in inside]), units=toy.units(), strict=True
        )
