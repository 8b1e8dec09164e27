"""The loop with the office: what is asked goes out in one workbook, comes back answered, and is not asked again."""

from __future__ import annotations

import html
import io

import openpyxl
import pytest

from sy_coverage import read_study
from sy_coverage.outputs import edition, maps, reports
from sy_coverage.study.results.comparisons.both_readings import both_readings, notices
from sy_coverage.study.results.lists import to_verify
from tests import toy

LIST = """机构名称,类型,所属乡镇,床位数,备注
甲镇敬老院,敬老院,甲镇,约30,
夕阳红老年公寓,民办,甲镇,20,
乙镇敬老院,敬老院,乙镇,停用,已撤并
丙乡某某点,加工厂,丙乡,5,
"""


@pytest.fixture
def study(tmp_path):
    path = toy.write_study(tmp_path)
    (tmp_path / "台账.csv").write_text(LIST, encoding="utf-8")
    return read_study(path).but(facilities={"files": ["台账.csv"]})


def asked(study):
    book = openpyxl.load_workbook(io.BytesIO(to_verify.workbook(study.answers)))
    sheet = book.worksheets[0]
    columns = {cell.value: cell.column for cell in sheet[1]}
    rows = {
        (sheet.cell(n, columns["待核实事项"]).value, sheet.cell(n, columns["名称"]).value): n
        for n in range(2, sheet.max_row + 1)
    }
    return book, sheet, columns, rows


def test_every_row_is_accounted_for_and_what_is_not_counted_is_asked_about(study):
    assert len(study.facility_rows) == 4
    assert len(study.facilities) == 3
    _, sheet, columns, rows = asked(study)
    n = rows["类型无法识别", "丙乡某某点"]
    assert sheet.cell(n, columns["行"]).value == "5"
    assert sheet.cell(n, columns["涉及乡镇（街道）"]).value == "丙乡"
    assert sheet.cell(n, columns["涉及老年人"]).value == 300
    taken = sheet.cell(rows["类型只凭名称推定", "夕阳红老年公寓"], columns["目前按此计算"]).value
    assert taken == study.policy.kinds["nursing_home"].name["zh"]


def test_what_the_office_answers_is_applied_remembered_and_not_asked_again(study, tmp_path):
    book, sheet, columns, rows = asked(study)
    for n in rows.values():
        sheet.cell(n, columns["确认"]).value = "是"
        sheet.cell(n, columns["答复人"]).value = "李某"
    n = rows["类型无法识别", "丙乡某某点"]
    sheet.cell(n, columns["确认"]).value = None
    sheet.cell(n, columns["类型"]).value = "社区居家养老服务中心（站点）"
    n = rows["类型只凭名称推定", "夕阳红老年公寓"]
    sheet.cell(n, columns["确认"]).value = None
    sheet.cell(n, columns["不采用"]).value = "是"
    book.save(tmp_path / "待核实.xlsx")
    second = study.but(study={"output": "out2"})
    assert len(second.open_doubts) == 0
    assert "夕阳红老年公寓" not in set(second.facilities["name"])
    kinds = second.facilities.set_index("name")["kind"]
    assert kinds["丙乡某某点"] == "station"
    assert set(second.office_answers["answered_by"]) == {"李某"}
    # the next workbook holds what was answered, and given back alone it says the same
    (tmp_path / "待核实.xlsx").write_bytes(to_verify.workbook(second.answers))
    third = study.but(study={"output": "out3"})
    assert len(third.open_doubts) == 0
    assert third.facilities["kind"].tolist() == second.facilities["kind"].tolist()


