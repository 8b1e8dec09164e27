"""Files and folders nobody expects: zeros in text, cells far outside, pipes, odd encodings, results over inputs."""

from __future__ import annotations

import os
import re
import threading
import zipfile

import openpyxl
import pytest

from sy_coverage._files.tables.workbooks import _MERGED
from sy_coverage.errors import (
    CannotWriteError,
    ConfigError,
    FrameError,
    InputError,
    MissingFileError,
    UnreadableFileError,
)
from sy_coverage.places import Limits, read_candidates, read_facilities, read_units
from sy_coverage.study import read_config, read_study
from sy_coverage.study.check import check
from sy_coverage.study.config.new import new_study
from sy_coverage.study.results import again
from tests import toy
from tests.faults.finished import Finished, contents

ROWS = "编号,名称,类型\n1,甲,医院\n2,乙,医院\n"


def changed(study_file, old, new):
    text = study_file.read_text(encoding="utf-8")
    assert old in text
    study_file.write_text(text.replace(old, new), encoding="utf-8")
    return study_file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("at", [3, 15, 25])
def test_row_04_a_zero_byte_in_text_stops_and_is_named_and_is_no_utf_16(tmp_path, encoding, at):
    content = ROWS.encode(encoding)
    at = next(n for n in range(at, len(content)) if content[n] < 0x80)  # between two characters
    (tmp_path / "a.csv").write_bytes(content[:at] + b"\0" + content[at:])
    with pytest.raises(UnreadableFileError, match="is NUL, which no text holds"):
        read_facilities(tmp_path / "a.csv")


