"""What would be if: sites required, forbidden, added, facilities closed, keys changed; the same in Python, file and JSON."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest
from shapely import Point
from typer.testing import CliRunner

import sy_coverage as sy
from sy_coverage.cli import app
from sy_coverage.errors import ConfigError, CoverageError, FrozenFrameError, InputError, UnknownIdError
from sy_coverage.study import Study
from sy_coverage.study.config.questions.scenario import Scenario
from tests import counties_toy, toy
from tests.study.test_every_key import same


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    study = sy.read_study(toy.write_study(tmp_path_factory.mktemp("study")))
    study.propose(toy.COUNTY)
    return study


def centres(study: Study) -> list[str]:
    plan = study.propose(toy.COUNTY).best
    return [site for site in plan.sites if site.startswith(("c", "added"))]


def lonlat(km: float, north_m: float = 0.0) -> tuple[float, float]:
    at = toy.at(km)
    point = gpd.GeoSeries([Point(at.x, at.y + north_m)], crs=toy.CRS).to_crs(4326).iloc[0]
    return point.x, point.y


def fresh(other: Study) -> Study:
    return Study(other.config, other.folder)


def test_a_site_that_is_required_is_opened_and_one_that_is_forbidden_is_not(study):
    # 65 % of three townships are two: c25 and c35 are the cheapest that two townships have
    before = centres(study)
    unused = next(c for c in ("c15", "c19", "c25", "c35") if c not in before)
    assert unused in centres(study.what_if(require=[unused]))
    without = centres(study.what_if(forbid=[before[0]]))
    assert before[0] not in without
    assert len(without) == len(before)
    assert centres(study) == before


def test_names_will_do_where_they_name_one_site(study):
    assert "c19" in centres(study.what_if(require=["示例c19"]))
    with pytest.raises(UnknownIdError, match=r"\[siting\] require: no 'c99' \(did you mean 'c"):
        study.what_if(require=["c99"]).propose(toy.COUNTY)
    with pytest.raises(UnknownIdError, match=r"\[facilities\] close: no 'Z'"):
        study.what_if(close=["Z"]).facilities  # noqa: B018


def test_what_closes_counts_for_nothing_and_comes_back_in_the_next_question(study):
    shut = study.what_if(close=["S1"])
    assert shut.facilities.loc["S1", "status"] == "closed"
    assert shut.coverage["elders_covered"].sum() == 0
    assert "S1" not in shut.times["service_centre"].site_ids
    assert study.coverage["elders_covered"].sum() > 0
    same(shut.coverage, fresh(shut).coverage)
    same(shut.times["service_centre"], fresh(shut).times["service_centre"])


@pytest.mark.parametrize("as_frame", [False, True])
def test_a_site_that_is_added_finds_its_unit_and_is_planned_with(study, as_frame):
    lon, lat = lonlat(26)
    site = {"lon": lon, "lat": lat, "kind": "service_centre", "cost": 1.0}
    if as_frame:
        columns = {"kind": [site["kind"]], "cost": [site["cost"]]}
        add = gpd.GeoDataFrame(columns, geometry=[Point(toy.at(26))], crs=toy.CRS)
    else:
        add = [site]
    other = study.what_if(add=add)
    row = other.candidates.loc["added-1"]
    assert (row["unit_id"], row["county_id"], row["cost"]) == ("990100101", toy.COUNTY, 1.0)
    assert row["name"].startswith("乙镇")
    assert "added-1" in centres(other)
    assert "added-1" not in study.candidates.index
    same(other.times["service_centre"], fresh(other).times["service_centre"])
    same(other.candidates, fresh(other).candidates)


@pytest.mark.parametrize(
    ("given", "kind", "reason"),
    [
        (
            {"add": [{"lon": 111.1, "lat": 27.1, "kind": "shop", "cost": 1}]},
            ConfigError,
            "no such kind: shop",
        ),
        (
            {"add": [{"lon": 27.1, "lat": 11.1, "kind": "service_centre", "cost": 1}]},
            ConfigError,
            "in no unit",
        ),
        ({"add": [{"lon": 111.1, "lat": 27.1, "kind": "service_centre"}]}, ConfigError, r"cost': is missing"),
        (
            {"add": [{"lon": 111.1, "lat": 127, "kind": "service_centre", "cost": 1}]},
            ConfigError,
            "less than or equal",
        ),
        ({"require": ["c15"], "forbid": ["c15"]}, ConfigError, "required and forbidden"),
        ({"require": "c15"}, ConfigError, "not one text"),
        ({"siting": {"rulle": "access"}}, ConfigError, "unknown key 'siting.rulle'"),
        ({"scenario": "none"}, ConfigError, "no scenario 'none'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(study, given, kind, reason):
    with pytest.raises(kind, match=reason):
        study.what_if(**given).candidates  # noqa: B018


def test_scenarios_come_on_top_of_each_other_and_the_last_word_holds(study):
    one = study.what_if(require=["c15"], close=["T1"]).what_if(forbid=["c15"], require=["c19"])
    assert one.config.siting.require == ("c19",)
    assert one.config.siting.forbid == ("c15",)
    assert one.config.facilities.close == ("T1",)
    assert study.what_if().config == study.config


def test_python_the_study_file_and_json_mean_the_same(study, tmp_path):
    asked = study.what_if(require=["c19"], close=["S1"], siting={"rule": "access"})
    scenario = Scenario.from_json(
        Scenario(require=("c19",), close=("S1",), sections={"siting": {"rule": "access"}}).to_json()
    )
    assert study.what_if(scenario).config == asked.config
    study_file = toy.write_study(tmp_path)
    text = study_file.read_text(encoding="utf-8")
    named = '\n[what_if."甲"]\nrequire = ["c19"]\nclose = ["S1"]\nsiting = { rule = "access" }\n'
    study_file.write_text(text + named, encoding="utf-8")
    written = sy.read_study(study_file)
    assert written.what_if("甲").config.siting == asked.config.siting
    keys = text.replace("[siting]", '[siting]\nrequire = ["c19"]\nrule = "access"').replace(
        "[facilities]", '[facilities]\nclose = ["S1"]'
    )
    study_file.write_text(keys, encoding="utf-8")
    assert centres(sy.read_study(study_file)) == centres(asked) == centres(written.what_if("甲"))


def test_a_target_is_read_otherwise(study):
    # all three townships instead of 65 % of them
    for given in (
        {"township_centre_coverage": 1.0},
        {"targets": {"township_centre_coverage": {"value": 1.0}}},
    ):
        other = study.but(policy=given)
        assert other.policy.target("township_centre_coverage").value == 1.0
        assert len(centres(other)) == 3
    with pytest.raises(ConfigError, match=r"\[policy\]: no such target: visits"):
        study.but(policy={"visits": 1}).policy  # noqa: B018
    with pytest.raises(ConfigError, match="65 is no share"):
        study.but(policy={"township_centre_coverage": 65}).policy  # noqa: B018


def test_a_frame_that_was_handed_out_refuses_to_be_changed_in_place(study):
    frame = study.candidates
    for change in (
        lambda: frame.__setitem__("required", True),
        lambda: frame.loc.__setitem__(("c15", "required"), True),
        lambda: frame.insert(0, "mine", 1),
        lambda: setattr(frame, "index", range(len(frame))),
    ):
        with pytest.raises(FrozenFrameError, match="what_if"):
            change()
    with pytest.raises(AttributeError, match="what_if"):
        study.candidates = frame
    own = frame.copy()
    own["required"] = True
    assert not study.candidates["required"].any()


def test_a_catchment_says_who_lives_in_it(study):
    # A at km 2 and B at km 8 are three minutes from the centre at km 5, C seven
    near, far = study.catchment("S1", 4), study.catchment("示例S1", 8)
    assert near["elders"].tolist() == [600.0]
    assert far["elders"].tolist() == [700.0]
    assert far["area_km2"].iloc[0] > near["area_km2"].iloc[0]
    point = study.catchment(lonlat(35), 4)
    # G at km 32 and H at km 38
    assert point["elders"].tolist() == [300.0]
    assert study.catchment("c35", 4)["elders"].tolist() == [300.0]
    with pytest.raises(UnknownIdError, match="place: no 'X9'"):
        study.catchment("X9", 3)


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Study:
    return sy.read_study(counties_toy.write_study(tmp_path_factory.mktemp("two"), counties=2))


def test_a_county_s_name_will_do_wherever_its_code_does(two):
    assert two.propose("第二县") is two.propose("990200")
    assert two.only(["第二县"]).scopes == ["990200"]
    with pytest.raises(UnknownIdError, match="did you mean '第二县'"):
        two.propose("第二")


def test_a_study_of_some_counties_writes_those(two, tmp_path):
    two.only(["第二县"]).save(tmp_path / "out")
    pages = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.html")}
    assert {"maps/990200.html", "proposals/990200.html"} <= pages
    assert all(Path(page).name.startswith("990200") for page in pages)


def test_a_plan_is_known_by_what_it_is_and_not_by_which_object_it_is(two):
    plan = two.propose("990200")
    assert two.map(replace(plan)).html() == two.map(plan).html()


def test_two_plans_of_one_place_lie_on_one_map(two):
    plan = two.propose("第二县")
    other = two.what_if(forbid=[plan.sites[0]]).propose("第二县")
    page = two.map(plan, other, names=("甲案", "乙案")).html()
    assert "甲案" in page
    assert "乙案" in page
    # a site that only the question knows is drawn too
    lon, lat = two.units.to_crs(4326).geometry.loc["990200101"].centroid.coords[0]
    added = two.what_if(add=[{"lon": lon, "lat": lat, "kind": "service_centre", "cost": 1.0, "name": "新址"}])
    assert "新址" in two.map(plan, added.propose("第二县")).html()
    with pytest.raises(InputError, match="different places"):
        two.map(plan, two.propose("990100"))


def test_the_scenarios_of_a_study_file_are_planned_and_set_side_by_side(tmp_path):
    study_file = toy.write_study(tmp_path)
    before = centres(sy.read_study(study_file))
    unused = next(c for c in ("c15", "c19", "c25", "c35") if c not in before)
    named = f'\n[what_if."<甲>"]\nforbid = ["{before[0]}"]\n[what_if."乙"]\nsiting = {{ require = ["{unused}"] }}\n'
    study_file.write_text(study_file.read_text(encoding="utf-8") + named, encoding="utf-8")
    done = CliRunner().invoke(app, ["compare", str(study_file), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    out = tmp_path / "out" / "comparison"
    rows = list(csv.DictReader((out / "comparison.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [row["方案"] for row in rows] == ["现方案", "<甲>", "乙"]
    assert [row["不再设"] for row in rows][:2] == ["0", "1"]
    assert [row["增设"] for row in rows][:2] == ["0", "1"]
    sites = {
        row["编号"]: row
        for row in csv.DictReader((out / "sites.csv").read_text(encoding="utf-8-sig").splitlines())
    }
    assert (sites[before[0]]["现方案"], sites[before[0]]["<甲>"]) == ("设", "")
    assert sites[unused]["乙"] == "设"
    page = (out / "comparison.html").read_text(encoding="utf-8")
    assert "&lt;甲&gt;" in page
    assert "<甲>" not in page
    assert sorted(p.name for p in out.iterdir()) == [
        "comparison.csv",
        "comparison.docx",
        "comparison.html",
        "map-1.html",
        "map-2.html",
        "sites.csv",
    ]
    written = {p.name: p.read_bytes() for p in out.iterdir()}
    sy.read_study(study_file).save(tmp_path / "whole")
    whole = tmp_path / "whole" / "comparison"
    assert {p.name: p.read_bytes() for p in whole.iterdir()} == written
    assert "comparison/map-1.html" in (tmp_path / "whole" / "manifest.json").read_text(encoding="utf-8")


def test_a_study_without_scenarios_has_nothing_to_compare(tmp_path):
    done = CliRunner().invoke(
        app, ["compare", str(toy.write_study(tmp_path)), "--out", str(tmp_path / "out")]
    )
    assert isinstance(done.exception, ConfigError)
    assert not (tmp_path / "out").exists()


def test_a_choice_made_on_a_map_is_planned_certified_and_written(tmp_path):
    study_file = toy.write_study(tmp_path)
    study = sy.read_study(study_file)
    before = centres(study)
    # as the page of a county hands it over
    choice = tmp_path / "我的方案.json"
    choice.write_text(
        json.dumps({"version": 1, "require": [], "forbid": [before[0]], "close": ["S1"]}), encoding="utf-8"
    )
    words = ["propose", str(study_file), "--choice", str(choice), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*words, "--county", toy.COUNTY_NAME])
    assert not isinstance(done.exception, CoverageError), done.output
    written = json.loads(
        (tmp_path / "out" / "proposals" / f"{toy.COUNTY}.geojson").read_text(encoding="utf-8")
    )
    asked = study.what_if(forbid=[before[0]], close=["S1"]).propose(toy.COUNTY).best
    assert len(written["features"]) == len(asked.sites)
    choice.write_text('{"version": 1, "forbid": ["gone"]}', encoding="utf-8")
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, UnknownIdError)
    assert "no 'gone'" in str(done.exception)


def test_a_notebook_shows_what_a_study_is_and_has_planned_and_computes_nothing_for_it(tmp_path):
    study = sy.read_study(toy.write_study(tmp_path)).but(study={"name": "<b>甲</b>"})
    assert "&lt;b&gt;甲" in study._repr_html_()
    assert study.seconds == {}
    plan = study.propose(toy.COUNTY)
    shown = study._repr_html_()
    assert toy.COUNTY_NAME in shown
    assert f"{plan.best.figures.cost:,.1f}" in shown
