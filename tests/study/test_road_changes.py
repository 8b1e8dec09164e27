"""`[roads] changes`: a study with roads that would be new, closed or slower."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point, box

import sy_coverage as sy
from sy_coverage import roads
from sy_coverage.errors import FrameError
from sy_coverage.outputs import reports, tables
from tests import toy


def with_changes(folder, rows: list[dict], shapes: list) -> sy.study.Study:
    frame = gpd.GeoDataFrame(rows, geometry=shapes, crs=toy.CRS).to_crs(4326)
    frame.to_file(folder / "changes.geojson", driver="GeoJSON")
    return sy.read_study(toy.write_study(folder)).but(roads={"changes": "changes.geojson"})


def test_a_flooded_road_and_a_slow_one_change_the_minutes_of_a_study(tmp_path) -> None:
    before = sy.read_study(toy.write_study(tmp_path)).centre_times.nearest_minutes()
    study = with_changes(tmp_path, [{"change": "慢行", "factor": 2.0}], [toy.at(20)])
    after = study.centre_times.nearest_minutes()
    known = before.notna() & after.notna()
    assert (after[known] >= before[known] - 1e-6).all()
    assert (after[known] > before[known] + 1).any()
    flooded = with_changes(tmp_path, [{"change": "close"}], [box(*toy.at(9.4).buffer(200).bounds)]).network
    assert np.isinf(flooded.links.minutes["drive"]).any()


def test_a_layer_of_changes_is_read_row_by_row_or_refused(tmp_path) -> None:
    shapes = [toy.at(20), LineString([toy.at(1), toy.at(2)]), Point(toy.EAST, toy.NORTH)]
    rows = [{"change": "close"}, {"change": "新建", "speed_kph": 40}, {"change": "slow", "factor": "3"}]
    gpd.GeoDataFrame(rows, geometry=shapes, crs=toy.CRS).to_file(tmp_path / "a.gpkg")
    read = roads.read_changes(tmp_path / "a.gpkg")
    assert {kind: len(part) for kind, part in read.items()} == {"add": 1, "close": 1, "slow": 1}
    assert read["slow"]["factor"].tolist() == [3.0]
    assert read["add"]["speed_kph"].tolist() == [40.0]
    gpd.GeoDataFrame([{"change": "mend"}], geometry=shapes[:1], crs=toy.CRS).to_file(tmp_path / "b.gpkg")
    with pytest.raises(FrameError, match="add, close or slow, not mend"):
        roads.read_changes(tmp_path / "b.gpkg")


# The toy's road is one link of 50 km. A flood at km 16.5 parts it: A, B, C keep their way to S1 (km 5), D … H have none to it, and
# to c25 (km 25) they go as before.
def test_a_flood_closes_a_road_where_it_lies_and_leaves_the_rest_of_it_open(tmp_path) -> None:
    dry = sy.read_study(toy.write_study(tmp_path)).times["service_centre"].to_frame()
    flood = [{"change": "淹没", "name": "大水桥"}]
    study = with_changes(tmp_path, flood, [toy.at(16.5).buffer(250)])
    wet = study.times["service_centre"].to_frame()
    way = dry.set_index(["demand_id", "site_id"])["minutes"]
    after = wet.set_index(["demand_id", "site_id"])["minutes"]
    west = {"A", "B", "C", "S1", "c15"}
    assert {pair for pair in way.index if (pair[0] in west) == (pair[1] in west)} == set(after.index)
    np.testing.assert_allclose(after, way.loc[after.index], rtol=1e-6)
    found = study.findings
    assert found.notices == ("本结果按改动后的道路测算：中断 1 处（大水桥）。",)
    assert found.road_changes["change"].to_list() == ["close"]
    page = study.map().html()
    assert "change-close" in page
    assert "中断道路" in page
    assert tables.layers(found)["road_changes"]["name"].to_list() == ["大水桥"]
    assert "大水桥" in reports.proposal_html(found.of_county(toy.COUNTY))


def test_a_bridge_that_is_a_point_is_out_and_the_road_beside_it_is_not(tmp_path) -> None:
    study = with_changes(tmp_path, [{"change": "close"}], [toy.at(10)])
    reached = study.centre_times.to_frame()["demand_id"].to_list()
    assert reached == ["A", "B"]
    slow = with_changes(tmp_path, [{"change": "slow", "factor": 2.0}], [toy.at(10).buffer(1000)])
    before, after = (
        s.centre_times.nearest_minutes() for s in (sy.read_study(toy.write_study(tmp_path)), slow)
    )
    assert after["A"] == pytest.approx(before["A"])
    # of the way from C to S1 two kilometres lie within a kilometre of the place: they take twice as long
    assert after["C"] - before["C"] == pytest.approx(2 * before["C"] / 7 / 1.25, rel=0.05)
