"""A wrong file is refused without a word of what it holds: it may be any file of the machine."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from sy_coverage import read_study, roads
from sy_coverage._fetch import Cache, Reply
from sy_coverage.errors import CannotWriteError, CoverageError, InputError, MissingFileError
from sy_coverage.outputs.reports import edited
from sy_coverage.outputs.store import sound
from sy_coverage.study.config.changes import read_scenario
from sy_coverage.study.results.again import read_findings
from tests import toy

SECRET = "CANARY-7f31"  # noqa: S105  (planted: no sentence may hold it)
HELD = {
    "passwd": f"root:{SECRET}:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/bin/sh\n",
    "comma": f"{SECRET},b,c\n1,2,3\n",
    "key": f"-----BEGIN {SECRET}-----\n{SECRET}\n",
    "environment": f'SECRET="{SECRET}"\nOTHER="C:\\{SECRET}"\n',
    "quotes": f"token = “{SECRET}”\n",
    "twice": f'["{SECRET}"]\n["{SECRET}"]\n',
    "list": json.dumps([SECRET]),
    "xml": f"<{SECRET} a='{SECRET}'>{SECRET}</{SECRET}>",
}
ENDINGS = (".csv", ".geojson", ".osm", ".network", ".toml", ".xlsx", ".graphml", ".json")
SECTIONS = {
    "units": ({"boundaries": {"units": "{}"}}, "units"),
    "facilities": ({"facilities": {"files": ["{}"]}}, "facilities"),
    "candidates": ({"candidates": {"files": ["{}"]}}, "candidates"),
    "villages": ({"demand": {"villages": "{}"}}, "demand"),
    "census": ({"demand": {"census": "{}"}}, "demand"),
    "cohorts": ({"demand": {"cohorts": "{}", "year": 2020}}, "demand"),
    "positions": ({"demand": {"positions": "{}", "census": "{}", "villages": None}}, "demand"),
    "raster": ({"demand": {"raster": "{}", "villages": None, "census": "{}"}}, "demand"),
    "settled": ({"demand": {"settled": "{}", "villages": None, "census": "{}"}}, "demand"),
    "no-go": ({"candidates": {"exclude": [{"path": "{}", "action": "bar"}]}}, "candidates"),
    "roads": ({"roads": {"source": "{}"}}, "network"),
    "lines": ({"roads": {"source": "{}", "lines": {"fields": {"highway": "x"}}}}, "network"),
    "changes": ({"roads": {"changes": "{}"}}, "network"),
    "answers": ({"answers": {"file": "{}"}}, "office_answers"),
    "policy": ({"study": {"policy": "{}"}}, "policy"),
}


def given(value, path):
    if isinstance(value, dict):
        return {key: given(item, path) for key, item in value.items()}
    if isinstance(value, list):
        return [given(item, path) for item in value]
    return path if value == "{}" else value


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return read_study(toy.write_study(tmp_path_factory.mktemp("study")))


def refused(work):
    with pytest.raises(CoverageError) as error:
        work()
    assert SECRET.casefold() not in str(error.value).casefold()


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("reader", SECTIONS)
def test_no_reader_repeats_a_wrong_file(tmp_path, study, reader, held):
    sections, step = SECTIONS[reader]
    for ending in ENDINGS if reader in ("roads", "lines", "policy") else ENDINGS[:2]:
        path = tmp_path / f"wrong{ending}"
        path.write_text(HELD[held], encoding="utf-8")
        refused(lambda path=path: getattr(study.but(**given(sections, str(path))), step))


@pytest.mark.parametrize("held", HELD)
def test_no_other_door_repeats_a_wrong_file(tmp_path, held):
    for ending in ENDINGS:
        path = tmp_path / f"wrong{ending}"
        path.write_text(HELD[held], encoding="utf-8")
        for door in (read_study, roads.load, roads.read_osm, read_scenario):
            refused(lambda path=path, door=door: door(path))
        refused(lambda path=path: edited.disagreements(None, path.read_bytes(), file="edited.docx"))
    (tmp_path / "findings.json.gz").write_text(HELD[held], encoding="utf-8")
    refused(lambda: read_findings(tmp_path))


def foreign(path, kind):
    if kind == "GeoPackage":
        toy.units().to_file(path, layer="units", driver="GPKG")
    elif kind == "database":
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("CREATE TABLE accounts (name TEXT)")
    else:
        path.write_text("养老机构台账\n", encoding="utf-8")


@pytest.mark.parametrize("kind", ["GeoPackage", "database", "text"])
@pytest.mark.parametrize("section", ["geocoding", "roads"])
def test_a_cache_that_is_somebody_else_s_file_is_refused_and_not_one_byte_of_it_changes(
    tmp_path, kind, section
):
    study_file = toy.write_study(tmp_path)
    cache = tmp_path / "somebody.gpkg"
    foreign(cache, kind)
    before = cache.read_bytes(), sorted(tmp_path.iterdir())
    sections = {
        "geocoding": {"geocoding": {"cache": cache.name, "sources": ["tianditu"]}},
        "roads": {"roads": {"cache": cache.name, "source": "osm"}},
    }[section]
    study = read_study(study_file, offline=True).but(**sections)
    with pytest.raises(CannotWriteError, match=r"is no cache of answers.*give another path"):
        study.network if section == "roads" else Cache(study.answers.path(cache.name))
    assert (cache.read_bytes(), sorted(tmp_path.iterdir())) == before


def test_a_cache_of_ours_is_taken_up_again(tmp_path):
    Cache(tmp_path / "a.sqlite").put("question", Reply(b"answer", "2026-01-01T00:00:00Z", cached=False))
    Cache(tmp_path / "a.sqlite").finish()
    assert Cache(tmp_path / "a.sqlite").get("question").content == b"answer"
    (tmp_path / "empty.sqlite").touch()
    assert Cache(tmp_path / "empty.sqlite").get("question") is None


def test_a_path_with_backslashes_is_said_to_need_slashes_here(tmp_path):
    study = read_study(toy.write_study(tmp_path)).but(boundaries={"units": "data\\units.gpkg"})
    with pytest.raises(MissingFileError, match=r"write / for \\ in paths here"):
        study.units  # noqa: B018


@pytest.mark.parametrize(
    ("ids", "twice"),
    [(["a", "a-annex"], "a-annex"), (["A-ANNEX", "a"], "A-ANNEX"), (["summary-annex"], "summary-annex"), (["lorenz"], "lorenz")],
)  # fmt: skip
def test_row_113_ids_whose_files_would_meet_are_refused(ids, twice):
    from sy_coverage import _files

    with pytest.raises(InputError, match=f"'{twice}' would name the same file"):
        _files.require_plain_names(ids, "county_id", taken=sound.TAKEN, endings=sound.ENDINGS)
