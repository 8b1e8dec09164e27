"""Lists as offices keep them: headers, titles, totals, notes, units in cells, words; one row in, one row out."""

from __future__ import annotations

import datetime as dt

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage import labels
from sy_coverage.errors import FrameError, UnreadableFileError
from sy_coverage.places import read_candidates, read_demand, read_facilities
from sy_coverage.places.sheets import words
from sy_coverage.places.sheets.kinds import KindWords
from sy_coverage.policy import load_policy
from tests import toy

HEADER = "编号,名称,类型,地址,经度,纬度,床位数（张）,状态,启用日期"
ROWS = (
    "06001,甲镇综合养老服务中心,街道/乡镇综合养老服务中心,甲镇,111.1,27.1,120张,运营,2020年5月",
    "06002,乙镇中心敬老院,区域性（中心）敬老院,乙镇,,,８０,在建,2027-12-31",
    "06003,丙乡卫生院,卫生院,丙乡,111.2,27.2,,停业,",
)


def write(folder, text, name="list.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def said(frame, what_id):
    report = frame.attrs["report"]
    return report[report["what_id"] == what_id]


def test_a_list_with_title_totals_and_note_gives_one_row_for_each_facility_and_says_the_rest(tmp_path):
    text = "\n".join(
        ["某市养老机构一览表,,,,,,,,", HEADER, *ROWS, "合计,,,,,,200,,", "注：截至2025年5月,,,,,,,,"]
    )
    frame = read_facilities(write(tmp_path, text), coordinate_system="wgs84")
    assert list(frame.index) == ["06001", "06002", "06003"]
    assert frame["beds"].tolist()[:2] == [120.0, 80.0]
    assert np.isnan(frame["beds"].iloc[2])
    assert frame["kind"].tolist() == ["service_centre", "regional_home", "medical"]
    assert frame["status"].tolist() == ["open", "planned", "closed"]
    assert frame["opens_on"].tolist()[:2] == [pd.Timestamp("2020-05-31"), pd.Timestamp("2027-12-31")]
    assert frame["location_status"].tolist() == ["located", "not_located", "located"]
    assert frame.geometry.iloc[1] is None
    assert frame.crs == "EPSG:4326"
    assert frame["source"].tolist() == ["list.csv row 3", "list.csv row 4", "list.csv row 5"]
    assert said(frame, "title_row")["row"].tolist() == ["1"]
    assert said(frame, "total_row")["row"].tolist() == ["6"]
    assert said(frame, "note_row")["row"].tolist() == ["7"]
    assert said(frame, "rows_read")["value"].tolist() == ["3"]


def test_every_line_of_a_report_has_words_in_both_languages(tmp_path):
    text = "\n".join(
        ["表,,,,,,,,", HEADER, *ROWS, "合计,,,,,,200,,", "注：截至2025年5月,,,,,,,,", ",,,,,,,,"]
    )
    report = read_facilities(write(tmp_path, text), coordinate_system="gcj02").attrs["report"]
    for row in report.itertuples():
        for language in ("zh", "en"):
            words_said = labels.text(
                f"places.read_{row.what_id}", language, subject=row.subject, value=row.value
            )
            assert words_said


def test_frames_with_reports_can_be_joined(tmp_path):
    frame = read_facilities(write(tmp_path, "\n".join([HEADER, *ROWS])), coordinate_system="wgs84")
    other = read_facilities(write(tmp_path, "\n".join([HEADER, ROWS[0]]), "b.csv"), coordinate_system="wgs84")
    assert len(pd.concat([frame, other])) == 4
    assert len(frame.merge(other, on="name")) == 1


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_row_04_every_usual_encoding_is_found_out_and_said(tmp_path, encoding):
    text = "\r\n".join([HEADER, *ROWS])
    frame = read_facilities(write(tmp_path, text, encoding=encoding), coordinate_system="wgs84")
    assert frame["name"].tolist() == ["甲镇综合养老服务中心", "乙镇中心敬老院", "丙乡卫生院"]
    assert said(frame, "encoding")["value"].item() in {encoding, "gb18030"}


@given(
    st.text(alphabet=st.characters(codec="gb2312", exclude_categories=["C", "Z"]), min_size=1, max_size=30)
)
def test_row_04_any_chinese_name_survives_gb18030_utf8_and_utf16(name):
    from sy_coverage._files import decode

    text = f"名称,地址\n{name},湖南省邵阳市大祥区城南街道某某村"
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        assert decode(text.encode(encoding), "x.csv")[0] == text


def test_row_04_a_file_cut_inside_a_character_stops_and_names_the_byte(tmp_path):
    whole = "\n".join([HEADER, *ROWS, "06004,丁"]).encode()
    path = tmp_path / "cut.csv"
    path.write_bytes(whole[:-1])
    with pytest.raises(UnreadableFileError, match=f"byte {len(whole) - 3} "):
        read_facilities(path, coordinate_system="wgs84")


def test_row_04_latin1_is_refused_by_name_of_the_byte_and_read_when_declared(tmp_path):
    text = "name,kind,address,beds\nCafé Müller,hospital,Zürich Straße,3\n"
    path = write(tmp_path, text, encoding="latin-1")
    with pytest.raises(UnreadableFileError, match=r"byte 26 .*declare its encoding"):
        read_facilities(path)
    assert read_facilities(path, encoding="latin-1")["name"].tolist() == ["Café Müller"]


def test_row_04_latin1_whose_bytes_make_chinese_characters_by_chance_is_refused_all_the_same(tmp_path):
    text = "name,kind,address,beds\nRésidence Hélène,hospital,Allée Désirée,3\n"
    assert "閟" in text.encode("latin-1").decode("gb18030")  # é and the letter after it
    with pytest.raises(UnreadableFileError, match=r"byte 24 .*declare its encoding"):
        read_facilities(write(tmp_path, text, encoding="latin-1"))


def test_row_04_a_quoted_newline_is_one_row_and_rows_are_counted_as_excel_does(tmp_path):
    text = 'id,name,kind,address\nA,"two\nlines",hospital,x\nB,one,hospital,y\n,,,\nC,,hospital,z\n'
    with pytest.raises(FrameError, match=r"\(name\) is empty|'name' is empty: list.csv row 5"):
        read_facilities(write(tmp_path, text), strict=True)


@pytest.mark.parametrize("mark", [",", "\t", ";", "，", "|"])
def test_the_delimiter_is_found_out(tmp_path, mark):
    text = "\n".join([HEADER, *ROWS]).replace(",", mark)
    frame = read_facilities(write(tmp_path, text), coordinate_system="wgs84")
    assert frame["beds"].iloc[0] == 120.0


def test_a_workbook_with_merged_title_header_in_two_rows_and_merged_county_is_understood(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    rows = [
        ["某市养老服务设施汇总表", None, None, None, None, None, None],
        ["序号", "县（市、区）", "机构名称", "机构类型", "坐标", None, "床位"],
        [None, None, None, None, "经度", "纬度", None],
        [1, "大祥区", "甲敬老院", "敬老院", 111.46, 27.21, 60],
        [2, None, "乙敬老院", "敬老院", 111.47, 27.22, "40张"],
        ["小计", None, None, None, None, None, 100],
        [3, "双清区", "丙医院", "医院", 111.51, 27.23, None],
        ["填表人：某某", None, None, None, None, None, None],
    ]
    for row in rows:
        sheet.append(row)
    for area in ("A1:G1", "A2:A3", "B2:B3", "C2:C3", "D2:D3", "E2:F2", "G2:G3", "B4:B5", "A6:F6", "A8:G8"):
        sheet.merge_cells(area)
    book.save(tmp_path / "汇总.xlsx")
    frame = read_facilities(tmp_path / "汇总.xlsx", coordinate_system="gcj02")
    # 序号 is no id: it restarts in every file
    assert list(frame.index) == ["汇总-4", "汇总-5", "汇总-7"]
    assert frame["county_named"].tolist() == ["大祥区", "大祥区", "双清区"]
    assert frame["beds"].tolist()[:2] == [60.0, 40.0]
    assert said(frame, "merged_filled")["row"].tolist() == ["5"]
    assert said(frame, "total_row")["row"].tolist() == ["6"]
    assert said(frame, "note_row")["row"].tolist() == ["8"]


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_parts_of_a_merged_header_are_understood_with_what_stands_above_them(tmp_path, suffix):
    rows = [
        ["机构名称", "机构类型", "床位情况", "", "备注"],
        ["", "", "合计", "其中：护理型", ""],
        ["甲敬老院", "敬老院", "60张", "２０张", ""],
        ["乙敬老院", "敬老院", "40", "", "10张"],
    ]
    path = tmp_path / f"床位{suffix}"
    if suffix == ".csv":  # Excel writes what is merged into its first cell
        path.write_text("".join(",".join(row) + "\n" for row in rows), encoding="gb18030")
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append([cell or None for cell in row])
        for area in ("A1:A2", "B1:B2", "C1:D1", "E1:E2"):
            book.active.merge_cells(area)
        book.save(path)
    frame = read_facilities(path)
    assert frame["beds"].tolist() == [60.0, 40.0]
    assert frame["nursing_beds"].fillna(-1).tolist() == [20.0, -1.0]
    assert frame["备注"].fillna("").tolist() == ["", "10张"]


def test_a_number_that_counts_once_is_not_repeated_down_a_merged_cell(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["名称", "类型", "床位数"], ["甲敬老院一区", "敬老院", 90], ["甲敬老院二区", "敬老院", None]):
        sheet.append(row)
    sheet.merge_cells("C2:C3")
    book.save(tmp_path / "a.xlsx")
    assert read_facilities(tmp_path / "a.xlsx")["beds"].sum() == 90


def test_row_02_ids_are_text_and_keep_their_zeros_in_workbooks_too(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["编号", "名称", "类型"])
    sheet.append(["06001", "甲医院", "医院"])
    sheet.append([6002, "乙医院", "医院"])
    sheet["A3"].number_format = "00000"
    book.save(tmp_path / "a.xlsx")
    assert list(read_facilities(tmp_path / "a.xlsx").index) == ["06001", "06002"]


def test_row_03_na_null_and_nan_are_words_and_only_empty_is_missing(tmp_path):
    text = "编号,名称,类型,地址,所属县\nNA,null,医院,NaN,NA\nB,None,医院,,null\n"
    frame = read_facilities(write(tmp_path, text))
    assert frame.index.tolist() == ["NA", "B"]
    assert frame["name"].tolist() == ["null", "None"]
    assert frame["county_named"].tolist() == ["NA", "null"]
    assert frame["address"].tolist()[0] == "NaN"
    assert frame["address"].isna().tolist() == [False, True]


def test_headers_named_by_the_study_decide_over_the_synonyms(tmp_path):
    text = "编号,单位,归口,名称\nA,甲医院,医院,不是名称\n"
    frame = read_facilities(write(tmp_path, text), columns={"name": "单位", "kind": "归口"})
    assert frame["name"].item() == "甲医院"
    # the other way round is understood as well
    assert (
        read_facilities(write(tmp_path, text), columns={"单位": "name", "归口": "kind"})["name"].item()
        == "甲医院"
    )


def test_row_06_a_named_header_that_is_not_there_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(FrameError, match=r"no column '机构名'.*nearest: 机构名称"):
        read_facilities(write(tmp_path, "编号,机构名称,类型\n1,甲,医院\n"), columns={"name": "机构名"})
    with pytest.raises(FrameError, match="there is no field 'nmae'"):
        read_facilities(write(tmp_path, "编号,机构名称,类型\n1,甲,医院\n"), columns={"nmae": "机构名称"})


def test_row_06_wrong_case_and_brackets_do_not_matter_and_extras_are_kept(tmp_path):
    text = "Facility_ID,NAME,Kind,电话\nA,甲医院,HOSPITAL,0739-1\n"
    frame = read_facilities(write(tmp_path, text))
    assert frame.loc["A", "电话"] == "0739-1"
    assert frame.loc["A", "kind"] == "medical"


def test_all_breaches_of_all_files_are_said_at_once_with_file_and_row(tmp_path):
    one = write(tmp_path, "编号,名称,类型,床位数\nA,甲,医院,-5\nB,,怪物,1234567890123abc\n", "one.csv")
    two = write(tmp_path, "编号,名称,类型,状态\nA,丙,医院,飞了\n", "two.csv")
    with pytest.raises(FrameError) as caught:
        read_facilities([one, two], strict=True)
    message = str(caught.value)
    for part in (
        "0 or more: one.csv row 2 '-5'",
        "(name) is empty: one.csv row 3",
        "(kind) must be one of",
        "one.csv row 3 '怪物'",
        "two.csv row 2 '飞了'",
        "ids stand more than once: A (one.csv row 2, two.csv row 2)",
    ):
        assert part in message, part


def test_a_kind_is_read_from_the_name_when_no_column_gives_it_and_reported(tmp_path):
    frame = read_facilities(write(tmp_path, "名称,地址\n某镇中心敬老院,x\n某县福利院,y\n某某长者食堂,z\n"))
    assert frame["kind"].tolist() == ["regional_home", "county_welfare_home", "meal_point"]
    assert len(said(frame, "kind_from_name")) == 3
    with pytest.raises(FrameError, match="name tells none"):
        read_facilities(write(tmp_path, "名称,地址\n某某大楼,x\n"), strict=True)


@pytest.mark.parametrize("kind", load_policy("shaoyang_2025").kinds.values(), ids=lambda k: k.id)
def test_a_kind_may_be_written_as_the_policy_writes_it(tmp_path, kind):
    for name in (*kind.name.values(), kind.id):
        text = f'名称,类型\n甲,"{name}"\n'
        frame = read_facilities(write(tmp_path, text), policy=load_policy("shaoyang_2025"))
        assert frame["kind"].item() == kind.id, name


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("敬老院", "township_home"),
        ("中心敬老院", "regional_home"),
        ("县中心敬老院", "regional_home"),
        ("福利院", "county_welfare_home"),
        ("失智照护", "dementia_unit"),
        ("镇（街道）综合养老服务中心", "service_centre"),
        ("村（社区）居家养老服务中心", "station"),
        ("农村幸福院", "village_station"),
        ("社区卫生服务中心", "medical"),
        ("民办养老院", "nursing_home"),
    ],
)
def test_kinds_are_understood_as_offices_write_them(word, kind):
    assert KindWords.of(None).of_cell(word)[0] == kind


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("在建", "planned"),
        ("停业", "closed"),
        ("正常运营", "open"),
        ("拟建（2026年）", "planned"),
        ("已关闭", "closed"),
    ],
)
def test_row_85_being_built_and_closed_are_read_from_the_words(tmp_path, word, status):
    frame = read_facilities(write(tmp_path, f"名称,类型,状态\n甲敬老院,敬老院,{word}\n"))
    assert frame["status"].item() == status


