"""Maps and proposals are made again from the results of a run, byte for byte, without computing anything."""

import gzip
import hashlib
import json
import shutil
import tracemalloc
from dataclasses import replace

import pandas as pd
import pytest
from typer.testing import CliRunner

import sy_coverage as sy
from sy_coverage.cli import app
from sy_coverage.errors import MissingFileError, UnknownIdError, UnreadableFileError
from sy_coverage.outputs import store
from sy_coverage.study.results import again
from tests import counties_toy


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    study = sy.read_study(counties_toy.write_study(folder, counties=2))
    return study.save(folder / "out")


@pytest.fixture
def folder(results, tmp_path):
    return shutil.copytree(results, tmp_path / "results")


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def said(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_what_was_kept_gives_the_very_bytes_of_the_run(results, folder):
    findings = again.read_findings(folder)
    before = contents(results)
    files = {path: make() for path, make in [*again.map_files(findings), *again.report_files(findings)]}
    assert {path: content == before[path] for path, content in files.items()} == dict.fromkeys(files, True)
    apart = set(before) - set(files)
    assert apart == {".lock", "coverage.gpkg", "findings.json.gz", "manifest.json", "待核实.xlsx"}


def test_findings_are_the_same_after_being_kept(results):
    content = (results / "findings.json.gz").read_bytes()
    assert store.packed(store.unpacked(content, file="findings")) == content


def test_a_number_that_came_later_is_filled_in_and_the_manifest_follows(folder):
    done = said("map", folder, "--county", "990200", "--approval-number", "GS(2026)1234")
    assert done.exit_code == 0, done.output
    page = folder / "maps/990200.html"
    assert "GS(2026)1234" in page.read_text(encoding="utf-8")
    assert "GS(2026)1234" not in (folder / "map.html").read_text(encoding="utf-8")
    digest = hashlib.sha256(page.read_bytes()).hexdigest()
    assert (
        json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["outputs"]["maps/990200.html"]
        == digest
    )


def test_proposals_are_written_elsewhere_and_the_results_stay(results, folder, tmp_path):
    done = said(
        "report", folder, "--out", tmp_path / "new", "--office", "试验市民政局", "--issued", "2026-12-01"
    )
    assert done.exit_code == 0, done.output
    assert contents(folder) == contents(results)
    page = (tmp_path / "new/proposals/990200.html").read_text(encoding="utf-8")
    assert "试验市民政局" in page
    assert "2026年12月1日" in page


def test_a_folder_without_results_says_what_to_do(tmp_path):
    done = said("report", tmp_path)
    assert isinstance(done.exception, MissingFileError)
    assert "sy-coverage run" in str(done.exception)


def test_a_county_that_is_not_there_is_refused(folder):
    with pytest.raises(UnknownIdError, match="999999"):
        again.map_files(again.read_findings(folder), ("999999",))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "damaged"),
        (gzip.compress(b"{}", mtime=0), "damaged"),
        (gzip.compress(b'{"version": 99}', mtime=0), "version 99"),
        (gzip.compress(b'{"version": 1, "findings": {"~": "os.system"}}', mtime=0), "damaged"),
        (gzip.compress(b'{"version": 1, "findings": {"~": "stage", "fields": {}}}', mtime=0), "damaged"),
    ],
    ids=["empty", "nothing inside", "another version", "code", "no fields"],
)
def test_what_are_no_findings_is_refused(content, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        store.unpacked(content, file="findings.json.gz")


def test_findings_cut_short_are_refused(results):
    content = (results / "findings.json.gz").read_bytes()
    with pytest.raises(UnreadableFileError, match="damaged"):
        store.unpacked(content[: len(content) // 2], file="findings.json.gz")


def renamed(findings, old, new):
    """Return findings in which one county is called otherwise everywhere."""
    frames = {}
    for name in ("units", "facilities", "demand", "proposals", "catchments", "doubts", "left_out"):
        frame = getattr(findings, name)
        frames[name] = frame.assign(county_id=frame["county_id"].replace(old, new))
    return replace(
        findings,
        **frames,
        counties=findings.counties.rename(index={old: new}),
        scorecard=findings.scorecard.rename(index={old: new}, level="scope_id"),
        plans={new if i == old else i: plan for i, plan in findings.plans.items()},
    )


def doubled(frame):
    return pd.concat([frame, frame.iloc[:1]])


LEADING_OUT = [
    "../../x/contract",
    "/etc/x",
    "..",
    "a\\b",
    "C:x",
    "NUL",
    "a/b",
    "summary",
    "lorenz",
    "990200",
    "",
    "x" * 61,
]


@pytest.mark.parametrize("county_id", LEADING_OUT)
def test_row_113_findings_whose_counties_would_name_files_elsewhere_are_refused(folder, county_id):
    findings = again.read_findings(folder)
    (folder / "findings.json.gz").write_bytes(store.packed(renamed(findings, "990100", county_id)))
    before = sorted(folder.parent.rglob("*"))
    for command in ("map", "report"):
        done = said(command, folder)
        assert isinstance(done.exception, UnreadableFileError), done.output
        assert "not written by a run" in str(done.exception)
    assert sorted(folder.parent.rglob("*")) == before


def test_row_113_findings_whose_plans_or_rows_are_of_strange_counties_are_refused(folder):
    findings = again.read_findings(folder)
    odd = [
        replace(findings, plans={"../x": next(iter(findings.plans.values()))}),
        replace(findings, units=findings.units.assign(county_id="../x")),
        replace(findings, scope_id="../x"),
        replace(findings, scorecard=findings.scorecard.rename(index={"990100": "../x"}, level="scope_id")),
    ]
    for other in odd:
        with pytest.raises(UnreadableFileError, match="counties that are not there"):
            store.unpacked(store.packed(other), file="findings.json.gz")


@pytest.mark.parametrize(
    "name", ["units", "counties", "facilities", "demand", "proposals", "catchments", "scorecard"]
)
def test_row_113_rows_given_twice_are_refused(folder, name):
    findings = again.read_findings(folder)
    other = replace(findings, **{name: doubled(getattr(findings, name))})
    with pytest.raises(UnreadableFileError, match=f"{name}: rows given twice"):
        store.unpacked(store.packed(other), file="findings.json.gz")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("units", "text"), ("language", "fr"), ("base_map", "http://x"), ("key_in_page", 1), ("office", 5), ("date", "2027"),
        ("demand", pd.DataFrame()), ("policy", None), ("extras", {"x": 1}),
    ],
)  # fmt: skip
def test_row_113_fields_of_another_kind_are_refused(folder, field, value):
    other = replace(again.read_findings(folder), **{field: value})
    with pytest.raises(UnreadableFileError, match=r"findings\.json\.gz"):
        store.unpacked(store.packed(other), file="findings.json.gz")


def test_row_113_a_crs_that_names_a_file_is_refused(folder):
    content = gzip.decompress((folder / "findings.json.gz").read_bytes())
    other = gzip.compress(content.replace(b'"EPSG:4326"', b'"/etc/passwd"'))
    with pytest.raises(UnreadableFileError, match="damaged"):
        store.unpacked(other, file="findings.json.gz")


def test_row_113_findings_that_unpack_to_too_much_are_refused_before_they_fill_the_memory():
    bomb = gzip.compress(b'{"version": 1, "findings": "' + b"0" * 50_000_000 + b'"}')
    tracemalloc.start()
    with pytest.raises(UnreadableFileError, match="times the packed size"):
        store.unpacked(bomb, file="findings.json.gz")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_row_113_findings_larger_than_the_free_memory_are_refused(folder, monkeypatch):
    content = (folder / "findings.json.gz").read_bytes()
    monkeypatch.setattr("sy_coverage._files.content.packed.free_bytes", lambda: 1000)
    with pytest.raises(UnreadableFileError, match="of memory to read"):
        store.unpacked(content, file="findings.json.gz")