@pytest.mark.parametrize("text", [ROWS, "facility_id,name,kind\n1,A,medical\n2,B,medical\n"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_row_04_utf_16_without_a_mark_is_still_found_out(tmp_path, text, encoding):
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    assert len(read_facilities(tmp_path / "a.csv")) == 2


def test_row_04_a_file_of_zeros_is_damaged(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\0" * 5000)
    with pytest.raises(UnreadableFileError, match="character 0 is NUL"):
        read_facilities(tmp_path / "a.csv")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_row_04_a_study_file_is_read_as_its_editor_saved_it(tmp_path, encoding):
    study_file = toy.write_study(tmp_path)
    config = read_config(study_file)
    study_file.write_bytes(study_file.read_text(encoding="utf-8").replace("\n", "\r\n").encode(encoding))
    assert read_config(study_file) == config


@pytest.mark.parametrize(
    "text",
    ["x = " + "[" * 5000 + "]" * 5000, "x = " + "9" * 5000, "x = \0", b"\xff\xfe\x00\xd8".decode("latin-1")],
)
def test_row_10_a_study_file_that_is_no_toml_is_refused_by_our_own_error(tmp_path, text):
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"study\.toml"):
        read_config(tmp_path / "study.toml")


def test_row_10_geojson_nested_beyond_reading_is_damaged(tmp_path):
    deep = "[" * 100_000 + "]" * 100_000
    (tmp_path / "a.geojson").write_text(f'{{"type": "FeatureCollection", "features": {deep}}}')
    with pytest.raises(UnreadableFileError, match="damaged GeoJSON"):
        read_units(tmp_path / "a.geojson")


def test_row_12_a_pipe_and_a_device_are_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    for path in (tmp_path / "a.csv", "/dev/zero"):
        refused = []
        reader = threading.Thread(target=lambda p=path, r=refused: r.append(_refusal(p)), daemon=True)
        reader.start()
        reader.join(60)
        assert len(refused) == 1
        assert "device or a pipe" in refused[0]


def _refusal(path):
    with pytest.raises(MissingFileError) as caught:
        read_facilities(path)
    return str(caught.value)


@pytest.mark.parametrize("name", ["x" * 5000 + ".csv", "~nobody-of-this-name/a.csv", "a\0b.csv"])
def test_row_12_names_that_no_file_can_have_are_not_there(tmp_path, name):
    study = read_study(toy.write_study(tmp_path))
    with pytest.raises(MissingFileError, match="there is no such file") as caught:
        read_facilities(study.path(name))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["x" * 300, "a\\u0000b"])
@pytest.mark.parametrize("what", ["facilities.csv", "roads.osm", "shaoyang_2025"])
def test_row_12_a_study_of_such_names_is_refused_by_check_and_by_a_run(tmp_path, name, what):
    study_file = changed(toy.write_study(tmp_path), what, name + what)
    assert check(study_file).errors
    with pytest.raises(InputError):
        read_study(study_file).save(tmp_path / "out")


def test_row_12_a_folder_of_such_a_name_has_no_results_and_becomes_no_study(tmp_path):
    with pytest.raises(MissingFileError, match="no results of a whole run"):
        again.read_findings(tmp_path / ("x" * 300))
    with pytest.raises(CannotWriteError):
        new_study(tmp_path / ("x" * 300))


def workbook(path, *, cells=()):
    book = openpyxl.Workbook()
    for line in ROWS.splitlines():
        book.active.append(line.split(","))
    for row, column, value in cells:
        cell = book.active.cell(row, column, value)
        cell.number_format = "0.0"
    book.save(path)
    return path


def test_row_08_a_format_far_outside_a_sheet_costs_nothing(tmp_path):
    path = workbook(tmp_path / "a.xlsx", cells=[(1_000_000, 16_000, None)])
    assert len(read_facilities(path)) == 2


def test_row_08_a_stray_value_far_outside_a_sheet_is_refused_before_a_table_is_made_of_it(tmp_path):
    path = workbook(tmp_path / "a.xlsx", cells=[(900_000, 16_000, "x")])
    with pytest.raises(
        UnreadableFileError, match=r"900,000 rows of up to 16,000 columns.*\[limits\] with cells"
    ):
        read_facilities(path)


def test_row_08_one_long_line_among_many_short_ones_is_refused_before_the_short_are_filled_up(tmp_path):
    (tmp_path / "a.csv").write_text(ROWS + "9,丁,医院\n" * 20_000 + "," * 9_999)
    with pytest.raises(UnreadableFileError, match="20,004 rows of up to 10,000 columns"):
        read_facilities(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text(ROWS + "," * 9)
    with pytest.raises(UnreadableFileError, match="4 rows of up to 10 columns; at most 39 cells"):
        read_facilities(tmp_path / "b.csv", limits=Limits(cells=39))
    assert len(read_facilities(tmp_path / "b.csv", limits=Limits(cells=40))) == 2


@pytest.mark.parametrize("area", ["A1:XFD1048576", "A9:AMJ1009"])
def test_row_08_a_merged_area_as_large_as_the_sheet_is_refused_before_its_cells_are_made(tmp_path, area):
    whole = workbook(tmp_path / "whole.xlsx")
    merge = f'</sheetData><mergeCells count="1"><mergeCell ref="{area}"/></mergeCells>'.encode()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"</sheetData>", merge))
    with pytest.raises(UnreadableFileError, match="merged areas of"):
        read_facilities(tmp_path / "a.xlsx")


def test_row_08_marks_of_merged_areas_that_never_end_are_looked_over_once():
    marks = b"<mergeCell " * 1_000_000
    assert _MERGED.findall(marks + b'<x:mergeCell a="1" ref="$B$2:D4"/>') == [(b"B", b"2", b"D", b"4")]


def test_row_10_a_date_that_is_none_is_a_breach_and_no_warning(tmp_path):
    book = openpyxl.load_workbook(workbook(tmp_path / "a.xlsx"))
    book.active["D1"] = "开业日期"
    book.active["D2"] = 1e12
    book.active["D2"].number_format = "yyyy-mm-dd"
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(FrameError, match="shows an error of the spreadsheet program"):
        read_facilities(tmp_path / "a.xlsx", strict=True)