@pytest.mark.parametrize(
    ("cell", "field", "header", "value"),
    [
        ("120张", "beds", "", 120),
        ("１２０", "beds", "", 120),
        (" 80 床 ", "beds", "", 80),
        ("300㎡", "floor_area_m2", "", 300),
        ("0.5万平方米", "floor_area_m2", "", 5000),
        ("3亩", "floor_area_m2", "", 2000),
        ("125", "cost", "造价（万元）", 125),
        ("1250000", "cost", "造价（元）", 125),
        ("1.5亿元", "cost", "造价（万元）", 15000),
        ("0.3万人", "elders", "", 3000),
    ],
)
def test_units_in_cells_and_headers_are_taken_into_account(cell, field, header, value):
    number, problem = words.number(cell, field, header)
    assert problem is None
    assert number == pytest.approx(value)


@pytest.mark.parametrize(
    ("cell", "value", "to_the_day"),
    [
        ("2027-12-31", dt.date(2027, 12, 31), True),
        ("2027/1/5", dt.date(2027, 1, 5), True),
        ("2027.06.30", dt.date(2027, 6, 30), True),
        ("２０２７年６月３０日", dt.date(2027, 6, 30), True),
        ("2024年2月", dt.date(2024, 2, 29), False),
        ("2027年底", dt.date(2027, 12, 31), False),
        ("20270630", dt.date(2027, 6, 30), True),
        ("46387", dt.date(2026, 12, 31), True),  # a spreadsheet's day number
        ("2027-13-01", None, False),
        ("明年", None, False),
    ],
)
def test_dates_are_read_as_people_write_them(cell, value, to_the_day):
    found, exact = words.date(cell)
    assert found == value
    assert value is None or exact is to_the_day


