"""The folder that two county bureaus hand over is read as it is: every row accounted for, every guess asked about, all answered once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import openpyxl
import pytest

import sy_coverage as sy
from sy_coverage import places
from sy_coverage._files import sample_folder
from sy_coverage.study.results.lists import to_verify

SHARED = Path(os.environ.get("SY_COVERAGE_TEST_DATA", "../shared/data")).resolve().parent / "cases" / "bureau"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the bureau's folder is not here")
STUDY = """
[study]
name = "两县"
date = 2027-12-31
[boundaries]
units = "两县乡镇界线.geojson"
coordinate_system = "cgcs2000"
[facilities]
files = ["隆回县养老机构台账.xlsx", "武冈市养老设施.csv"]
[candidates]
files = ["隆回县备选点.xlsx", "武冈备选点.xls"]
generate = 3
[demand]
villages = "{villages}"
coordinate_system = "wgs84"
[roads]
source = "roads.osm.pbf"
[geocoding]
sources = ["gazetteer"]
accept = ["village", "town"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bureau") / "bureau"
    shutil.copytree(SHARED, folder)
    shutil.copy(sample_folder() / "roads.osm.pbf", folder)
    (folder / "study.toml").write_text(STUDY.format(villages="分村老年人口.xlsx"), encoding="utf-8")
    return folder


def test_every_row_of_every_list_is_accounted_for(folder):
    # counted by hand: 13 institutions and 10 stations; 10 facilities; 53 premises; 887 villages
    ledger = places.read_facilities(folder / "隆回县养老机构台账.xlsx")
    assert len(ledger) == 13 + 10
    assert ledger.index.is_unique
    assert len(places.read_facilities(folder / "武冈市养老设施.csv")) == 10
    assert len(places.read_candidates(folder / "隆回县备选点.xlsx")) == 53
    for name in ("分村老年人口.xlsx", "分村老年人口_无坐标.xlsx"):
        villages = places.read_demand(folder / name, coordinate_system="wgs84")
        assert len(villages) == 887
        assert villages["elders"].sum() == 337_167


def test_a_list_says_the_same_in_every_format(folder):
    lists = [places.read_candidates(folder / f"武冈备选点.{ending}") for ending in ("xls", "et", "docx")]
    for other in lists[1:]:
        for column in ("name", "kind", "cost", "unit_named", "premises"):
            assert other[column].tolist() == lists[0][column].tolist()
    together = places.read_candidates([folder / f"武冈备选点.{ending}" for ending in ("xls", "et", "docx")])
    assert len(together) == 3 * len(lists[0])
    assert together.index.is_unique


def test_what_the_rows_say_is_understood(folder):
    rows = sy.read_study(folder / "study.toml").facility_rows.set_index("name")
    assert rows.loc["隆回县社会福利院", ["beds", "nursing_beds", "coordinate_system"]].tolist() == [
        260,
        120,
        "gcj02",
    ]
    assert rows.loc["羊古坳乡敬老院", "status"] == "closed"
    assert rows.loc["荷香桥镇综合养老服务中心", "status"] == "planned"
    assert rows.loc["荷香桥镇综合养老服务中心", "opens_on"].date().isoformat() == "2026-09-30"
    assert rows.loc["水西门街道养老服务综合体", ["kind", "status"]].tolist() == ["service_centre", "planned"]
    assert rows.loc["大甸乡敬老院", "status"] == "closed"
    assert rows.loc["武冈市失智老人照护中心", "kind"] == "dementia_unit"


def test_all_doubts_are_answered_in_the_workbook_and_none_is_left(folder):
    study = sy.read_study(folder / "study.toml")
    asked = set(study.open_doubts["kind"])
    assert {"cost_unknown", "kind_assumed", "kind_from_name", "status_in_cell", "unit_likely"} <= asked
    path = to_verify.write(study.answers, folder / "out")
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for n in range(2, sheet.max_row + 1):
        sheet.cell(n, columns["确认"]).value = "是"
    book.save(folder / "待核实.xlsx")
    second = sy.read_study(folder / "study.toml")
    assert len(second.open_doubts) == 0
    units = second.facility_rows.set_index("name")["unit_id"].map(second.units["name"])
    for name, unit in {
        "六都寨区域性中心敬老院": "六都寨镇",
        "高坪镇敬老院": "高平镇",
        "龙溪铺敬老院": "龙溪镇",
        "隆回县社会福利院": "花门街道",
        "七江乡敬老院": "七江镇",
    }.items():
        assert units[name] == unit


def test_villages_without_points_are_placed_and_asked_about(folder):
    (folder / "names.toml").write_text(STUDY.format(villages="分村老年人口_无坐标.xlsx"), encoding="utf-8")
    study = sy.read_study(folder / "names.toml").but(answers={"file": ""}, study={"output": "elsewhere"})
    assert study.demand.geometry.notna().all()
    assert study.demand["elders"].sum() == 337_167
