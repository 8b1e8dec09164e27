"""Files are recognised by what is in them, and the study file that is drafted reads them so."""

import json

import pytest

from sy_coverage.study import read_config
from sy_coverage.study.config import materials
from sy_coverage.study.config.edit import edit_study, edited


def square(x, name):
    ring = [[x, 27], [x + 0.1, 27], [x + 0.1, 27.1], [x, 27.1], [x, 27]]
    return {
        "type": "Feature",
        "properties": {"代码": f"43052400{name}", "名称": name},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


FILES = {
    "界线.geojson": json.dumps(
        {"type": "FeatureCollection", "features": [square(111, "1"), square(111.1, "2")]}, ensure_ascii=False
    ),
    "机构.csv": "机构名称,类型,所在乡镇,床位数,状态\n甲敬老院,敬老院,1,60,运营\n乙敬老院,敬老院,2,40,运营\n",
    "备选.csv": "名称,拟建类型,所在乡镇,概算投资\n旧校舍,综合养老服务中心,1,80\n",
    "人口.csv": "村（社区）,乡镇,60岁以上,经度,纬度\n东村,1,100,111.05,27.05\n西村,2,50,111.15,27.05\n",
    "人口（无坐标）.csv": "村（社区）,乡镇,60岁以上\n东村,1,100\n西村,2,50\n",
    "路.osm.pbf": "x",
    "说明.txt": "上报日期\n2026年\n",
}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "甲县"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def roles(found):
    return {one.key: one.role for one in found}


def test_each_file_is_told_by_what_is_in_it(folder):
    found = roles(materials.materials_in(folder))
    assert found["界线.geojson"] == "boundaries"
    assert found["机构.csv"] == "facilities"
    assert found["备选.csv"] == "candidates"
    assert found["人口.csv"] == "villages"
    assert found["路.osm.pbf"] == "roads"
    assert found["说明.txt"] == "unused"


def test_the_study_file_reads_them_so_and_the_better_of_two_lists_is_taken(folder):
    taken = roles(materials.adopted(folder))
    assert taken["人口.csv"] == "villages"
    assert taken["人口（无坐标）.csv"] == "unused"
    assert materials.missing(materials.materials_taken(folder)) == []
    config = read_config(folder)
    assert config.study.name == "甲县"
    assert config.boundaries.units == "界线.geojson"
    assert config.facilities.files == ("机构.csv",)
    assert config.candidates.files == ("备选.csv",)
    assert config.demand.villages == "人口.csv"


def test_a_file_that_comes_later_changes_nothing_that_was_chosen(folder):
    materials.adopted(folder)
    materials.reassigned(folder, "备选.csv", "unused")
    (folder / "新站点.csv").write_text("站点名称,类型,所在乡镇,状态\n丙站,站点,1,运营\n", encoding="utf-8")
    taken = roles(materials.adopted(folder, ["新站点.csv"]))
    assert taken["新站点.csv"] == "facilities"
    assert taken["备选.csv"] == "unused"


def test_what_is_missing_is_named_and_the_study_file_grows_with_the_files(tmp_path):
    (tmp_path / "机构.csv").write_text(FILES["机构.csv"], encoding="utf-8")
    assert materials.missing(materials.adopted(tmp_path)) == ["boundaries", "villages", "roads"]
    (tmp_path / "路.osm.pbf").write_text("x", encoding="utf-8")
    assert materials.missing(materials.adopted(tmp_path, ["路.osm.pbf"])) == ["boundaries", "villages"]


def test_another_part_and_other_coordinates_go_into_the_study_file(folder):
    materials.adopted(folder)
    materials.reassigned(folder, "机构.csv", "facilities", coordinate_system="gcj02")
    materials.reassigned(folder, "人口（无坐标）.csv", "villages")
    config = read_config(folder)
    assert config.facilities.files[0].coordinate_system == "gcj02"
    assert config.demand.villages == "人口（无坐标）.csv"
    assert roles(materials.materials_taken(folder))["人口.csv"] == "unused"


def test_lists_that_cannot_be_told_apart_are_asked_about(tmp_path):
    (tmp_path / "表一.csv").write_text("名称,类型\n某处,站点\n", encoding="utf-8")
    one = materials.materials_in(tmp_path)[0]
    assert (one.role, one.is_sure) == ("facilities", False)


def test_a_damaged_file_says_why_and_stops_no_other(folder):
    (folder / "坏.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    found = {one.file: one for one in materials.materials_in(folder)}
    assert found["坏.xlsx"].problem
    assert found["机构.csv"].role == "facilities"


def test_comments_and_other_lines_of_a_study_file_stay():
    text = '# mine\n[study]\nname = "a"   # the name\n\n[siting]\nbudget = 5.0\n'
    again = edited(text, {"siting": {"budget": None, "rule": "access"}, "phases": {"2026": {"budget": 3.0}}})
    assert again.startswith('# mine\n[study]\nname = "a"   # the name\n')
    assert 'rule = "access"' in again
    assert "budget = 5" not in again
    assert "[phases.2026]\nbudget = 3.0" in again


def test_a_change_that_makes_no_study_is_refused_and_nothing_is_written(folder):
    materials.adopted(folder)
    before = (folder / "study.toml").read_bytes()
    with pytest.raises(ValueError, match="rule"):
        edit_study(folder, {"siting": {"rule": "whatever"}})
    assert (folder / "study.toml").read_bytes() == before
