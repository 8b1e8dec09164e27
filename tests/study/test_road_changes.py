"""`[roads] changes`: a study with roads that would be new, closed or slower."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point, box

import sy_coverage as sy
from sy_coverage import roads
from sy_coverage.errors import FrameError
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
