"""Tables say what the findings say, to programs and to spreadsheets, and carry nothing that could run."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sy_coverage import _files
from sy_coverage.outputs import tables
from sy_coverage.outputs.text import format as fmt
from tests import toy
from tests.outputs.conftest import FORMULA, HOSTILE, NORTH_COUNTY


def shuffled(findings):
    """Return the same findings with the rows of every frame in another order."""
    frames = (
        "units",
        "counties",
        "facilities",
        "demand",
        "proposals",
        "catchments",
        "scorecard",
        "reasons",
        "left_out",
        "doubts",
    )
    return replace(
        findings, **{name: getattr(findings, name).sample(frac=1, random_state=7) for name in frames}
    )


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def sheet_rows(content: bytes, sheet: str) -> list[tuple]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return list(book[sheet].iter_rows(values_only=True))


def test_the_scorecard_opens_in_a_spreadsheet_and_has_the_promised_columns(findings):
    content = tables.scorecard_csv(findings)
    assert content.startswith(b"\xef\xbb\xbf")
    assert list(rows_of(content)[0]) == [
        *("target_id", "name", "scope_id", "scope", "value_today", "value_planned", "target"),
        *("met_today", "met_planned", "needed", "basis", "reason", "citation"),
    ]


def test_every_row_of_the_scorecard_is_in_the_csv_in_the_order_of_the_policy(findings):
    rows = rows_of(tables.scorecard_csv(findings))
    assert {(r["target_id"], r["scope_id"]) for r in rows} == set(findings.scorecard.index)
    order = [t.id for t in findings.policy.targets]
    assert [order.index(r["target_id"]) for r in rows] == sorted(order.index(r["target_id"]) for r in rows)


def test_a_value_that_is_not_known_is_blank_with_its_reason_and_never_zero(findings):
    rows = {(r["target_id"], r["scope_id"]): r for r in rows_of(tables.scorecard_csv(findings))}
    unknown = rows["urban_demo_sites", "city"]
    assert [unknown[c] for c in ("value_today", "value_planned", "met_today", "met_planned", "needed")] == [
        ""
    ] * 5
    assert unknown["reason"] == "设施名录没有示范点一栏"
    assert rows["street_centre_coverage", NORTH_COUNTY]["value_today"] == ""
    assert rows["county_dementia_unit", toy.COUNTY]["value_today"] == "0"


def test_numbers_of_the_scorecard_come_back_as_they_were(findings):
    rows = {(r["target_id"], r["scope_id"]): r for r in rows_of(tables.scorecard_csv(findings))}
    assert float(rows["township_centre_coverage", toy.COUNTY]["value_planned"]) == 2 / 3
    assert rows["township_centre_coverage", toy.COUNTY]["met_planned"] == "true"


def test_the_scorecard_opens_on_the_sheet_for_people_and_the_second_is_for_programs(findings):
    content = tables.scorecard_xlsx(findings)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["指标", "scorecard"]
    assert book.active.title == "指标"
    machine = pd.read_excel(
        io.BytesIO(content), sheet_name="scorecard", dtype={"scope_id": str}, engine="openpyxl"
    )
    assert tuple(machine.columns) == tables.SCORECARD
    assert len(machine) == len(findings.scorecard)
    people = sheet_rows(content, "指标")
    assert "示例数据：设施与道路为模拟，不可用于决策" in people[1][0]
    assert people[2][:5] == ("名称", "统计范围", "目标值", "现状值", "规划实施后")


def test_shares_are_percentages_and_counts_are_numbers_in_the_sheet_for_people(county):
    sheet = openpyxl.load_workbook(io.BytesIO(tables.scorecard_xlsx(county)))["指标"]
    formats = {row[0].value: row[2].number_format for row in sheet.iter_rows(min_row=4)}
    assert formats["乡镇综合养老服务中心覆盖率"] == "0.0%"
    assert formats["区域性（中心）敬老院"] == "#,##0"


def test_the_workbook_of_a_proposal_has_its_sheets_with_frozen_headers_and_widths(county, english):
    book = openpyxl.load_workbook(io.BytesIO(tables.proposal_xlsx(county)))
    assert book.sheetnames == ["站址", "单元", "指标", "待核实", "说明", "数字"]
    for name in book.sheetnames[:4]:
        assert book[name].freeze_panes == "A4"
        assert all(book[name].column_dimensions[letter].width > 5 for letter in "ABC")
    english_book = openpyxl.load_workbook(io.BytesIO(tables.proposal_xlsx(english)))
    assert english_book.sheetnames == ["sites", "units", "scorecard", "to verify", "notes", "figures"]


def test_the_sites_of_a_workbook_add_up_to_the_plan(county):
    rows = sheet_rows(tables.proposal_xlsx(county), "站址")
    head = rows[2]
    cost = [row[head.index("投资（万元）")] for row in rows[3:]]
    assert cost == [100, 90, 60, 150, 300, 700]  # five sites and their sum
    assert [row[head.index("序号")] for row in rows[3:8]] == [1, 2, 3, 4, 5]


def test_text_that_a_spreadsheet_would_run_is_text(findings):
    north = findings.of_county(NORTH_COUNTY)
    names = [row[1] for row in sheet_rows(tables.proposal_xlsx(north), "站址")]
    assert "'" + FORMULA in names
    book = openpyxl.load_workbook(io.BytesIO(tables.proposal_xlsx(findings)))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds


@given(st.text(max_size=40))
def test_no_text_starts_like_a_formula_and_harmless_text_keeps_its_words(text):
    written = fmt.inert(text)
    assert not written.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    if text.isalnum():
        assert written == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\r=1"])
def test_each_way_to_start_a_formula_gets_a_quote(text):
    assert fmt.inert(text).startswith("'")


def test_a_negative_number_stays_a_number():
    from sy_coverage.outputs.tables.workbook import cell_value

    assert cell_value(-5.5) == -5.5
    assert cell_value("-5.5") == "'-5.5"


def test_geojson_keeps_rfc_7946_and_says_of_each_site_what_the_tables_say(findings):
    collection = json.loads(tables.proposal_geojson(findings))
    assert "crs" not in collection
    assert collection["notices"] == ["示例数据：设施与道路为模拟，不可用于决策"]
    by_id = {f["id"]: f for f in collection["features"]}
    assert set(by_id) == set(findings.proposals.index)
    lon, lat = by_id["c15"]["geometry"]["coordinates"]
    assert (lon, lat) == (pytest.approx(111.151285, abs=1e-6), pytest.approx(27.118323, abs=1e-6))
    properties = by_id["r15"]["properties"]
    assert (properties["cost"], properties["phase"], properties["upgrade_of"]) == (150, 2025, "T1")
    assert by_id["n08"]["properties"]["medical_min"] is None
    assert by_id["n08"]["properties"]["name"] == HOSTILE


def test_geojson_reads_back_as_the_proposals(findings, tmp_path):
    path = tmp_path / "p.geojson"
    path.write_text(tables.proposal_geojson(findings), encoding="utf-8")
    back = gpd.read_file(path)
    assert back.crs == "EPSG:4326"
    assert back["cost"].sum() == 960  # 700 in one county, 260 in the other


def test_the_geopackage_has_five_layers_with_the_promised_columns(findings, tmp_path):
    path = tmp_path / "coverage.gpkg"
    _files.write_layers(path, tables.layers(findings))
    promised = {
        "units": {"unit_id", "kind", "county_id", "elders"},
        "facilities": {"facility_id", "kind", "status", "unit_id", "county_id"},
        "demand": {"demand_id", "elders", "unit_id", "county_id"},
        "catchments": {"facility_id", "cutoff_min", "kind"},
        "proposals": {"candidate_id", "kind", "unit_id", "county_id", "cost"},
    }
    for layer, columns in promised.items():
        frame = gpd.read_file(path, layer=layer)
        assert columns <= set(frame.columns), layer
        assert frame.crs == "EPSG:4326"
        assert len(frame) == len(getattr(findings, layer))


def test_counted_again_from_the_layers_alone_the_township_target_is_met(findings):
    layers = tables.layers(findings)
    units = layers["units"]
    centres = pd.concat([layers["facilities"].query("status == 'open'"), layers["proposals"]])
    with_centre = set(centres.loc[centres["kind"] == "service_centre", "unit_id"])
    for _, own in units[units["kind"] == "township"].groupby("county_id"):
        assert len(set(own.index) & with_centre) >= 2  # ⌈0.65 × 3⌉


def test_a_facility_without_a_point_stays_in_the_layer_with_its_reason(findings):
    row = tables.layers(findings)["facilities"].loc["N3"]
    assert row.geometry is None
    assert row["location_reason"] == "地址中没有村、社区或乡镇名"


def test_yes_and_no_are_written_as_such_and_unknown_as_nothing(findings, tmp_path):
    wards = pd.Series([None] * len(findings.facilities), index=findings.facilities.index, dtype=object)
    wards.iloc[:2] = [True, False]
    some = replace(findings, facilities=findings.facilities.assign(dementia_ward=wards))
    _files.write_layers(tmp_path / "c.gpkg", tables.layers(some))
    with closing(sqlite3.connect(tmp_path / "c.gpkg")) as database:
        kinds = dict(row[1:3] for row in database.execute("PRAGMA table_info(facilities)"))
        held = dict(database.execute("SELECT facility_id, dementia_ward FROM facilities"))
    assert kinds["dementia_ward"] == "BOOLEAN"
    assert [held[i] for i in findings.facilities.index[:3]] == [1, 0, None]


def test_layers_without_any_row_can_be_written(findings, tmp_path):
    empty = replace(findings, proposals=findings.proposals.iloc[:0], catchments=findings.catchments.iloc[:0])
    _files.write_layers(tmp_path / "c.gpkg", tables.layers(empty))
    assert len(gpd.read_file(tmp_path / "c.gpkg", layer="proposals")) == 0
    assert json.loads(tables.proposal_geojson(empty))["features"] == []
    assert len(sheet_rows(tables.proposal_xlsx(empty), "站址")) == 3  # title, notices, header


@pytest.mark.parametrize(
    "make",
    [
        tables.scorecard_csv,
        tables.catchments_csv,
        tables.scorecard_xlsx,
        tables.proposal_xlsx,
        tables.proposal_geojson,
    ],
)
def test_the_order_of_rows_changes_no_byte(findings, make):
    assert make(findings) == make(shuffled(findings))


def test_the_order_of_rows_changes_no_byte_of_the_geopackage(findings, tmp_path):
    for name, what in (("a", findings), ("b", shuffled(findings))):
        (tmp_path / name).mkdir()
        _files.write_layers(tmp_path / name / "coverage.gpkg", tables.layers(what))
    assert (tmp_path / "a/coverage.gpkg").read_bytes() == (tmp_path / "b/coverage.gpkg").read_bytes()


@pytest.mark.parametrize("make", [tables.scorecard_xlsx, tables.proposal_xlsx])
def test_workbooks_know_no_clock_but_the_date_of_the_findings(findings, make):
    with zipfile.ZipFile(io.BytesIO(make(findings))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2027, 12, 31, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert core.count("2027-12-31T00:00:00Z") == 2


@pytest.mark.parametrize(
    "make", [tables.proposal_xlsx, tables.scorecard_xlsx, tables.scorecard_csv, tables.proposal_geojson]
)
def test_control_characters_in_names_break_no_table(findings, make):
    proposals = findings.proposals.assign(name="a\x00b\x1bc\ufffe")
    doubts = findings.doubts.assign(name="x\x07")
    assert make(replace(findings, proposals=proposals, doubts=doubts, scope_name="s\x01"))
