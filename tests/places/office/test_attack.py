"""Lists as nasty as offices make them: what is data is read, what is none is said, and nothing is lost without a word."""

from __future__ import annotations

import datetime as dt
import time
import zipfile

import openpyxl
import pytest

from sy_coverage.errors import UnreadableFileError
from sy_coverage.places import read_facilities

HEADER = ["序号", "机构名称", "类型", "所属乡镇", "床位数", "备注"]


def workbook(path, *rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def said(frame, what):
    return frame.attrs["report"].set_index("what_id").loc[[what], "value"].tolist()


def test_merged_headers_totals_inside_notes_below_and_a_hidden_sheet(tmp_path):
    book = openpyxl.Workbook()  # its first sheet stays empty
    sheet = book.create_sheet("汇总")
    for row in (
        ["某县养老机构一览表"],
        ["序号", "机构名称", "所在地", "", "床位", "", "联系方式", "", "经纬度（高德）"],
        ["", "", "乡镇", "村", "总数", "护理型", "联系人", "电话", ""],
        [
            1,
            "甲镇敬老院",
            "甲镇",
            "东村",
            "６０",
            "２０",
            "张三",
            "13800000000、0739-1\n13900000000",
            "111.1,27.1",
        ],
        [2, "乙老年公寓", None, "西村", 40, None, "李四", "1", "E111°06′00″ N27°06′36″"],
        ["小计", "", "", "", 100, 20],
        [3, "丙镇敬老院", "丙镇", "南村", "30张（其中护理型10张）", "", "王五", "1", "经度:111.2 纬度:27.2"],
        ["丙镇合计", None, None, None, 30],
        ["总计", None, None, None, 130],
        ["注：1.数据截至2026年3月底；"],
        ["2.停用机构不列入。"],
        ["填表人：××", "", "审核人：××"],
    ):
        sheet.append(row)
    for merged in ("A1:I1", "C2:D2", "E2:F2", "G2:H2", "A2:A3", "B2:B3", "I2:I3", "C4:C5"):
        sheet.merge_cells(merged)
    hidden = book.create_sheet("旧数据")
    hidden.sheet_state = "hidden"
    hidden.append(["机构名称", "类型"])
    hidden.append(["旧敬老院", "敬老院"])
    book.save(tmp_path / "a.xlsx")
    frame = read_facilities(tmp_path / "a.xlsx")
    assert frame["name"].tolist() == ["甲镇敬老院", "乙老年公寓", "丙镇敬老院"]
    assert frame["beds"].tolist() == [60, 40, 30]
    assert frame["unit_named"].tolist() == ["甲镇", "甲镇", "丙镇"]
    assert frame.geometry.notna().all()
    assert said(frame, "total_row") == ["小计", "丙镇合计", "总计"]
    assert said(frame, "note_row") == ["注：1.数据截至2026年3月底；", "2.停用机构不列入。", "填表人：××"]


def test_ditto_numbered_rows_page_ends_and_towns_over_their_places(tmp_path):
    frame = read_facilities(
        workbook(
            tmp_path / "a.xlsx",
            HEADER,
            ["一、", "甲镇（3个）"],
            [1, "甲镇敬老院", "敬老院", "甲镇", 20],
            [2, "乙中心", "综合养老服务中心", "同上", 20],
            [3, "丙站", "养老服务站", "〃", "同上"],
            [4],
            [5],
            ["续表"],
            HEADER,
            ["", "丙镇"],
            [6, "己院", "敬老院", "丙镇", 5],
            ["以下空白"],
        )
    )
    assert frame["name"].tolist() == ["甲镇敬老院", "乙中心", "丙站", "己院"]
    assert frame["unit_named"].tolist() == ["甲镇", "甲镇", "甲镇", "丙镇"]
    assert frame["beds"].tolist() == [20, 20, 20, 5]
    assert frame.attrs["doubts"].empty
    assert said(frame, "ditto_filled") == ["3"]
    assert said(frame, "blank_rows") == ["2"]


def test_a_place_that_is_called_like_a_town_and_says_more_is_kept(tmp_path):
    frame = read_facilities(
        workbook(tmp_path / "a.xlsx", HEADER, [1, "甲镇", "敬老院", "甲镇", 20], [2, "乙镇"], ["", "丙院"])
    )
    assert frame["name"].tolist() == ["甲镇", "乙镇", "丙院"]


def test_a_second_table_beside_the_first_is_asked_about(tmp_path):
    half = ["机构名称", "类型", "床位数"]
    frame = read_facilities(
        workbook(tmp_path / "a.xlsx", half * 2, ["甲敬老院", "敬老院", 20, "乙敬老院", "敬老院", 30])
    )
    assert frame.attrs["doubts"]["kind"].tolist() == ["table_beside"]


PAIRS = {
    "111.11，27.11", "(111.11 27.11)", "经度:111.11 纬度:27.11", "纬度27.11，经度111.11", "E111.11,N27.11", "lng:111.11,lat:27.11", "[111.11,27.11]",
    "POINT(111.11 27.11)", "东经111°6′36″，北纬27°6′36″", "111.11E 27.11N", "１１１．１１；２７．１１",
}  # fmt: skip


def test_coordinates_in_one_cell_as_people_and_programs_write_them(tmp_path):
    pairs = sorted(PAIRS)
    rows = [[f"第{n}敬老院", "敬老院", pair] for n, pair in enumerate(pairs)]
    frame = read_facilities(
        workbook(tmp_path / "a.xlsx", ["机构名称", "类型", "坐标"], *rows), coordinate_system="wgs84"
    )
    wrong = [
        pair
        for pair, point in zip(pairs, frame.geometry, strict=True)
        if point is None or abs(point.x - 111.11) > 1e-6 or abs(point.y - 27.11) > 1e-6
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("111°06′36″", "27°06′36″"),
        ("东经111.11°", "北纬27.11°"),
        ("111 06 36", "27 06 36"),
        ("111.11E", "27.11N"),
    ],
)
def test_degrees_in_two_columns(tmp_path, lon, lat):
    frame = read_facilities(
        workbook(
            tmp_path / "a.xlsx",
            ["机构名称", "类型", "经度（百度）", "纬度（百度）"],
            ["甲敬老院", "敬老院", lon, lat],
        )
    )
    # 111.11, 27.11 of BD-09 lie some 1.2 km west of it in WGS84
    assert frame.geometry.iloc[0].x == pytest.approx(111.0982, abs=1e-4)