def test_an_answer_that_says_nothing_is_named_and_its_doubt_stays(study, tmp_path):
    book, sheet, columns, rows = asked(study)
    for n in rows.values():
        sheet.cell(n, columns["确认"]).value = "是"
    said = {
        "类型无法识别": ("类型", "某某点位"),
        "类型只凭名称推定": ("确认", "也许"),
        "状态写在其他栏内": ("改为", "看情况"),
    }
    for (kind, _), n in rows.items():
        if kind in said:
            sheet.cell(n, columns["确认"]).value = None
            sheet.cell(n, columns[said[kind][0]]).value = said[kind][1]
    book.save(tmp_path / "答复.xlsx")
    second = study.but(answers={"file": "答复.xlsx"})
    assert sorted(second.open_doubts["kind"]) == ["kind_from_name", "kind_unknown", "status_unread"]
    report = second.answers.memory.reports["answers"]
    assert report[["what_id", "subject", "value"]].to_numpy().tolist() == [["answer_unread", "确认", "也许"]]


def test_a_confirmed_unit_is_taken_for_facilities_and_villages(tmp_path):
    path = toy.write_study(tmp_path)
    (tmp_path / "台账.csv").write_text("名称,类型,所属乡镇\n某某敬老院,敬老院,城东街到\n", encoding="utf-8")
    (tmp_path / "村.csv").write_text(
        "名称,乡镇,60岁以上\n甲村,城东街到,120\n乙村,甲镇,80\n", encoding="utf-8"
    )
    study = read_study(path).but(
        facilities={"files": ["台账.csv"]},
        demand={"villages": "村.csv", "coordinate_system": None, "columns": {}},
    )
    assert study.demand["unit_id"].tolist() == [None, "990100100"]
    book, sheet, columns, rows = asked(study)
    assert {name for kind, name in rows if kind == "街道（乡镇）名称疑有误"} == {"某某敬老院", "甲村"}
    for n in rows.values():
        sheet.cell(n, columns["确认"]).value = "是"
    book.save(tmp_path / "待核实.xlsx")
    second = study.but(study={"output": "out2"})
    assert second.open_doubts.empty
    assert second.facility_rows["unit_id"].tolist() == ["990100001"]
    assert second.demand["unit_id"].tolist() == ["990100001", "990100100"]


@pytest.fixture
def doubtful(tmp_path):
    """S1 of the toy has a kind; 甲镇, one of three townships, has a centre that only its name tells, 丙乡 something of no kind."""
    path = toy.write_study(tmp_path)
    text = "机构名称,类型,所属乡镇,经度,纬度\n甲镇综合养老服务中心,公办,甲镇,111.12,27.11\n"
    text += "丙乡党群服务中心,某类,丙乡,111.3,27.1\n"
    (tmp_path / "新名单.csv").write_text(text, encoding="utf-8")
    files = ["facilities.csv", {"path": "新名单.csv", "coordinate_system": "wgs84"}]
    return read_study(path).but(facilities={"files": files})


def test_rows_that_only_the_office_can_settle_are_shown_both_ways_and_as_a_range(doubtful):
    assert doubtful.answers.name_only == ("新名单-2",)
    assert doubtful.answers.unsettled["kind"].to_dict() == {"新名单-3": "service_centre"}
    table = both_readings(doubtful.answers).set_index(["what", "scope_id"])
    rate = table.loc["township_centre_coverage", toy.COUNTY]
    assert rate[["least", "counted", "most"]].tolist() == pytest.approx([0, 1 / 3, 2 / 3])
    cost = table.loc["cost", toy.COUNTY]
    assert cost["least"] >= cost["counted"] >= cost["most"]
    said = notices(doubtful.answers)
    assert set(said) == {toy.COUNTY, "city"}
    for words in ("甲镇综合养老服务中心", "丙乡党群服务中心", "33.3%／0.0%", "33.3%／66.7%"):
        assert words in said[toy.COUNTY]


def test_every_output_of_a_county_says_it_and_the_public_edition_names_no_row(doubtful):
    sentence = notices(doubtful.answers)[toy.COUNTY]
    own = doubtful.findings.of_county(toy.COUNTY)
    assert own.notices.count(sentence) == 1
    assert reports.proposal(own).notices.count(sentence) == 1
    assert sentence in html.unescape(reports.proposal_html(own))
    assert sentence in maps.draw(own).html()
    shared = edition.public(doubtful.findings)
    assert not any("党群" in notice for notice in shared.notices)
    assert shared.of_county(toy.COUNTY).notices == shared.notices