@pytest.mark.parametrize("cost", ["1e308", "1e13", "-1e13"])
def test_row_07_a_number_beyond_all_counts_and_costs_is_a_breach(tmp_path, cost):
    (tmp_path / "a.csv").write_text(f"编号,名称,类型,造价,性质\n1,甲,区域性敬老院,{cost},新建\n")
    with pytest.raises(FrameError, match=r"a\.csv row 2"):
        read_candidates(tmp_path / "a.csv", strict=True)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return Finished.of(toy.write_study(tmp_path_factory.mktemp("study")), tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"outputs": 5}',
        b'{"outputs": {"proposals/' + b"x" * 300 + b'": 1}}',
        b'{"outputs": {"keep.csv": 1, "../keep.csv": 1, "a\\u0000b": 1, "proposals": 1, "proposals/../keep.csv": 1, "": 1, ".": 1}}',
    ],
)
def test_row_71_a_damaged_or_false_manifest_removes_nothing_but_results_and_stops_no_run(
    finished, monkeypatch, tmp_path, manifest
):
    finished.ready(monkeypatch)
    out = tmp_path / "out"
    out.mkdir()
    for path in (out / "keep.csv", tmp_path / "keep.csv"):
        path.write_text("mine")
    (out / "manifest.json").write_bytes(manifest)
    finished.study.save(out)
    assert [p.read_text() for p in (out / "keep.csv", tmp_path / "keep.csv")] == ["mine", "mine"]
    (out / "keep.csv").unlink()
    assert contents(out) == finished.written
    (out / "manifest.json").write_bytes(manifest)
    again.write([("map.html", lambda: b"drawn again")], out)
    assert (out / "map.html").read_bytes() == b"drawn again"


@pytest.mark.parametrize("name", ["coverage.gpkg", "proposals/units.gpkg"])
def test_row_71_results_never_replace_what_the_study_reads(tmp_path, name):
    study_file = toy.write_study(tmp_path)
    (tmp_path / "proposals").mkdir()
    (tmp_path / "units.gpkg").rename(tmp_path / name)
    changed(study_file, "units.gpkg", name)
    changed(study_file, "date = ", 'output = "."\ndate = ')
    before = (tmp_path / name).read_bytes()
    with pytest.raises(CannotWriteError, match="written over what the study reads"):
        read_study(study_file).save(tmp_path)
    assert (tmp_path / name).read_bytes() == before
    assert any("written over what the study reads" in error for error in check(study_file).errors)


def test_row_75_a_folder_with_a_name_that_holds_nul_is_refused_before_any_work(tmp_path):
    study_file = changed(toy.write_study(tmp_path), "date = ", 'output = "o\\u0000ut"\ndate = ')
    assert any("no name holds NUL" in error for error in check(study_file).errors)
    with pytest.raises(CannotWriteError, match="NUL"):
        read_study(study_file).save("o\0ut")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "costs = { service_center = { new = 5 } }",
            r"costs: no such kind: service_center; .*service_centre",
        ),
        (
            "floor_area_m2 = { statoin = 300 }",
            "no such kind of station: statoin; allowed: station, village_station",
        ),
        ("floor_area_m2 = { medical = 300 }", "no such kind of station: medical"),
    ],
)
def test_check_names_kinds_that_the_policy_does_not_know(tmp_path, line, said):
    study_file = changed(toy.write_study(tmp_path), "[candidates]\n", f"[candidates]\n{line}\n")
    assert re.search(said, "\n".join(check(study_file).errors))


def test_check_names_reported_targets_and_roads_that_a_run_would_refuse(tmp_path):
    study_file = changed(toy.write_study(tmp_path), 'source = "roads.osm"', 'source = "villages.csv"')
    with study_file.open("a", encoding="utf-8") as file:
        file.write("[reported]\nnope = 0.5\nmonthly_visits = nan\n")
    errors = "\n".join(check(study_file).errors)
    assert "nope: no such target" in errors
    assert "monthly_visits.city: nan is no number" in errors
    assert "villages.csv: not an OpenStreetMap extract" in errors


def test_a_study_in_a_folder_with_quotes_and_windows_line_ends_is_read(tmp_path):
    folder = tmp_path / 'it\'s "a" folder'
    folder.mkdir()
    study_file = toy.write_study(folder)
    for name in ("facilities.csv", "candidates.csv", "villages.csv", "study.toml"):
        path = folder / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    study = read_study(study_file)
    assert list(study.facilities.index) == list(toy.facilities().index)
    assert check(study_file).errors == []


def test_years_in_which_nothing_may_open_make_a_plan_without_sites_that_says_so(tmp_path):
    study_file = toy.write_study(tmp_path)
    with study_file.open("a", encoding="utf-8") as file:
        file.write("[phases]\n2026 = { sites = 0 }\n2027 = { sites = 0 }\n")
    study = read_study(study_file)
    findings = study.findings
    assert findings.falls_short(toy.COUNTY)
    assert findings.proposals.empty
    assert findings.left_out["sentence"].str.len().gt(0).all()
