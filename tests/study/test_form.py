"""A folder with nothing but the filled workbook, boundaries and roads is a study."""

from __future__ import annotations

import openpyxl
import pytest

import sy_coverage as sy
from sy_coverage.errors import ConfigError
from sy_coverage.study.config.new import new_study
from tests import toy


@pytest.fixture
def folder(tmp_path):
    new_study(tmp_path / "new")
    toy.write_study(tmp_path)
    book = openpyxl.load_workbook(tmp_path / "new" / "填报表.xlsx")
    for name, rows in {
        "设施": [["", "城东街道综合养老服务中心", "综合养老服务中心", "试验县", "城东街道"]],
        "备选点": [["", "甲镇小学", "综合养老服务中心", "试验县", "甲镇", "", "闲置校舍", 80]],
        "村（社区）": [["", "试验县", "甲镇", "甲村", 100], ["", "试验县", "城东街道", "东社区", 300]],
    }.items():
        for row in rows:
            book[name].append(row)
    asked = book["政策"]
    for row in asked.iter_rows():
        if row[0].value == "county_regional_home":
            row[2].value = "3"
        if row[0].value == "street_centre_coverage":
            row[2].value = "50%"
        if row[0].value == "urban_demo_sites":
            row[0].value = None
    folder = tmp_path / "office"
    folder.mkdir()
    book.save(folder / "填报表.xlsx")
    for name in ("units.gpkg", next(p.name for p in tmp_path.glob("*.osm*"))):
        (folder / name).write_bytes((tmp_path / name).read_bytes())
    return folder


def test_a_folder_with_the_workbook_boundaries_and_roads_is_a_study(folder):
    study = sy.read_study(folder)
    assert study.facilities["name"].tolist() == ["城东街道综合养老服务中心"]
    assert study.listed_candidates["cost"].tolist() == [80.0]
    assert study.demand["elders"].tolist() == [100.0, 300.0]
    assert study.demand["unit_id"].tolist() == ["990100100", "990100001"]


def test_the_sheet_of_the_policy_holds_another_citys_targets(folder):
    targets = {target.id: target for target in sy.read_study(folder).policy.targets}
    assert targets["county_regional_home"].value == 3
    assert targets["street_centre_coverage"].value == 0.5
    assert "urban_demo_sites" not in targets


def test_what_is_missing_beside_the_workbook_is_named(folder):
    (folder / "units.gpkg").unlink()
    with pytest.raises(ConfigError, match=r"boundaries \(.gpkg"):
        sy.read_study(folder)