def test_dates_and_numbers_in_every_hand(tmp_path):
    dates = [43617, dt.datetime(2019, 6, 1), "20190601", "2019.06.01", "二〇一九年六月一日", "2019年6月1日"]  # noqa: DTZ001
    numbers = ["６０张", "六十张", "60（张）", "60.0", "约六十张", "1,060"]
    rows = [[f"第{n}院", "敬老院", d, b] for n, (d, b) in enumerate(zip(dates, numbers, strict=True))]
    frame = read_facilities(workbook(tmp_path / "a.xlsx", ["机构名称", "类型", "开业日期", "床位数"], *rows))
    assert {day.date().isoformat() for day in frame["opens_on"]} == {"2019-06-01"}
    assert frame["beds"].tolist() == [60, 60, 60, 60, 60, 1060]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("﻿机构名称\t类型\t乡镇\n甲镇敬老院\t敬老院\t甲镇\n".encode(), 1),
        (b"\x84\x31\x95\x33" + "机构名称;类型;乡镇\n㙍镇敬老院;敬老院;甲镇\n".encode("gb18030"), 1),
        ('机构名称,类型,乡镇\r\n"甲镇\r\n敬老院",敬老院,甲镇\r\n'.encode("utf-16"), 1),
        ("养老机构名单\n\n机构名称，类型，乡镇\n甲镇敬老院，敬老院，甲镇\n".encode("gb18030"), 1),
        ("机构名称,类型,乡镇\n甲敬老院,敬老院,甲镇,多,一列\n乙敬老院,敬老院\n".encode("gb18030"), 2),
    ],
)
def test_text_in_every_encoding_and_with_any_separator(tmp_path, content, rows):
    (tmp_path / "a.csv").write_bytes(content)
    frame = read_facilities(tmp_path / "a.csv")
    assert len(frame) == rows
    assert frame["kind"].tolist() == ["township_home"] * rows
    assert frame["unit_named"].iloc[0] == "甲镇"


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.et"])
def test_a_password_is_said(tmp_path, name):
    held = "EncryptedPackage".encode("utf-16-le")
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + held.ljust(1024, b"\0"))
    with pytest.raises(UnreadableFileError, match="protected by a password"):
        read_facilities(tmp_path / name)


def test_rows_that_only_have_a_format_cost_nothing(tmp_path):
    path = workbook(tmp_path / "a.xlsx", HEADER, [1, "甲镇敬老院", "敬老院", "甲镇", 20])
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"]
    at = sheet.index(b"</sheetData>")
    empty = b"".join(
        b'<row r="%d" s="0" customFormat="1"><c r="A%d" s="0"/><c r="B%d" s="0"/></row>' % (n, n, n)
        for n in range(3, 300_003)
    )
    members["xl/worksheets/sheet1.xml"] = sheet[:at] + empty + sheet[at:]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    begun = time.process_time()
    frame = read_facilities(path)
    assert frame["beds"].tolist() == [20]
    assert time.process_time() - begun < 10  # 2 s; cell by cell it took a minute


def test_every_row_of_a_file_is_read_or_said_to_be_left_out(tmp_path):
    rows = [
        ["某县名单"],
        ["单位：张"],
        HEADER,
        ["（示例）", "（示例）某敬老院", "敬老院", "某镇", 1],
        [1, "甲敬老院", "敬老院", "甲镇", 20],
        [2],
        [],
        ["小计", "", "", "", 20],
        HEADER,
        ["二、", "乙镇"],
        [3, "某某点", "某类", "乙镇", "不详"],
        [4, None, "敬老院", "丙镇", 9],
        ["合计", "", "", "", 29],
        ["注：略"],
        ["2.亦略"],
    ]
    frame = read_facilities(workbook(tmp_path / "a.xlsx", *rows))
    report = frame.attrs["report"]
    left_out = ["title_row", "example_row", "total_row", "header_again", "note_row"]
    blank = report[report["what_id"] == "blank_rows"]["value"].astype(int).sum()
    said = report["what_id"].isin(left_out).sum()
    header = 1
    assert len(frame) + said + blank + header == len(rows)
    assert frame["name"].tolist()[:2] == ["甲敬老院", "某某点"]
    # of the three that are read, what could not be used is asked about row by row
    assert set(frame.attrs["doubts"]["row"]) == {"11", "12"}