@pytest.mark.parametrize(
    ("cell", "value"),
    [("111°28′3″", 111.4675), ("111度30分", 111.5), ("１１１．５°", 111.5), ("E111°30'", 111.5)],
)
def test_degrees_minutes_and_seconds_are_read(cell, value):
    assert words.angle(cell) == pytest.approx(value)


def test_yes_and_no_words_become_flags_and_others_are_refused(tmp_path):
    text = "名称,类型,是否医养结合\n甲,医院,是\n乙,医院,无\n丙,医院,√\n丁,医院,\n"
    flags = read_facilities(write(tmp_path, text))["has_medical"].tolist()
    assert flags[:3] == [True, False, True]
    assert pd.isna(flags[3])
    with pytest.raises(FrameError, match="yes or no"):
        read_facilities(write(tmp_path, "名称,类型,是否医养结合\n甲,医院,也许\n"), strict=True)


def test_several_sheets_are_all_read_or_the_one_that_is_named_after_the_hash(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "一"
    for sheet in (book.active, book.create_sheet("二")):
        sheet.append(["名称", "类型"])
        sheet.append([f"{sheet.title}医院", "医院"])
    path = tmp_path / "a.xlsx"
    book.save(path)
    assert read_facilities(path)["name"].tolist() == ["一医院", "二医院"]
    assert read_facilities(f"{path}#二")["name"].item() == "二医院"
    with pytest.raises(UnreadableFileError, match="no sheet '三'"):
        read_facilities(path, layer="三")


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp", "fgb", "parquet"])
def test_layers_of_every_format_give_the_same_facilities(tmp_path, suffix):
    frame = toy.facilities()[["name", "kind", "geometry"]].reset_index()
    path = tmp_path / f"list.{suffix}"
    renamed = frame.rename(columns={"facility_id": "编号", "name": "名称", "kind": "类型"})
    if suffix == "parquet":
        renamed.to_parquet(path)
    else:
        renamed.to_file(path, encoding="gb18030") if suffix == "shp" else renamed.to_file(path)
    read = read_facilities(path).sort_index()
    assert list(read.index) == sorted(frame["facility_id"])
    assert read["name"].tolist() == ["示例M1", "示例S1", "示例T1"]
    expected = toy.facilities().geometry.sort_index().to_crs(toy.CRS)
    assert read.geometry.to_crs(toy.CRS).distance(expected, align=True).max() < 0.001


def test_rows_of_a_table_in_any_order_give_the_same_rows(tmp_path):
    one = read_facilities(write(tmp_path, "\n".join([HEADER, *ROWS]), "a.csv"), coordinate_system="bd09")
    two = read_facilities(
        write(tmp_path, "\n".join([HEADER, *ROWS[::-1]]), "a.csv"), coordinate_system="bd09"
    )
    columns = [c for c in one.columns if c != "source"]
    pd.testing.assert_frame_equal(one[columns].sort_index(), two[columns].sort_index())


def test_candidates_need_a_cost_and_carry_premises_and_upgrades(tmp_path):
    header = "编号,名称,类型,造价（万元）,场所来源,升级自,依托机构编号,是否必选"
    text = f"{header}\nC1,甲小学,service_centre,125万元,闲置校舍,,,\nC2,乙敬老院,中心敬老院,1.2亿元,改扩建,T1,H1,是\n"
    frame = read_candidates(write(tmp_path, text))
    assert frame["cost"].tolist() == [125.0, 12000.0]
    assert frame["premises"].tolist() == ["idle_school", "upgrade"]
    assert frame["upgrade_of"].tolist()[1] == "T1"
    assert frame["required"].tolist() == [False, True]
    with pytest.raises(FrameError, match=r"\(cost\) is empty: list.csv row 2"):
        read_candidates(write(tmp_path, f"{header}\nC1,甲小学,service_centre,,闲置校舍,,,\n"), strict=True)
    with pytest.raises(FrameError, match="column 'cost' is missing"):
        read_candidates(write(tmp_path, "编号,名称,类型\nC1,甲小学,医院\n"), strict=True)


def test_villages_are_read_with_their_elders_and_sum_as_the_file_does(tmp_path):
    text = "村代码,村名,60岁以上,65岁及以上人口,经度,纬度,乡镇代码,县级代码\n"
    text += "430502001001,甲村,120人,80,111.1,27.1,430502001,430502\n"
    text += "430502001002,乙村,3,1,111.2,27.2,430502001000,430502000000\n合计,,123,81,,,,\n"
    frame = read_demand(write(tmp_path, text), coordinate_system="wgs84")
    assert list(frame.index) == ["430502001001", "430502001002"]
    assert frame["elders"].sum() == 123
    assert frame["unit_id"].tolist() == ["430502001", "430502001"]
    assert frame["county_id"].tolist() == ["430502", "430502"]


def test_a_village_without_elders_or_point_is_a_breach(tmp_path):
    text = "村代码,村名,老年人口,经度,纬度\n1,甲村,,111.1,27.1\n2,乙村,5,,\n"
    with pytest.raises(
        FrameError, match=r"\(elders\) is empty: list.csv row 2.*no coordinates: list.csv row 3"
    ):
        read_demand(write(tmp_path, text), coordinate_system="wgs84", strict=True)


def test_the_officials_own_list_is_read_as_it_is(tmp_path):
    text = (
        "各县市区养老服务设施覆盖情况表,,,,,\n"
        "序号,所在县（市、区）,所在镇（街道）,镇（街道）综合养老服务中心,所在村（社区）,村（社区）居家养老服务中心\n"
        "1,隆回县,桃花坪街道,桃花坪街道综合养老服务中心,火车社区,火车社区居家养老服务中心\n"
        "2,隆回县,桃花坪街道,桃花坪街道综合养老服务中心,新建村,无\n"
        "3,隆回县,城关镇,有,大坪村,√\n"
        "4,隆回县,山界回族乡,,老屋村,\n"
        "合计,,,2,,2\n"
    )
    frame = read_facilities(write(tmp_path, text, "officials.csv", encoding="gb18030"))
    assert frame["name"].to_dict() == {
        "officials-3-service_centre": "桃花坪街道综合养老服务中心",
        "officials-3-station": "火车社区居家养老服务中心",
        "officials-5-service_centre": "城关镇综合养老服务中心",
        "officials-5-station": "大坪村居家养老服务中心",
    }
    assert frame["kind"].tolist() == ["service_centre", "station"] * 2
    assert frame["unit_named"].tolist() == ["桃花坪街道", "桃花坪街道", "城关镇", "城关镇"]
    # the centre that both villages of a town name is one; a town without any is said
    assert said(frame, "same_facility")["row"].tolist() == ["4"]
    assert said(frame, "no_facility")["subject"].tolist() == ["隆回县山界回族乡老屋村"]
    # a column that is read as facilities is not called unused as well
    assert len(said(frame, "column_of_kind")) == 2
    assert said(frame, "column_kept").empty


def test_none_is_zero_and_said_and_an_expected_date_is_its_last_day(tmp_path):
    text = "机构名称,类型,护理型床位数,预计建成时间\n甲敬老院,敬老院,无,预计2026年12月建成\n乙敬老院,敬老院,-,2027年底前\n"
    frame = read_facilities(write(tmp_path, text))
    assert frame["nursing_beds"].fillna(-1).tolist() == [0, -1]
    assert frame["opens_on"].dt.date.astype(str).tolist() == ["2026-12-31", "2027-12-31"]
    assert said(frame, "number_guessed")[["subject", "value"]].to_numpy().tolist() == [["无", "0"]]
    assert len(said(frame, "date_completed")) == 2
