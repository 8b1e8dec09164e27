"""A formula without a value is named in every column of every list and format; a computed one is read, also where it is empty."""

from __future__ import annotations

import struct
import zipfile

import geopandas as gpd
import openpyxl
import pytest
from shapely.geometry import box

from sy_coverage._files.tables.uncomputed import uncomputed
from sy_coverage.errors import FrameError
from sy_coverage.places import read_candidates, read_census, read_cohorts, read_demand, read_facilities
from tests import toy

HEADER = [
    "编号",
    "名称",
    "类型",
    "所属乡镇",
    "经度",
    "纬度",
    "床位数",
    "状态",
    "启用日期",
    "备注",
    "内设医疗机构",
]
ROW = ["1", "甲敬老院", "敬老院", "甲镇", 111.1, 27.1, 20, "运营", "2019-06-01", "", "是"]


def workbook(path, *rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def asked(frame):
    doubts = frame.attrs["doubts"]
    return doubts[doubts["kind"] == "formula_unread"]


def asked_of(doubts):
    return "formula_unread" in set(doubts["kind"])


@pytest.mark.parametrize("column", range(len(HEADER)))
def test_a_formula_in_any_column_of_a_list_is_a_doubt_and_no_word_of_it_is_read(tmp_path, column):
    row = list(ROW)
    row[column] = '=IF(TRUE,"停业","敬老院")'
    frame = read_facilities(workbook(tmp_path / "a.xlsx", HEADER, row), coordinate_system="wgs84")
    assert asked(frame)["subject"].tolist() == [HEADER[column]]
    assert "formula_unread" in set(frame.attrs["report"]["what_id"])
    assert frame["status"].tolist() == ["open"]
    assert "=" not in frame["name"].iloc[0]
    with pytest.raises(FrameError, match="formula that no program has computed"):
        read_facilities(tmp_path / "a.xlsx", coordinate_system="wgs84", strict=True)


def test_a_row_made_of_formulas_is_no_empty_row(tmp_path):
    path = workbook(tmp_path / "a.xlsx", HEADER, ROW, [f"=Sheet2!{letter}2" for letter in "ABCDEFGHIJK"])
    frame = read_facilities(path, coordinate_system="wgs84")
    assert len(frame) == 2
    assert len(asked(frame)) == len(HEADER)


def test_an_answer_settles_a_formula(tmp_path):
    row = list(ROW)
    row[6] = "=10+10"
    path = workbook(tmp_path / "a.xlsx", HEADER, row)
    doubt = asked(read_facilities(path, coordinate_system="wgs84"))
    answers = doubt.assign(
        decision="change", value="25", lon=float("nan"), lat=float("nan"), unit="", facility_kind=""
    )
    frame = read_facilities(path, coordinate_system="wgs84", answers=answers)
    assert frame["beds"].tolist() == [25]
    assert asked(frame).empty


def test_candidates_and_villages_with_formulas_ask_once_a_cell(tmp_path):
    header = ["名称", "类型", "经度", "纬度", "投资"]
    path = workbook(tmp_path / "a.xlsx", header, ["甲村部", "综合养老服务中心", 111.1, 27.1, "=40+40"])
    sites = read_candidates(path, coordinate_system="wgs84")
    assert sites["cost"].isna().all()
    assert sites.attrs["doubts"]["kind"].tolist() == ["formula_unread"]
    path = workbook(
        tmp_path / "b.xlsx", ["名称", "经度", "纬度", "60岁以上"], ["甲村", 111.1, 27.1, "=SUM(A1:A9)"]
    )
    villages = read_demand(path, coordinate_system="wgs84")
    assert villages.attrs["doubts"]["kind"].tolist() == ["formula_unread"]


def test_a_census_and_cohorts_with_formulas_are_refused_by_cell_where_reading_is_strict(tmp_path):
    census = workbook(tmp_path / "a.xlsx", ["乡镇", "60岁以上"], ["甲镇", "=1+1"])
    with pytest.raises(FrameError, match=r"formula.*a\.xlsx row 2"):
        read_census(census, units=toy.units(), strict=True)
    cohorts = workbook(
        tmp_path / "b.xlsx", ["年龄组", "人口", "存活率"], ["60-64", "=5+5", 0.9], ["65+", 5, 0.8]
    )
    with pytest.raises(FrameError, match=r"formula.*b\.xlsx row 2"):
        read_cohorts(cohorts, strict=True)
    assert asked_of(read_census(census, units=toy.units()).doubts)
    assert asked_of(read_cohorts(cohorts).attrs["doubts"])


def test_what_a_program_has_computed_is_read_also_an_empty_text_and_an_error_is_none(tmp_path):
    path = workbook(tmp_path / "a.xlsx", HEADER, ROW)
    cells = {
        b'<c r="G2" t="n"><v>20</v></c>': b'<c r="G2"><f>10+20</f><v>30</v></c>',
        b'<c r="H2" t="s"><v>17</v></c>': b'<c r="H2" t="str"><f>IF(TRUE,"","x")</f><v></v></c>',
    }
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"]
    start = sheet.index(b'<c r="H2"')
    status = sheet[start : sheet.index(b"</c>", start) + 4]
    sheet = sheet.replace(status, cells.popitem()[1])
    for written, computed in cells.items():
        assert written in sheet
        sheet = sheet.replace(written, computed)
    members["xl/worksheets/sheet1.xml"] = sheet
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    frame = read_facilities(path, coordinate_system="wgs84")
    assert frame["beds"].tolist() == [30]
    assert asked(frame).empty
    row = list(ROW)
    row[6] = "#REF!"
    frame = read_facilities(workbook(tmp_path / "b.xlsx", HEADER, row), coordinate_system="wgs84")
    assert asked(frame)["subject"].tolist() == ["床位数"]


def test_words_in_a_formula_of_a_text_file_are_none_of_its_row(tmp_path):
    text = '名称,类型,状态,床位数\n甲敬老院,敬老院,"=IF(TRUE,""停业"","""")",=10+10\n'
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    frame = read_facilities(tmp_path / "a.csv")
    assert frame["status"].tolist() == ["open"]
    assert sorted(asked(frame)["subject"]) == ["床位数", "状态"]


def test_formulas_of_an_open_document_are_named(tmp_path):
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
        for short in ("office", "table", "text")
    )

    def cell(value):
        if value.startswith("="):
            return f'<table:table-cell table:formula="of:{value}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    # the second row stands for two equal ones, and its last cell has been computed, to nothing
    body = "".join(
        f"<table:table-row{repeated}>{''.join(map(cell, row))}{last}</table:table-row>"
        for repeated, row, last in (
            ("", ["名称", "类型", "床位数", "状态"], ""),
            (
                ' table:number-rows-repeated="2"',
                ["甲敬老院", "敬老院", "=10+10"],
                '<table:table-cell table:formula="of:=&quot;&quot;"><text:p/></table:table-cell>',
            ),
        )
    )
    content = (
        f'<office:document-content {spaces} office:version="1.2"><office:body><office:spreadsheet>'
        f'<table:table table:name="甲">{body}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    frame = read_facilities(tmp_path / "a.ods")
    assert len(frame) == 2
    assert asked(frame)["subject"].tolist() == ["床位数", "床位数"]
    assert asked(frame)["value"].tolist() == ["=10+10", "=10+10"]


def old_workbook(*formulas):
    """Return a compound file with one sheet of such formulas: (row, column, result of eight bytes, tokens)."""

    def record(kind, body):
        return struct.pack("<HH", kind, len(body)) + body

    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0))
    globals_size = len(begin) + 12 + 4
    stream = begin + record(0x0085, struct.pack("<IBBBB", globals_size, 0, 0, 0, 0)) + record(0x000A, b"")
    stream += begin
    for row, column, result, tokens in formulas:
        body = struct.pack("<HHH8sHIH", row, column, 0, result, 0, 0, len(tokens)) + tokens
        stream += record(0x0006, body)
    stream = (stream + record(0x000A, b"")).ljust(4096, b"\0")
    name = "Workbook".encode("utf-16-le")
    root = "Root Entry".encode("utf-16-le")

    def entry(text, start, length):
        return (
            text.ljust(64, b"\0")
            + struct.pack("<H", len(text) + 2)
            + bytes(50)
            + struct.pack("<III", start, length, 0)
        )

    # sector 0 the table of sectors, 1 the directory, 2 to 9 the stream
    fat = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 10), 0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (128 - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    directory = (entry(root, 0xFFFFFFFE, 0) + entry(name, 2, 4096)).ljust(512, b"\0")
    return header + struct.pack("<128I", *fat) + directory + stream


EMPTY, ERROR = b"\x03\0\0\0\0\0\xff\xff", b"\x02\0\x07\0\0\0\xff\xff"
PLUS, TEXT = b"\x1e\x0a\0\x1e\x0a\0\x03", b"\x17\0\0"


def test_formulas_of_an_old_workbook_are_found_where_they_can_come_to_no_empty_text():
    value = struct.pack("<d", 20.0)
    content = old_workbook((1, 2, EMPTY, PLUS), (1, 3, ERROR, PLUS), (1, 4, value, PLUS), (1, 5, EMPTY, TEXT))
    assert uncomputed(content, "a.xls") == [{(1, 2): "=", (1, 3): "="}]
    # where no formula at all has a value, no program has computed any
    assert uncomputed(old_workbook((1, 5, EMPTY, TEXT)), "a.xls") == [{(1, 5): "="}]
    assert uncomputed(content[:700], "a.xls") in ([], [{}])


def test_a_formula_in_the_attributes_of_a_layer_is_plain_text(tmp_path):
    frame = gpd.GeoDataFrame(
        {"名称": ["=甲="], "类型": ["敬老院"]}, geometry=[box(111.1, 27.1, 111.11, 27.11)], crs=4326
    )
    frame.to_file(tmp_path / "a.gpkg")
    assert read_facilities(tmp_path / "a.gpkg")["name"].tolist() == ["=甲="]
