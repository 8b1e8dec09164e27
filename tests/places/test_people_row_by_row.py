"""What one row of a census or a cohort table says wrongly is asked about; the others count."""

from __future__ import annotations

import openpyxl
import pytest

from sy_coverage import places, read_study
from sy_coverage.errors import FrameError
from sy_coverage.places.ground.names import UnitNames
from sy_coverage.study.results.lists import to_verify
from tests import toy

CENSUS = "某县2020年人口\n乡镇,60+,65+\n城东街到,601,300\n甲镇,400,200\n乙镇,约300,150\n丙乡,300,100\n东区,9,1\n甲镇,7,7\n合计,1610,757\n"


def census(folder, text, **options):
    (folder / "census.csv").write_text(text, encoding="utf-8")
    return places.read_census(folder / "census.csv", units=toy.units(), **options)


def kinds(doubts):
    return dict(zip(doubts["name"], doubts["kind"], strict=True))


def test_a_row_of_a_census_is_never_the_file_s_fate(tmp_path):
    found = census(tmp_path, CENSUS)
    # 城东街到 is a slip: suggested, not taken
    assert found.totals["elders"].to_dict() == {"990100100": 400, "990100101": 300, "990100200": 300}
    asked = found.doubts.set_index("name")
    assert asked.loc["城东街到", ["kind", "value", "suggestion"]].tolist() == [
        "census_unit_unknown",
        "601",
        "试验县城东街道",
    ]
    assert asked.loc["东区", "kind"] == "census_unit_unknown"
    assert asked.loc["甲镇", "kind"] == "census_again"
    assert set(found.doubts["kind"]) == {
        "census_unit_unknown",
        "census_again",
        "census_lacks",
        "number_about",
    }
    assert found.doubts.set_index("kind").loc["census_lacks", "subject"] == "城东街道"
    assert "total_row" in set(found.report["what_id"])
    with pytest.raises(FrameError, match=r"(?s)城东街到.*东区.*甲镇|more than once"):
        census(tmp_path, CENSUS, strict=True)


def test_the_sum_of_all_rows_is_a_total_whatever_it_is_called_and_a_city_is_no_county(tmp_path):
    text = "地区,60+\n大同市,1601\n城东街道,601\n甲镇,399\n乙镇,301\n丙乡,300\n"
    found = census(tmp_path, text)
    assert found.doubts.empty
    assert found.totals["elders"].sum() == 1601
    two = toy.units().assign(county="邵阳县")
    assert UnitNames.of(two).county("邵阳市") is None
    assert UnitNames.of(two).county("邵阳") == toy.COUNTY


def test_a_study_runs_with_such_a_census_and_the_answered_workbook_leaves_no_doubt(tmp_path):
    path = toy.write_study(tmp_path)
    (tmp_path / "census.csv").write_text(CENSUS, encoding="utf-8")
    study = read_study(path).but(demand={"census": "census.csv"})
    # villages of the unit that no row counts keep their own numbers: A 400, B 200
    assert study.demand.groupby("unit_id")["elders"].sum().tolist() == [600, 400, 300, 300]
    file = to_verify.write(study.answers, tmp_path)
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    columns = {cell.value: cell.column for cell in sheet[1]}
    said = {sheet.cell(n, columns["名称"]).value: n for n in range(2, sheet.max_row + 1)}
    assert sheet.cell(said["城东街到"], columns["清单"]).value == "人口表"
    for name, n in said.items():
        cell = sheet.cell(n, columns["不采用"] if name == "东区" else columns["确认"])
        cell.value = "是"
    book.save(file)
    second = read_study(path).but(demand={"census": "census.csv"})
    assert second.demand.groupby("unit_id")["elders"].sum().tolist() == [601, 400, 300, 300]
    assert second.open_doubts.empty


def test_a_unit_with_people_and_no_village_is_one_point_and_asked_about(tmp_path):
    path = toy.write_study(tmp_path)
    (tmp_path / "census.csv").write_text(
        "乡镇,60+\n城东街道,600\n甲镇,400\n乙镇,300\n丙乡,300\n", encoding="utf-8"
    )
    (tmp_path / "v.csv").write_text(
        "编号,名称,人口,经度,纬度,乡镇\n"
        + "".join(
            f"{i},{i}村,9,{p.x},{p.y},\n"
            for i, p, u in zip(
                toy.demand().index, toy.demand().to_crs(4326).geometry, toy.demand()["unit_id"], strict=True
            )
            if u != "990100200"
        ),
        encoding="utf-8",
    )
    study = read_study(path).but(
        demand={
            "census": "census.csv",
            "villages": "v.csv",
            "coordinate_system": "wgs84",
            "columns": {"persons": "人口"},
        }
    )
    assert study.demand.groupby("unit_id")["elders"].sum().tolist() == [600, 400, 300, 300]
    assert "census_no_place" in set(study.open_doubts["kind"])


TABLE = "年龄组,人口,存活率\n50-54岁,300,0.95\n55-59岁,200,0.9\n60-64,100,0.8\n65～69,80,0.7\n70—74,40,0.6\n75-79,20,0.5\n80岁及以上,10,0.3\n"


def cohorts(folder, text):
    (folder / "cohorts.csv").write_text(text, encoding="utf-8")
    return places.read_cohorts(folder / "cohorts.csv")


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("合计", "合计", None),
        ("80,0.7", "80,不详", "share_unread"),
        ("100,0.8", "待查,0.8", "number_unread"),
        ("60-64,100,0.8\n", "60-64,100,0.8\n60-64,100,0.8\n", "age_again"),
        ("50-54岁,300", "五十岁,300", "age_unread"),
    ],
)
def test_a_row_of_a_cohort_table_is_asked_about_and_the_table_is_used(tmp_path, old, new, kind):
    whole = cohorts(tmp_path, TABLE + "合计,750,\n")
    assert whole.attrs["doubts"].empty
    found = cohorts(tmp_path, (TABLE + "合计,750,\n").replace(old, new))
    assert set(found.attrs["doubts"]["kind"]) == ({kind} if kind else set())
    assert len(found) == 7 - (kind == "age_unread")
    # of three groups 0.8, 0.7, 0.6 the middle one is the mean of the others, and so are persons: (200 + 80) / 2
    assert found.loc[("", 65), "survival"] == pytest.approx(0.7)
    assert found.loc[("", 60), "persons"] == (140 if kind == "number_unread" else 100)


def test_percentages_are_shares_and_a_table_with_a_gap_is_not_used(tmp_path):
    found = cohorts(tmp_path, TABLE.replace("0.8", "80%").replace("0.7", "70"))
    assert found["survival"].tolist() == pytest.approx([0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3])
    gap = cohorts(tmp_path, TABLE.replace("65～69,80,0.7\n", ""))
    assert gap.empty
    assert gap.attrs["doubts"]["kind"].tolist() == ["cohorts_broken"]
    later = places.project_cohorts(toy.demand(), gap, years=5, strict=False)
    assert later["elders"].tolist() == toy.demand()["elders"].tolist()
