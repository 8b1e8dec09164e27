"""Hostile and damaged tables and boundary files: each stops with a sentence, or is read as it is meant."""

from __future__ import annotations

import io
import json
import stat
import time
import zipfile

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from sy_coverage._files import decode, read_grid
from sy_coverage.errors import (
    ConfigError,
    CoverageError,
    CRSMismatchError,
    FrameError,
    GeometryError,
    InputError,
    MissingCRSError,
    MissingFileError,
    UnreadableFileError,
)
from sy_coverage.places import Limits, assign_units, doubts, read_demand, read_facilities, read_units
from sy_coverage.places.ground.names import UnitNames
from sy_coverage.policy import load_policy
from sy_coverage.study import read_study
from tests import toy

HEADER = "编号,名称,类型,床位数\n"


def write(folder, text, name="a.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_row_01_repeated_ids_stop_with_the_first_five_and_how_many(tmp_path):
    rows = [f"D{i},甲,医院,1\n" for i in range(7) for _ in range(2)]
    with pytest.raises(FrameError, match=r"D0 \(a.csv row 2, a.csv row 3\).*D4 .*\(7 in all\)") as caught:
        read_facilities(write(tmp_path, HEADER + "".join(rows)), strict=True)
    assert "D5" not in str(caught.value)


@settings(max_examples=15)
@given(st.lists(st.from_regex(r"0{0,4}[0-9A-Z]{1,6}", fullmatch=True), min_size=1, max_size=20, unique=True))
def test_row_02_any_id_stays_the_text_it_is(tmp_path_factory, ids):
    text = HEADER + "".join(f"{i},甲,医院,1\n" for i in ids)
    assert list(read_facilities(write(tmp_path_factory.mktemp("ids"), text)).index) == ids


@pytest.mark.parametrize("content", ["", "   \n", "\ufeff"])
def test_row_05_an_empty_file_is_refused(tmp_path, content):
    with pytest.raises((UnreadableFileError, FrameError), match=r"empty|no header"):
        read_facilities(write(tmp_path, content))


def test_row_05_a_header_alone_has_no_facilities_and_one_row_is_one(tmp_path):
    with pytest.raises(FrameError, match=r"no row in .*a.csv"):
        read_facilities(write(tmp_path, HEADER))
    assert len(read_facilities(write(tmp_path, HEADER + "1,甲,医院,\n"))) == 1


def test_row_06_missing_columns_are_said_in_one_message(tmp_path):
    with pytest.raises(FrameError) as caught:
        read_demand(write(tmp_path, "村代码,户数\n1,2\n"), strict=True)
    assert "'elders' is missing" in str(caught.value)
    assert 'columns = { elders = "…" }' in str(caught.value)


@pytest.mark.parametrize(
    "cell", ["-5", "NaN", "inf", "-inf", "1e400", "12O", "约80", "80张左右", "0x10", "三十"]
)
def test_row_07_what_is_no_plain_number_stops_with_its_row(tmp_path, cell):
    text = HEADER + f"1,甲,医院,{cell}\n2,乙,医院,3\n3,丙,医院,{cell}\n"
    with pytest.raises(FrameError, match=r"床位数.*a.csv row 2 .*a.csv row 4"):
        read_facilities(write(tmp_path, text), strict=True)


@given(st.text(max_size=12))
def test_row_07_a_cell_is_a_finite_number_of_zero_or_more_or_a_breach(text):
    from sy_coverage.places.sheets import words

    value, problem = words.number(text, "beds")
    assert (value is None) != (problem is None)
    assert value is None or np.isfinite(value)


def packed(name, content, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def test_row_08_an_archive_that_unpacks_a_hundredfold_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = write(tmp_path, packed("xl/worksheets/sheet1.xml", b"0" * 20_000_000), "bomb.xlsx")
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_, **__: pytest.fail("it was unpacked"))
    with pytest.raises(
        UnreadableFileError, match=r"unpack to 20,000,000; .* 100 times .*\[limits\] with ratio"
    ):
        read_facilities(path)


def test_row_08_a_larger_ratio_lets_the_archive_through_to_what_is_inside(tmp_path):
    path = write(tmp_path, packed("list.csv", b"0" * 20_000_000), "bomb.zip")
    with pytest.raises(UnreadableFileError, match="unpack it and name the file inside"):
        read_facilities(path, limits=Limits(ratio=2000))
    with pytest.raises(UnreadableFileError, match=r"at most 19 MB .*\[limits\] with megabytes"):
        read_facilities(path, limits=Limits(ratio=2000, megabytes=19))


def test_row_08_members_that_share_their_packed_bytes_count_them_once(tmp_path):
    # forty members over the same 20 kB: each for itself unpacks to a fiftieth of what all together do
    content = bytearray(packed("a.xml", np.random.default_rng(8).bytes(20_000) + b"0" * 1_000_000))
    start = int.from_bytes(content[-6:-2], "little")
    entry, end = content[start:-22], content[-22:]
    end[8:12] = (40).to_bytes(2, "little") * 2
    end[12:16] = (40 * len(entry)).to_bytes(4, "little")
    path = write(tmp_path, bytes(content[:start] + entry * 40 + end), "bomb.xlsx")
    with pytest.raises(UnreadableFileError, match="unpack to 40,800,000"):
        read_facilities(path)


ROWS_101 = HEADER + "".join(f"{n},甲{n},医院,1\n" for n in range(100))
"""With the header, 101 rows."""


def test_row_08_too_many_rows_are_refused_and_the_limit_is_named_and_can_be_raised(tmp_path):
    path = write(tmp_path, ROWS_101)
    with pytest.raises(UnreadableFileError, match=r"more than 100 rows.*\[limits\] with rows.*now 100;"):
        read_facilities(path, limits=Limits(rows=100))
    assert len(read_facilities(path, limits=Limits(rows=101))) == 100


@pytest.mark.parametrize("ending", ["xlsx", "gpkg", "parquet"])
def test_row_08_the_limit_of_rows_holds_for_every_kind_of_file(tmp_path, ending):
    path = tmp_path / f"list.{ending}"
    frame = gpd.GeoDataFrame(
        {"编号": [f"{n}" for n in range(100)], "名称": "甲", "类型": "医院"},
        geometry=gpd.points_from_xy(110 + np.arange(100) / 100, [27.0] * 100),
        crs=4326,
    )
    if ending == "xlsx":
        pd.DataFrame(frame.drop(columns="geometry")).to_excel(path, index=False)
    elif ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    with pytest.raises(UnreadableFileError, match="more than 99 rows"):
        read_facilities(path, limits=Limits(rows=99))
    with pytest.raises(UnreadableFileError, match=r"10[01] rows of up to [34] columns"):
        read_facilities(path, limits=Limits(cells=299))
    assert len(read_facilities(path, limits=Limits(rows=101))) == 100


def test_row_08_a_file_of_more_bytes_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(500_000_001)
    with pytest.raises(
        UnreadableFileError, match=r"500,000,001 bytes; at most 500 MB.*\[limits\] with megabytes"
    ):
        read_facilities(path)
    written = write(tmp_path, HEADER + "1,甲,医院,1\n" + "# " + "x" * 1_000_000)
    with pytest.raises(UnreadableFileError, match="at most 1 MB"):
        read_facilities(written, limits=Limits(megabytes=1))


@pytest.mark.parametrize("more", [1, 2])
def test_row_08_the_table_of_a_shapefile_is_held_to_the_same_limit_and_let_through_with_it(tmp_path, more):
    long = {f"c{n}": "x" * 200 for n in range(60)}  # 100 rows of 12 kB
    frame = gpd.GeoDataFrame(
        {"编号": [f"{n}" for n in range(100)], "名称": "甲", "类型": "医院", **long},
        geometry=gpd.points_from_xy([111.0] * 100, [27.0] * 100),
        crs=4326,
    )
    frame.to_file(tmp_path / "a.shp", encoding="utf-8")
    if more == 1:
        with pytest.raises(UnreadableFileError, match=r"a\.dbf: 1,.* at most 1 MB.*now 1;"):
            read_facilities(tmp_path / "a.shp", limits=Limits(megabytes=1))
    else:
        assert len(read_facilities(tmp_path / "a.shp", limits=Limits(megabytes=2))) == 100


def test_row_08_a_study_sets_the_limits_of_all_its_files(tmp_path):
    study_file = toy.write_study(tmp_path)
    with study_file.open("a", encoding="utf-8") as file:
        file.write("\n[limits]\nrows = 2\n")
    study = read_study(study_file)
    for what in ("units", "given_facilities", "demand"):
        with pytest.raises(UnreadableFileError, match=r"more than 2 rows.*\[limits\]"):
            getattr(study, what)
    study_file.write_text(study_file.read_text(encoding="utf-8").replace("rows = 2", "vertices = 5"))
    with pytest.raises(GeometryError, match=r"at most 5 are read.*\[limits\] with vertices"):
        _ = read_study(study_file).units


@pytest.mark.parametrize(
    "wrong", [{"rows": 0}, {"ratio": -1}, {"megabytes": float("nan")}, {"rows": 1.5}, {"cells": 10**13}]
)
def test_row_08_what_is_no_limit_is_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Limits(**wrong)


def test_row_08_the_highest_limits_are_limits_too_and_a_study_may_ask_for_no_higher_ones(tmp_path):
    path = write(tmp_path, ROWS_101)
    most = dict.fromkeys(("megabytes", "ratio", "rows", "cells", "vertices"), 10**12)
    assert len(read_facilities(path, limits=Limits(**most))) == 100
    study_file = toy.write_study(tmp_path)
    with study_file.open("a", encoding="utf-8") as file:
        file.write("\n[limits]\nrows = 10_000_000_000_000\n")
    with pytest.raises(ConfigError, match=r"limits\.rows"):
        read_study(study_file)


@pytest.mark.parametrize("member", ["../../x.csv", "/etc/x.csv", "a/../../x.csv", "..\\x.csv"])
def test_row_09_an_archive_that_leaves_its_folder_is_refused_and_nothing_is_unpacked(tmp_path, member):
    path = write(tmp_path, packed(member, "编号,名称\n1,2\n"), "a.zip")
    with pytest.raises(UnreadableFileError, match="leaves its folder"):
        read_facilities(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_row_09_a_plain_archive_is_refused_naming_what_is_inside(tmp_path):
    with pytest.raises(UnreadableFileError, match=r"unpack it and name the file inside: list.csv"):
        read_facilities(write(tmp_path, packed("list.csv", "编号,名称\n1,2\n"), "a.zip"))


def test_row_09_several_layers_are_asked_about_by_name(tmp_path):
    path = tmp_path / "a.gpkg"
    frame = toy.facilities().reset_index()
    frame.to_file(path, layer="centres")
    frame.to_file(path, layer="homes")
    with pytest.raises(UnreadableFileError, match=r"several layers \(centres, homes\).*a.gpkg#centres"):
        read_facilities(path)
    assert len(read_facilities(f"{path}#homes")) == 3


def test_row_09_a_link_and_an_encrypted_member_in_an_archive_are_refused(tmp_path):
    link = zipfile.ZipInfo("xl/workbook.xml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(UnreadableFileError, match=r"'xl/workbook\.xml' is a link"):
        read_facilities(write(tmp_path, packed(link, "/etc/passwd"), "a.xlsx"))
    secret = bytearray(packed("xl/workbook.xml", "x"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        secret[secret.index(signature) + offset] |= 1  # the flag that says encrypted
    with pytest.raises(UnreadableFileError, match="encrypted"):
        read_facilities(write(tmp_path, bytes(secret), "b.xlsx"))


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "xlsx", "fgb", "parquet"])
def test_row_10_a_truncated_file_is_unreadable_and_named(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    frame = toy.facilities()[["name", "kind", "geometry"]].rename_axis("id")
    if suffix == "xlsx":
        book = openpyxl.Workbook()
        book.active.append(["名称", "类型"])
        book.save(path)
    elif suffix == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(UnreadableFileError, match=f"a.{suffix}"):
        read_facilities(path)


@pytest.mark.parametrize("part", [".dbf", ".shx"])
def test_row_10_a_shapefile_that_lacks_a_part_is_refused_by_the_part(tmp_path, part):
    path = tmp_path / "a.shp"
    toy.units()[["name", "geometry"]].to_file(path)
    path.with_suffix(part).unlink()
    with pytest.raises(UnreadableFileError, match=rf"its \{part} is not there"):
        read_units(path)


VRT = "<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"


@pytest.mark.parametrize("name", ["x.geojson", "x.gpkg", "x.csv", "x.shp", "x.vrt"])
def test_row_11_a_vrt_under_any_name_is_refused(tmp_path, name):
    with pytest.raises(UnreadableFileError, match="XML is no table"):
        read_units(write(tmp_path, VRT, name))


def test_row_11_json_that_is_no_geojson_is_refused(tmp_path):
    for text in ('{"type":"STACCollection"}', '{"a":1}', '{"type":"FeatureCollection"', "{}"):
        with pytest.raises(UnreadableFileError, match="GeoJSON"):
            read_units(write(tmp_path, text, "x.geojson"))


@pytest.mark.parametrize(
    "path",
    [
        "http://169.254.169.254/latest",
        "https://x/y.csv",
        "s3://b/k.csv",
        "/vsicurl/http://x/y.gpkg",
        "/vsizip/a.zip/b",
    ],
)
def test_row_12_only_local_files_are_read(path):
    with pytest.raises(InputError, match="only local files"):
        read_facilities(path)


def test_row_12_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(MissingFileError, match="no such file"):
        read_facilities(tmp_path / "none.csv")
    with pytest.raises(MissingFileError, match="is a folder"):
        read_facilities(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><gml>&b;</gml>',
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><kml>&e;</kml>',
    ],
)
def test_row_13_and_row_14_xml_with_entities_is_never_parsed(tmp_path, text):
    for name in ("a.gml", "a.kml", "a.geojson", "a.csv"):
        with pytest.raises(UnreadableFileError, match="XML"):
            read_units(write(tmp_path, text, name))


def test_row_13_entities_inside_a_workbook_are_not_expanded(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["名称", "类型"])
    buffer = io.BytesIO()
    book.save(buffer)
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    out = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                content = bomb + content.replace(b"<sheetData>", b"<sheetData>&b;")
            new.writestr(item.filename, content)
    with pytest.raises(CoverageError):
        read_facilities(write(tmp_path, out.getvalue(), "a.xlsx"))


def test_row_15_a_hundred_thousand_vertices_are_read_in_time_and_more_than_the_limit_are_refused(tmp_path):
    angle = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    ring = np.column_stack([toy.EAST + 9000 * np.cos(angle), toy.NORTH + 9000 * np.sin(angle)])
    frame = gpd.GeoDataFrame(
        {"unit_id": ["990100001"], "name": ["甲镇"]}, geometry=[Polygon(ring)], crs=toy.CRS
    )
    frame.to_file(tmp_path / "a.gpkg")
    start = time.process_time()
    assert len(read_units(tmp_path / "a.gpkg")) == 1
    assert time.process_time() - start < 10
    with pytest.raises(
        GeometryError, match=r"100,001 vertices; at most 100,000.*Simplify.*\[limits\] with vertices"
    ):
        read_units(tmp_path / "a.gpkg", limits=Limits(vertices=100_000))
    assert len(read_units(tmp_path / "a.gpkg", limits=Limits(vertices=100_001))) == 1


def test_row_15_a_polygon_with_ten_thousand_holes_is_read_in_time_and_keeps_them(tmp_path):
    corners = [(toy.EAST + 90 * i, toy.NORTH + 90 * j) for i in range(100) for j in range(100)]
    holes = [[(x, y), (x, y + 30), (x + 30, y + 30), (x + 30, y)] for x, y in corners]
    shell = box(toy.EAST - 100, toy.NORTH - 100, toy.EAST + 9100, toy.NORTH + 9100)
    frame = gpd.GeoDataFrame(
        {"unit_id": ["990100001"], "name": ["甲镇"]},
        geometry=[Polygon(shell.exterior.coords, holes)],
        crs=toy.CRS,
    )
    frame.to_file(tmp_path / "a.gpkg")
    start = time.process_time()
    units = read_units(tmp_path / "a.gpkg").to_crs(toy.CRS)
    assert time.process_time() - start < 20
    # 9,200 m square less ten thousand holes of 30 m square
    assert units.area.iloc[0] == pytest.approx(9200**2 - 10_000 * 900, rel=1e-6)


def test_row_16_a_formula_in_a_name_stays_the_text_it_is(tmp_path):
    names = ["=cmd|' /C calc'!A0", "@SUM(A1)", "+1", "-2+3", "{{7*7}}", "<script>alert(1)</script>"]
    book = openpyxl.Workbook()
    book.active.append(["名称", "类型"])
    for name in names:
        book.active.append([name, "医院"])
        book.active.cell(book.active.max_row, 1).data_type = "s"
    book.save(tmp_path / "a.xlsx")
    assert read_facilities(tmp_path / "a.xlsx")["name"].tolist() == names


def test_row_18_and_row_19_frames_without_a_system_are_refused_and_others_reprojected():
    frame = toy.facilities().drop(columns=["unit_id", "county_id"])
    with pytest.raises(MissingCRSError):
        assign_units(frame.set_crs(None, allow_override=True), toy.units())
    assert issubclass(CRSMismatchError, ValueError)
    one = assign_units(frame, toy.units())
    two = assign_units(frame.to_crs("EPSG:4546"), toy.units().to_crs("EPSG:3857"))
    assert one["unit_id"].tolist() == two["unit_id"].tolist() == ["990100001", "990100100", "990100001"]


def test_row_28_units_across_the_antimeridian_or_at_a_pole_are_out_of_area(tmp_path):
    for shape in (box(-179.9, 10, 179.9, 11), box(10, 85, 11, 89)):
        frame = gpd.GeoDataFrame(
            {"unit_id": ["990100001"], "name": ["甲镇"]}, geometry=[shape], crs="EPSG:4326"
        )
        frame.to_file(tmp_path / "a.gpkg")
        with pytest.raises(GeometryError, match="not supported"):
            read_units(tmp_path / "a.gpkg")


def test_row_79_a_renamed_town_is_matched_and_an_unknown_one_is_asked_about(shared_data):
    towns = pd.read_csv(shared_data / "shaoyang" / "towns_2023.csv", dtype=str)
    frame = towns.rename(columns={"code": "unit_id", "county_code": "county_id"}).set_index("unit_id")
    names = UnitNames.of(frame)
    assert names.units("罗士镇", "430503") == names.units("罗市镇", "430503") == {"430503101"}
    assert names.units("罗士镇", "430502") == set()
    # a town that was divided since is both its parts: no row is given to one of them without asking
    assert names.units("桃洪镇", "430524") == names.units("桃洪", "430524") == {"430524001", "430524002"}
    # every town is found by its own name inside its county, and with its county in front of it
    for unit_id, row in frame.iterrows():
        assert names.units(row["name"], row["county_id"]) == {unit_id}
        assert names.units(row["county"] + row["name"], None) == {unit_id}
        assert names.units(unit_id + "000", None) == {unit_id}


def test_row_83_a_total_is_never_a_facility(tmp_path):
    rows = ["合计,,,3", "总 计,,,3", "全市合计：,,,3", ",小计,,3", "大祥区小计（2所）,,,2", "Total,,,3"]
    text = HEADER + "A,甲,医院,3\n" + "\n".join(rows) + "\n"
    frame = read_facilities(write(tmp_path, text))
    assert list(frame.index) == ["A"]
    assert len(frame.attrs["report"].query("what_id == 'total_row'")) == len(rows)


def test_row_83_a_facility_whose_name_only_resembles_a_total_or_note_is_kept(tmp_path):
    text = HEADER + "A,合计街养老院,敬老院,3\nB,来源村敬老院,敬老院,3\n备注01,说明路敬老院,敬老院,1\n"
    assert len(read_facilities(write(tmp_path, text))) == 3


def test_row_88_a_centre_that_lists_only_some_functions_is_flagged_and_one_that_lists_none_is_not(tmp_path):
    text = "编号,名称,类型,服务功能\nA,甲,服务中心,全托、日托\nB,乙,服务中心,\nC,丙,服务中心,全托/日托/上门服务/家庭床位\n"
    frame = read_facilities(write(tmp_path, text))
    found = doubts(frame, toy.units(), policy=load_policy("shaoyang_2025")).query(
        "doubt_id == 'functions_missing'"
    )
    assert found[["row_id", "subject"]].to_numpy().tolist() == [["A", "上门服务、家庭床位"]]


@given(st.binary(max_size=400))
def test_row_04_any_bytes_decode_or_are_refused_by_our_own_error(content):
    try:
        text, name = decode(content, "x")
    except UnreadableFileError:
        return
    # what was decoded is all that was there
    assert (
        text.encode(name) in {content, b"\xff\xfe" + content, content.removeprefix(b"\xfe\xff")}
        or name == "utf-16"
    )


@given(
    st.binary(min_size=1, max_size=600), st.sampled_from(["csv", "xlsx", "gpkg", "geojson", "shp", "parquet"])
)
def test_row_10_any_bytes_under_any_name_give_a_grid_or_our_own_error(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("bytes") / f"x.{suffix}"
    path.write_bytes(content)
    try:
        grid = read_grid(path)
    except CoverageError:
        return
    assert len({len(row) for row in grid.cells}) <= 1


def test_row_25_facilities_without_a_shape_are_not_located_and_never_dropped(tmp_path):
    frame = toy.facilities().reset_index()
    frame.loc[1, "geometry"] = None
    frame.loc[2, "geometry"] = Point()
    frame.to_file(tmp_path / "a.gpkg")
    read = read_facilities(tmp_path / "a.gpkg")
    assert read["location_status"].tolist() == ["located", "not_located", "not_located"]


def test_a_geojson_of_facilities_is_wgs84_unless_declared(tmp_path):
    feature = {
        "type": "Feature",
        "properties": {"编号": "1", "名称": "甲", "类型": "医院"},
        "geometry": {"type": "Point", "coordinates": [111.473263828, 27.235655438]},
    }
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    path = write(tmp_path, text, "a.geojson")
    plain, declared = read_facilities(path), read_facilities(path, coordinate_system="gcj02")
    assert plain.geometry.item().x == pytest.approx(111.473263828)
    assert declared.geometry.item().x == pytest.approx(111.4677, abs=1e-7)
    assert "system_from_file" in set(plain.attrs["report"]["what_id"])
