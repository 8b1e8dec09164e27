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


def test_row_129_units_outside_half_outside_and_without_anybody_are_named(tmp_path):
    cells = np.ones((10, 15))  # km 0 to 15: 城东街道 whole, half of 甲镇, nothing of the others
    people = read_raster(write_raster(tmp_path / "a.tif", cells), units=toy.units())
    doubts = people.attrs["doubts"].set_index("kind")
    assert doubts.loc["raster_lacks", "subject"] == "试验县乙镇、试验县丙乡"
    assert doubts.loc["raster_in_part", "subject"] == "试验县甲镇（50%）"
    cells = np.ones((10, 40))
    cells[:, 30:] = 0
    people = read_raster(write_raster(tmp_path / "b.tif", cells), units=toy.units())
    doubts = people.attrs["doubts"]
    assert doubts[["kind", "subject", "value"]].to_numpy().tolist() == [["raster_nobody", "试验县丙乡", "1"]]
    people = read_raster(write_raster(tmp_path / "c.tif", np.ones((10, 40))), units=toy.units())
    assert people.attrs["doubts"].empty


@pytest.mark.parametrize(
    ("dtype", "value", "words"),
    [
        ("uint16", 65535, "65535, the highest number"),
        ("uint8", 255, "255, the highest number"),
        ("int32", 2147483647, "2.14748e\\+09 persons"),
        ("float32", 3.4e38, "3.4e\\+38 persons"),
        ("float32", np.inf, "inf persons"),
        ("float32", -9999.0, "1 cells are negative"),
    ],
)
def test_row_129_a_value_for_no_data_that_nobody_declared_is_asked_about(tmp_path, dtype, value, words):
    cells = np.ones((10, 40))
    path = write_raster(tmp_path / "a.tif", cells)
    with rasterio.open(path) as file:
        profile = file.profile | {"dtype": dtype, "nodata": None}
    cells = cells.astype(dtype)
    cells[5, 3] = value
    with rasterio.open(tmp_path / "b.tif", "w", **profile) as file:
        file.write(cells, 1)
    with pytest.raises(InputError, match=words):
        read_raster(tmp_path / "b.tif", units=toy.units())
    people = read_raster(tmp_path / "b.tif", units=toy.units(), nodata=value)
    assert people["persons"].sum() == 399
    with rasterio.open(tmp_path / "c.tif", "w", **profile | {"nodata": value}) as file:
        file.write(cells, 1)
    assert read_raster(tmp_path / "c.tif", units=toy.units())["persons"].sum() == 399


def test_row_129_the_band_that_is_taken_is_said(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.ones((10, 40)))
    with rasterio.open(path) as file:
        profile = file.profile | {"count": 3}
    with rasterio.open(tmp_path / "b.tif", "w", **profile) as file:
        for band, persons in ((1, 1.0), (2, 2.0), (3, 5.0)):
            file.write(np.full((10, 40), persons, dtype="float32"), band)
            file.set_band_description(band, f"age {band}")
    people = read_raster(tmp_path / "b.tif", units=toy.units(), band=2)
    assert people["persons"].sum() == 800
    said = people.attrs["report"].set_index("what_id").loc["raster_band"]
    assert (said["subject"], said["value"]) == ("age 2", "2 / 3")


def test_row_129_settled_areas_that_overlap_count_once(tmp_path):
    # 1 km² each, half of the second and all of the third inside the first; the fourth only touches it
    areas = [
        box(toy.EAST + x, toy.NORTH + y, toy.EAST + x + w, toy.NORTH + y + 1000 * w / 1000)
        for x, y, w in ((1000, 0, 1000), (1500, 0, 1000), (1200, 200, 200), (1000, 1000, 1000))
    ]
    gpd.GeoDataFrame({"n": range(4)}, geometry=areas, crs=toy.CRS).to_file(tmp_path / "s.gpkg")
    settled = read_settled(tmp_path / "s.gpkg", units=toy.units())
    assert settled["settled_m2"].sum() == pytest.approx(2_500_000, rel=1e-4)
    assert len(settled) == 3
    report = settled.attrs["report"].set_index("what_id")["value"]
    assert float(report["settled_overlaps"]) == pytest.approx(0.54, abs=0.001)


def test_row_129_one_large_settled_area_is_several_points_and_what_stands_for_much_is_said(tmp_path):
    areas = [box(toy.EAST, toy.NORTH, toy.EAST + 6000, toy.NORTH + 2000)]  # 12 km²
    gpd.GeoDataFrame({"n": [1]}, geometry=areas, crs=toy.CRS).to_file(tmp_path / "s.gpkg")
    settled = read_settled(tmp_path / "s.gpkg", units=toy.units())
    assert len(settled) >= 3
    assert settled["settled_m2"].sum() == pytest.approx(12e6, rel=1e-4)
    assert settled["settled_m2"].max() <= 4e6 * 1.0001
    assert "settled_large" in set(settled.attrs["report"]["what_id"])
