"""People of a raster and settled areas become points inside their units, and no person is lost or made."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely import Point, box

from sy_coverage.errors import GeometryError, InputError
from sy_coverage.places import read_raster, read_settled, unit_points
from tests import toy

rasterio = pytest.importorskip("rasterio", reason="needs the extra raster")


def write_raster(
    path, cells, *, west=toy.EAST, north=toy.NORTH + 5000, width=1000.0, crs=toy.CRS, nodata=-99999.0
):
    """Write `cells` (rows from the north) as a GeoTIFF."""
    values = np.asarray(cells, dtype="float32")
    transform = rasterio.transform.from_origin(west, north, width, width)
    shape = {"height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32"}
    with rasterio.open(
        path, "w", driver="GTiff", crs=crs, transform=transform, nodata=nodata, **shape
    ) as file:
        file.write(values, 1)
    return path


def toy_cells():
    """Return 1 km cells of the toy county: ten rows of 40, one person in each, nothing known in the first row."""
    cells = np.ones((10, 40))
    cells[0] = -99999.0
    return cells


def test_cells_go_to_the_unit_of_their_middle_and_every_sum_is_the_raster_s(tmp_path):
    cells = toy_cells()
    cells[5, 3] = 7.5  # km 3–4: 城东街道
    people = read_raster(write_raster(tmp_path / "a.tif", cells), units=toy.units(), cell_m=100_000)
    # nine rows of ten cells of 1 in each unit, and 6.5 more in the first
    assert people.groupby("unit_id")["persons"].sum().tolist() == [96.5, 90, 90, 90]
    assert people["county_id"].unique().tolist() == [toy.COUNTY]
    inside = gpd.sjoin(people, toy.units()[["geometry"]], predicate="within")
    assert (inside["unit_id_left"] == inside["unit_id_right"]).all()
    report = people.attrs["report"].set_index("what_id")
    assert report.loc["raster_read", "subject"] == "366.5"
    assert "raster_outside" not in report.index


def test_a_mesh_is_as_wide_as_asked_and_its_point_is_a_cell_near_its_people(tmp_path):
    cells = np.zeros((10, 40))
    cells[4, 0:2] = [30, 10]  # one mesh of 2 km: the middle of its people is at km 0.75, nearest cell: km 0.5
    cells[4, 2] = 5  # the next
    people = read_raster(write_raster(tmp_path / "a.tif", cells), units=toy.units(), cell_m=2000)
    assert people.index.tolist() == ["990100001-1", "990100001-2"]
    assert people["persons"].tolist() == [40, 5]
    metres = people.geometry.to_crs(toy.CRS)
    assert ((metres.x - toy.EAST) / 1000).round(3).tolist() == [0.5, 2.5]
    assert ((metres.y - toy.NORTH) / 1000).round(3).tolist() == [0.5, 0.5]


def test_a_raster_in_degrees_and_one_in_metres_count_the_same_people(tmp_path):
    """One person in every cell of 0.01°: as many as cells have their middle in a unit, counted by point in polygon."""
    west, south, east, north = toy.units().total_bounds
    shape = (int((north - south) / 0.01) + 3, int((east - west) / 0.01) + 3)
    path = write_raster(
        tmp_path / "a.tif",
        np.ones(shape),
        west=west - 0.003,
        north=north + 0.007,
        width=0.01,
        crs="EPSG:4326",
    )
    people = read_raster(path, units=toy.units())
    lon, lat = (
        west - 0.003 + 0.01 * (np.arange(shape[1]) + 0.5),
        north + 0.007 - 0.01 * (np.arange(shape[0]) + 0.5),
    )
    middles = [Point(x, y) for x in lon for y in lat]
    expected = [sum(unit.contains(m) for m in middles) for unit in toy.units().geometry]
    assert people.groupby("unit_id")["persons"].sum().tolist() == expected
    outside = people.attrs["report"].set_index("what_id").loc["raster_outside", "value"]
    assert float(outside) == pytest.approx(len(middles) - sum(expected), abs=shape[0] + shape[1])


def test_negative_cells_nobody_and_a_wrong_mesh_are_refused(tmp_path):
    cells = toy_cells()
    cells[3, 3] = -1
    with pytest.raises(InputError, match="1 cells are negative"):
        read_raster(write_raster(tmp_path / "a.tif", cells), units=toy.units())
    with pytest.raises(InputError, match="nobody lives inside the units"):
        read_raster(write_raster(tmp_path / "b.tif", np.zeros((10, 40))), units=toy.units())
    with pytest.raises(InputError, match="metres above 0"):
        read_raster(tmp_path / "b.tif", units=toy.units(), cell_m=0)


def test_settled_areas_are_cut_at_borders_and_stand_at_a_point_inside_themselves(tmp_path):
    areas = [
        box(
            toy.EAST + 9000, toy.NORTH, toy.EAST + 12_000, toy.NORTH + 1000
        ),  # 1 km² in 城东街道, 2 km² in 甲镇
        box(toy.EAST - 5000, toy.NORTH, toy.EAST - 4000, toy.NORTH + 1000),  # in no unit
    ]
    gpd.GeoDataFrame({"fid2": [1, 2]}, geometry=areas, crs=toy.CRS).to_file(tmp_path / "s.gpkg")
    settled = read_settled(tmp_path / "s.gpkg", units=toy.units())
    assert settled.index.tolist() == ["990100001-1", "990100100-1"]
    assert settled["settled_m2"].round(-3).tolist() == [1_000_000, 2_000_000]
    metres = settled.geometry.to_crs(toy.CRS)
    assert all(areas[0].contains(p) for p in metres)
    gpd.GeoDataFrame({"fid2": [2]}, geometry=areas[1:], crs=toy.CRS).to_file(tmp_path / "t.gpkg")
    with pytest.raises(GeometryError, match="no settled area lies inside"):
        read_settled(tmp_path / "t.gpkg", units=toy.units())


def test_a_unit_can_be_one_point_inside_itself():
    points = unit_points(toy.units())
    assert points.index.tolist() == list(toy.UNITS)
    assert points.geometry.within(toy.units().geometry.rename_axis(None).set_axis(points.index)).all()
