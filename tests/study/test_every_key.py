"""Whatever key of whatever section is changed, a study asked again says what a fresh study says, frame by frame."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from pydantic import BaseModel

from sy_coverage.errors import CoverageError
from sy_coverage.roads import RoadNetwork, TravelTimes
from sy_coverage.study import Study, read_config
from sy_coverage.study.answers import Answers
from sy_coverage.study.config.changes import WHOLE
from sy_coverage.study.config.file import StudyConfig
from sy_coverage.study.steps.memory import Handed
from tests import toy

if TYPE_CHECKING:
    from pathlib import Path

BASE = {
    "demand": {"year": 2020, "growth": 0.03},
    "candidates": {"generate": 1},
    "siting": {"medical_min": 60, "station_walk_min": 30, "beds_per_elder": 0.001, "budget": 5000},
    "access": {"cutoff_min": {"street": 12}},
}
"""Keys that the study sets, so that those that need others have an effect."""
KEYS: dict[str, dict[str, Any]] = {
    "study": {
        "name": "别名", "name_en": "Other", "policy": "other.toml", "language": "en", "output": "else",
        "database": "postgresql://nobody@127.0.0.1:1/none#s", "date": dt.date(2040, 12, 31), "office": "局", "issued": dt.date(2026, 1, 1),
        "document_number": "局发〔2026〕1号", "signatory": "张三", "copies_to": "市政府办", "printed_by": "局办公室",
        "notice": {"zh": "注意", "en": "Note"},
    },
    "boundaries": {
        "units": "other.gpkg", "admin_level": 8, "county_level": 6, "coordinate_system": "gcj02", "invalid": "repair",
        "columns": {"name": "county"}, "former": {"990100100": ["旧镇"]},
    },
    "facilities": {"strict": True, "close": ["S1"], "files": ["fewer.csv"], "coordinate_system": "gcj02", "columns": {"name": "facility_id"}},
    "candidates": {
        "files": ["few.csv"], "generate": 3, "generate_beside_listed": True, "generate_apart_m": 50.0, "one_place_m": 9000.0,
        "exclude": [{"path": "none.gpkg"}], "osm": 2, "costs": {"service_centre": {"village_office": 7}},
        "floor_area_m2": {"station": 300}, "coordinate_system": "gcj02", "columns": {"name": "candidate_id"},
        "strict": True, "add": [{"lon": 111.3, "lat": 27.11, "kind": "service_centre", "cost": 5.0}],
    },
    "demand": {
        "strict": True, "villages": "half.csv", "raster": "none.tif", "settled": "none.gpkg", "census": "census.csv", "shares": {"elders": 0.2},
        "cell_m": 500.0, "positions": "none.csv", "band": 2, "nodata": -1.0, "year": 2010, "growth": 0.01, "cohorts": "none.csv", "coordinate_system": "gcj02",
        "columns": {"elders": "elders"}, "census_columns": {"elders": "elders"},
    },
    "answers": {"file": "none.xlsx"},
    "roads": {
        "lines": {"classes": {"乡村路": "unclassified"}}, "source": "none.osm.pbf", "changes": "none.geojson", "max_snap_m": 1.0, "walk_m_per_s": 0.5, "modes": {"drive": {"speed_kph": {"primary": 30.0}}},
        "elevation": "none.tif", "buffer_m": 10.0, "date": dt.date(2026, 1, 1), "cache": "else.sqlite", "server": "https://example.org",
        "attribution": "某某",
    },
    "times": {"table": "od.csv", "mode": "walk", "columns": {"from": "demand_id"}},
    "geocoding": {
        "sources": [], "accept": ["village", "town"], "choose": {"nobody": "nowhere"}, "contact": "a@example.org", "cache": "else.sqlite", "daily_quota": {"amap": 5},
    },
    "access": {"mode": "walk", "beside": ["ebike"], "cutoff_min": {"township": 3}, "kinds": {"station": {"cutoff_min": {"street": 1}}}},
    "siting": {
        "scope": "city", "rule": "access", "share": 0.5, "elders": "elders_65", "nursing_bed_base": "all_homes", "spread_min": 3,
        "medical_min": 2, "medical": "flag", "station_walk_min": 20, "cluster_m": 9000.0, "floor_area": "bar", "beds_per_elder": 0.01,
        "conversion_cost": 3.0, "demonstrate": False, "demonstration": {"urban_demo_sites": {"floor_area_m2": 10.0}}, "budget": 1.0,
        "time_limit_s": 59.0, "require": ["c19"], "forbid": ["c25"],
        "slack": 0.1, "prefer": "worst_min", "worst_min": 50.0, "running_budget": 9.0, "beds_share": 0.5, "may_close": {"S1": 1.0},
        "move": {"c19": "S1"}, "carry": True, "paid_over": {"c19": 2},
    },
    "policy": {"township_centre_coverage": 0.9},
    "what_if": {"甲": {"close": ["S1"]}},
    "phases": {"2026": {"budget": 300.0}},
    "reported": {"monthly_visits": 0.93},
    "compare": {
        "trade_off_points": 3, "cutoff_factors": [0.5], "rule": False, "scope": False, "closures": False, "time_limit_s": 59.0,
    },
    "map": {"approval_number": "GS1", "base_map": "osm", "key_in_page": True, "what_if": "off"},
    "outputs": {"edition": "public"},
    "limits": {"megabytes": 400, "ratio": 90, "rows": 5, "cells": 1000, "vertices": 400, "county_s": 60.0},
}  # fmt: skip
EVERY = [
    (section, key) for section, keys in KEYS.items() for key in (keys if section not in WHOLE else [None])
]
QUICK = ("policy", "units", "demand", "given_facilities", "facilities", "open_facilities", "doubts", "listed_candidates", "network",
         "candidates", "clustered", "centre_times", "times", "between_homes", "to_medical", "coverage", "scorecard_today", "case",
         "counties", "names", "centre_kind")  # fmt: skip


def test_the_list_of_keys_is_whole():
    for name, field in StudyConfig.model_fields.items():
        model = field.annotation
        keys = set(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else None
        assert name in KEYS, f"[{name}] is new: give it another value here"
        assert keys is None or set(KEYS[name]) == keys, name


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    toy.write_study(folder)
    toy.units().iloc[:3].reset_index().to_file(folder / "other.gpkg", layer="units", driver="GPKG")
    for new, old, rows in (("fewer", "facilities", 3), ("few", "candidates", 6), ("half", "villages", 5)):
        lines = (folder / f"{old}.csv").read_text(encoding="utf-8").splitlines()[:rows]
        (folder / f"{new}.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "od.csv").write_text("from,to,minutes\nA,S1,50\nB,c19,2\n", encoding="utf-8")
    (folder / "census.csv").write_text("unit_id,elders\n990100001,500\n990100100,50\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def study(folder) -> Study:
    study = Study(read_config(folder / "study.toml"), folder).but(**BASE)
    for step in QUICK:
        answer(study, step)
    return study


def answer(study: Study, step: str) -> Any:
    """Return what a study says, or why it does not."""
    try:
        return getattr(study.answers, step)
    except CoverageError as error:
        return type(error), str(error)


def same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame):
        assert_frame_equal(one, other)
    elif isinstance(one, TravelTimes):
        assert (one.site_ids, one.demand_ids, one.cutoff_min) == (
            other.site_ids,
            other.demand_ids,
            other.cutoff_min,
        )
        assert np.array_equal(one.to_dense(), other.to_dense())
    elif isinstance(one, RoadNetwork):
        assert one.digest == other.digest
    elif hasattr(one, "items"):
        assert list(one) == list(other)
        for key in one:
            same(one[key], other[key])
    elif isinstance(one, tuple) and not all(isinstance(item, str | type) for item in one):
        for item, its in zip(one, other, strict=True):
            same(item, its)
    else:
        assert one == other


def ask(study: Study, section: str, key: str | None) -> tuple[Study, Study]:
    """Return the study with a key changed, and a fresh one of the same configuration."""
    value = KEYS[section] if key is None else {key: KEYS[section][key]}
    other = study.but(**{section: value})
    return other, Study(other.config, study.folder)


@pytest.mark.parametrize(("section", "key"), EVERY)
def test_row_112_a_study_with_any_key_changed_equals_a_fresh_one(study, section, key):
    try:
        other, fresh = ask(study, section, key)
    except CoverageError:
        return  # refused as any study with such keys is
    # what is not kept is worked out by the same functions from what is
    for step in [step for step in QUICK if other.answers.memory.known(step)]:
        same(answer(other, step), answer(fresh, step))


@pytest.mark.nightly
@pytest.mark.parametrize(("section", "key"), EVERY)
def test_row_112_plans_and_findings_with_any_key_changed_equal_fresh_ones(study, section, key):
    steps = [
        name
        for name, step in vars(Answers).items()
        if isinstance(step, Handed) and name != "location_sources"
    ]
    for step in steps:
        answer(study, step)
    try:
        other, fresh = ask(study, section, key)
    except CoverageError:
        return
    for step in steps:
        one, its = answer(other, step), answer(fresh, step)
        if step in {"plans", "citywide"}:
            one, its = (
                (getattr(p, "sites", None) for p in (one, its))
                if step == "citywide"
                else ({i: p.sites for i, p in q.items()} if hasattr(q, "items") else q for q in (one, its))
            )
        if step in {"task", "case"}:
            continue
        same(one, its)


def test_another_date_carries_the_elders_to_another_year(study):
    later = study.but(study={"date": dt.date(2040, 12, 31)})
    # 3 % a year, twenty years on
    assert later.demand["elders"].sum() == pytest.approx(1600 * 1.03**20)
    assert study.demand["elders"].sum() == pytest.approx(1600 * 1.03**7)


def test_what_no_key_touches_is_the_very_same_object(study):
    other = study.but(siting={"budget": 1.0}, study={"office": "局"}, map={"approval_number": "1"})
    for step in ("units", "demand", "facilities", "candidates", "network", "times", "coverage"):
        assert getattr(other, step) is getattr(study, step)
    # how far the roads are read depends on how far homes must be apart
    assert study.but(siting={"spread_min": 1000}).network is not study.network


def test_a_section_that_comes_and_goes_is_read_anew(study):
    with_lines = study.but(roads={"source": "none.gpkg", "lines": {"classes": {"a": "primary"}}})
    answer(with_lines, "network")
    without = with_lines.but(roads={"lines": None, "source": study.config.roads.source})
    same(answer(without, "network"), answer(study, "network"))


def test_another_rule_or_number_reads_no_list_and_no_road_again(study):
    for given in (
        {"siting": {"rule": "access", "share": 0.5}},
        {"policy": {"township_centre_coverage": 0.9}},
        {"policy": {"readings": {"rule": "access"}}},
    ):
        other = study.but(**given)
        assert other.policy != study.policy
        for step in ("facilities", "listed_candidates", "network", "doubts"):
            assert getattr(other, step) is getattr(study, step), (given, step)


@pytest.mark.parametrize(
    "given",
    [
        {"kinds": {"service_centre": {"mode": "walk"}}},
        {"kinds": {"service_centre": {"cutoff_min": {"street": 3, "township": 4, "other": 4}}}},
        {"readings": {"elders": "elders_65"}},
        {"targets": {"county_regional_home": {"value": 3}}},
    ],
)
def test_whatever_is_read_otherwise_in_the_policy_is_as_in_a_fresh_study(study, given):
    other = study.but(policy=given)
    fresh = Study(other.config, study.folder)
    for step in QUICK:
        same(answer(other, step), answer(fresh, step))
