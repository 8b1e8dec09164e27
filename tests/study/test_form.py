"""A folder with nothing but the filled workbook, boundaries and roads is a study."""

from __future__ import annotations

import openpyxl
import pytest

import sy_coverage as sy
from sy_coverage.errors import CannotWriteError, ConfigError
from sy_coverage.study.config.form import refresh_form
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


def offered_units(path):
    """Return what the cells for units of each list offer, read as a spreadsheet program reads it."""
    book = openpyxl.load_workbook(path)
    found = {}
    for name in ("设施", "备选点", "村（社区）"):
        sheet = book[name]
        place = next(cell.column_letter for cell in sheet[1] if cell.value == "所属乡镇（街道）")
        rules = [one.formula1 for one in sheet.data_validations.dataValidation if f"{place}3" in one.sqref]
        assert len(rules) == 1
        first, last = rules[0].replace("lists!", "").replace("$", "").split(":")
        found[name] = [row[0].value for row in book["lists"][f"{first}:{last}"]]
    return found


def test_new_beside_boundaries_offers_their_units_and_names_the_files_and_a_run_offers_those_of_today(
    tmp_path,
):
    toy.write_study(tmp_path)
    folder = tmp_path / "office"
    folder.mkdir()
    toy.units().to_file(folder / "界线.gpkg")
    roads = next(p for p in tmp_path.glob("*.osm*"))
    (folder / roads.name).write_bytes(roads.read_bytes())
    new_study(folder)
    units = ["城东街道", "甲镇", "乙镇", "丙乡"]
    assert all(names == units for names in offered_units(folder / "填报表.xlsx").values())
    config = sy.study.read_config(folder / "study.toml")
    assert (config.boundaries.units, config.roads.source) == ("界线.gpkg", roads.name)
    # filled in, the workbook alone is read although the tables beside it are empty
    book = openpyxl.load_workbook(folder / "填报表.xlsx")
    book["设施"].append(["", "甲镇综合养老服务中心", "综合养老服务中心", "试验县", "甲镇"])
    book["村（社区）"].append(["", "试验县", "甲镇", "甲村", 100])
    book["村（社区）"].append(["", "试验县", "乙镇", "乙村", 50])
    book.save(folder / "填报表.xlsx")
    study = sy.read_study(folder)
    assert study.demand["elders"].tolist() == [100, 50]
    assert study.facilities["unit_id"].tolist() == ["990100100"]
    # nobody fills in ids: that is no doubt
    assert "id_missing" not in set(study.open_doubts["kind"])
    later = toy.units()
    later.loc["990100200", "name"] = "丙镇"
    (folder / "界线.gpkg").unlink()
    later.to_file(folder / "界线.gpkg")
    refresh_form(folder, folder / "界线.gpkg")
    assert offered_units(folder / "填报表.xlsx")["设施"] == [*units[:3], "丙镇"]
    assert sy.read_study(folder).demand["elders"].tolist() == [100, 50]
    kept = (folder / "填报表.xlsx").read_bytes()
    refresh_form(folder, folder / "界线.gpkg")
    assert (folder / "填报表.xlsx").read_bytes() == kept


def test_new_overwrites_nothing_and_begins_in_no_folder_of_something_else(tmp_path):
    (tmp_path / "notes.py").write_text("", encoding="utf-8")
    with pytest.raises(CannotWriteError, match=r"is not empty \(notes.py\)"):
        new_study(tmp_path)
    other = tmp_path / "data"
    other.mkdir()
    (other / "villages.csv").write_text("a", encoding="utf-8")
    with pytest.raises(CannotWriteError, match=r"villages\.csv is there already"):
        new_study(other)
    assert [path.name for path in other.iterdir()] == ["villages.csv"]
