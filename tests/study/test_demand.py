"""A study's elders may come from villages, a raster, settled areas or a census, and be carried to its year."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pytest
from shapely import box

from sy_coverage import read_study
from sy_coverage.errors import ConfigError
from tests import toy
from tests.places.test_census import UNITS as CENSUS
from tests.places.test_cohorts import TABLE as COHORTS
from tests.study.test_cli import sy

VILLAGES = 'villages = "villages.csv"\ncoordinate_system = "wgs84"'


@pytest.fixture
def with_demand(tmp_path):
    """Return a function that gives the toy study with another `[demand]`."""
    path = toy.write_study(tmp_path)
    original = path.read_text(encoding="utf-8")
    (tmp_path / "census.csv").write_text(CENSUS, encoding="utf-8")
    (tmp_path / "cohorts.csv").write_text(COHORTS, encoding="utf-8")

    def study(section):
        path.write_text(original.replace(VILLAGES, section), encoding="utf-8")
        return read_study(path)

    return study


def test_a_census_decides_over_the_villages_own_numbers_and_alone_makes_units_points(with_demand):
    study = with_demand(VILLAGES + '\ncensus = "census.csv"')
    assert study.demand["elders"].tolist() == [401, 200, 100, 299, 151, 150, 200, 100]
    assert study.coverage["elders"].tolist() == [601, 399, 301, 300]
    alone = with_demand('census = "census.csv"')
    assert alone.demand.index.tolist() == list(toy.UNITS)
    assert alone.demand["elders"].tolist() == [601, 399, 301, 300]
    assert "units_as_points" in alone.reports["demand"]["what_id"].tolist()


def test_growth_and_cohorts_carry_the_numbers_to_the_study_s_year(with_demand):
    grown = with_demand(VILLAGES + "\nyear = 2025\ngrowth = 0.1")  # the study is of 2027: 1.21
    assert grown.demand["elders"].sum() == pytest.approx(1936)
    cohorts = with_demand(VILLAGES + '\nyear = 2022\ncohorts = "cohorts.csv"')
    assert cohorts.demand["elders"].sum() == pytest.approx(1600 * 353 / 250)
    later = with_demand(VILLAGES + "\nyear = 2030\ngrowth = 0.1")
    with pytest.raises(ConfigError, match="2030 is later than the study's date"):
        _ = later.demand


def test_settled_areas_carry_a_census_by_area(with_demand, tmp_path):
    gpd.GeoDataFrame(
        {"n": [1, 2, 3, 4, 5]},
        geometry=[box(toy.EAST + x, toy.NORTH, toy.EAST + x + w, toy.NORTH + 1000)
                  for x, w in ((1000, 1000), (4000, 3000), (12_000, 500), (22_000, 500), (33_000, 500))],
        crs=toy.CRS,
    ).to_file(tmp_path / "settled.gpkg")  # fmt: skip
    study = with_demand('settled = "settled.gpkg"\ncensus = "census.csv"')
    # 601 by 1 : 3
    assert study.demand["elders"].tolist() == [150, 451, 399, 301, 300]


def test_a_unit_in_which_no_settled_area_lies_has_its_census_at_one_point_and_that_is_said(
    with_demand, tmp_path
):
    gpd.GeoDataFrame(
        {"n": [1, 2, 3]},
        geometry=[
            box(toy.EAST + x, toy.NORTH, toy.EAST + x + 500, toy.NORTH + 500) for x in (1000, 12_000, 33_000)
        ],
        crs=toy.CRS,
    ).to_file(tmp_path / "settled.gpkg")
    study = with_demand('settled = "settled.gpkg"\ncensus = "census.csv"')
    # 601, 399 and 300 where somebody settled; 301 in the third unit, where no area is
    assert study.demand["elders"].to_dict() == {
        "990100001-1": 601, "990100100-1": 399, "990100200-1": 300, "990100101": 301,
    }  # fmt: skip
    report = study.reports["demand"]
    assert report[report["what_id"] == "units_as_points"][["file", "value"]].to_numpy().tolist() == [
        ["census.csv", "1"]
    ]


def test_a_raster_walks_through_check_and_the_whole_run_and_its_sums_stay(with_demand, tmp_path):
    pytest.importorskip("rasterio", reason="needs the extra raster")
    from tests.places.test_settlement import write_raster

    cells = np.zeros((10, 40))
    for km, elders in toy.VILLAGES.values():
        cells[4, km] = 4 * elders
    write_raster(tmp_path / "worldpop.tif", cells)
    study = with_demand('raster = "worldpop.tif"\nshares = { elders = 0.25, elders_80 = 0.05 }')
    assert study.demand["elders"].tolist() == [float(e) for _, e in toy.VILLAGES.values()]
    assert study.demand["elders_80"].sum() == pytest.approx(320)
    assert study.coverage["elders"].tolist() == [600, 400, 300, 300]
    checked = sy("check", tmp_path / "study.toml")
    assert checked.returncode == 0, checked.stdout
    assert "8 个人口点，60 岁及以上老年人 1,600 人" in checked.stdout
    assert "村（社区）" not in checked.stdout
    done = sy("run", tmp_path / "study.toml", "--workers", "1")
    assert done.returncode == 0, done.stderr
    written = gpd.read_file(tmp_path / "out" / "coverage.gpkg", layer="demand")
    assert written["elders"].sum() == 1600
    # points without a name are not called villages
    proposal = (tmp_path / "out" / "proposals" / f"{toy.COUNTY}.html").read_text(encoding="utf-8")
    assert "人口点8个" in proposal
    assert not re.search(r"村（社区）[0-9]+个|[0-9]+个村（社区）", proposal)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("", "give villages, a raster, settled areas or a census"),
        ('villages = "a"\nraster = "b"', "one of villages, raster and settled, not villages and raster"),
        ('raster = "b"', "shares = { elders = 0.2 }"),
        ('settled = "b"', "give a census besides"),
        ('villages = "a"\nshares = { elders = 0.2 }', "shares belong to a raster"),
        ('raster = "b"\nshares = { elders = 20 }', "less than or equal to 1"),
        ('villages = "a"\ngrowth = 0.03', "year = 2020"),
        ('villages = "a"\nyear = 2020\ngrowth = 0.03\ncohorts = "c"', "a growth or a cohort table"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_sentence(with_demand, section, words):
    with pytest.raises(ConfigError, match=words.replace("{", r"\{")):
        with_demand(section)


def test_a_census_by_county_alone_says_what_is_needed_besides(with_demand, tmp_path):
    (tmp_path / "census.csv").write_text("县,60+\n试验县,1000\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="give villages, a raster or settled areas"):
        _ = with_demand('census = "census.csv"').demand
