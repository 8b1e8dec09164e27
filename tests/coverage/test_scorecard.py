"""Every target of a policy against what is there, worked out by hand; what cannot be known is blank with its reason."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point

from sy_coverage import coverage
from sy_coverage.errors import ConfigError, InputError, UnknownIdError
from sy_coverage.policy import load_policy, policy_from
from sy_coverage.roads.travel_times import TravelTimes
from tests import toy

STREET, JIA, YI, BING = toy.UNITS
COUNTY = toy.COUNTY
COUNTIES = {COUNTY: "试验县"}
DATE = dt.date(2027, 12, 31)
FEW = settings(max_examples=max(15, settings.default.max_examples // 4))


@pytest.fixture(scope="module")
def policy():
    return load_policy("shaoyang_2025")


def measured(units, facilities, *, policy, rule="presence"):
    """Return coverage by unit; minutes are kilometres, for villages and for sites with a point."""
    located = facilities[facilities.geometry.notna()]
    km = {i: (p.x - toy.EAST) / 1000 for i, p in located.to_crs(toy.CRS).geometry.items()}
    cost = pd.DataFrame(
        {i: [abs(k - at) for k, _ in toy.VILLAGES.values()] for i, at in km.items()}, index=list(toy.VILLAGES)
    )
    return coverage.coverage_by_unit(
        units, facilities, toy.demand(), TravelTimes.from_matrix(cost), policy=policy, rule=rule, date=DATE
    )


def card(facilities, *, policy, units=None, counties=None, rule="presence", **options):
    units = toy.units() if units is None else units
    by_unit = measured(units, facilities, policy=policy, rule=rule)
    options = {"scope": "county", "date": DATE} | options
    return coverage.scorecard(
        units, facilities, by_unit, policy=policy, counties=counties or COUNTIES, **options
    )


def places(**rows):
    """Return open facilities from ``id=(kind, km)``."""
    return toy.places(rows, "facility_id", status="open")


def line(frame, target_id, scope_id=COUNTY):
    row = frame.loc[(target_id, scope_id)]
    return tuple(None if pd.isna(row[c]) else row[c] for c in ("value", "met", "needed", "basis"))


def two_counties():
    """Return the toy county cut in two: 城东街道 and 甲镇 in 990100, 乙镇 and 丙乡 (no street) in 990200."""
    units = toy.units()
    units.loc[[YI, BING], ["county_id", "county"]] = ["990200", "另县"]
    return units, {"990100": "试验县", "990200": "另县"}


def moved(facilities):
    """Return `facilities` with the county of the cut toy county."""
    far = facilities["unit_id"].isin([YI, BING])
    return facilities.assign(county_id=facilities["county_id"].where(~far, "990200"))


def test_every_target_has_a_line_and_every_line_its_citation(policy):
    frame = card(toy.facilities(), policy=policy)
    assert list(dict.fromkeys(frame.index.get_level_values("target_id"))) == [t.id for t in policy.targets]
    assert frame.index.is_unique
    assert frame["citation"].str.startswith("邵市政办发〔2025〕10号 ").all()
    columns = ["scope", "value", "target", "met", "needed", "access_share", "basis", "reason", "citation"]
    assert list(frame.columns) == columns
    assert set(frame["basis"]) <= {"computed", "reported", "not_applicable", "unknown"}


def test_what_is_unknown_is_blank_and_says_why(policy):
    frame = card(toy.facilities(), policy=policy)
    blank = frame[frame["basis"].isin(["unknown", "not_applicable"])]
    assert len(blank) > 5
    assert blank["value"].isna().all()
    assert blank["met"].isna().all()
    assert (blank["reason"] != "").all()
    assert frame[frame["basis"] == "unknown"]["needed"].isna().all()


def test_the_rates_are_units_with_a_centre_over_all_units(policy):
    # S1 in the street; two centres in 乙镇 count once; 甲镇 and 丙乡 stay in the denominator: 1 of 3, asked ⌈0.65×3⌉ = 2
    frame = card(
        places(S1=("service_centre", 5), a=("service_centre", 22), b=("service_centre", 28)), policy=policy
    )
    assert line(frame, "street_centre_coverage") == (1.0, True, 0, "computed")
    assert line(frame, "township_centre_coverage") == (1 / 3, False, 1, "computed")
    assert frame.loc[("township_centre_coverage", COUNTY), "target"] == 0.65


def test_a_rate_counts_what_the_rule_calls_covered(policy):
    # S1 at km 5: by access 甲镇 (all) and 乙镇 (all) are within 30 minutes, 丙乡 200 of 300 is below 0.8
    frame = card(places(S1=("service_centre", 5)), policy=policy, rule="access")
    assert line(frame, "township_centre_coverage") == (2 / 3, True, 0, "computed")


def test_access_stands_beside_every_rate_and_beside_nothing_else(policy):
    # S1 at km 5: all 600 elders of the street; of the townships' 1 000 all but H's 100
    frame = card(places(S1=("service_centre", 5)), policy=policy)
    assert line(frame, "township_centre_coverage")[0] == 0.0
    assert frame.loc[("township_centre_coverage", COUNTY), "access_share"] == 0.9
    assert frame.loc[("street_centre_coverage", COUNTY), "access_share"] == 1.0
    assert frame["access_share"].notna().sum() == 2


def test_a_county_without_streets_has_a_street_rate_that_is_not_applicable(policy):
    units, counties = two_counties()
    frame = card(moved(places(S1=("service_centre", 5))), policy=policy, units=units, counties=counties)
    assert line(frame, "street_centre_coverage", "990200") == (None, None, 0, "not_applicable")
    assert frame.loc[("street_centre_coverage", "990200"), "reason"] == "另县没有街道，此项不适用"
    assert line(frame, "street_centre_coverage", "990100") == (1.0, True, 0, "computed")


def test_a_county_with_one_township_needs_that_one(policy):
    units, counties = two_counties()
    frame = card(moved(places(S1=("service_centre", 5))), policy=policy, units=units, counties=counties)
    assert line(frame, "township_centre_coverage", "990100") == (0.0, False, 1, "computed")


def test_over_the_whole_city_units_of_all_counties_are_counted_together(policy):
    # townships with a centre: 甲镇 and 乙镇, 2 of 3; by county 1 of 1 and 1 of 2
    units, counties = two_counties()
    facilities = moved(places(a=("service_centre", 15), b=("service_centre", 25)))
    city = card(facilities, policy=policy, units=units, counties=counties, scope="city")
    assert line(city, "township_centre_coverage", "city") == (2 / 3, True, 0, "computed")
    assert ("township_centre_coverage", "990100") not in city.index
    assert city.loc[("township_centre_coverage", "city"), "scope"] == "邵阳市"
    county = card(facilities, policy=policy, units=units, counties=counties, scope="county")
    assert line(county, "township_centre_coverage", "990100") == (1.0, True, 0, "computed")
    assert line(county, "township_centre_coverage", "990200") == (0.5, False, 1, "computed")


def test_the_card_of_some_places_is_those_lines_of_the_whole_card(policy):
    units, counties = two_counties()
    there = places(A=("service_centre", 2.0), B=("dementia_unit", 12.0))
    whole = card(there, policy=policy, units=units, counties=counties)
    scope = whole.index.get_level_values("scope_id")
    for asked in (["990200"], ["990100", "city"]):
        some = card(there, policy=policy, units=units, counties=counties, scope_ids=asked)
        pd.testing.assert_frame_equal(some, whole[scope.isin(asked)])
    none = card(there, policy=policy, units=units, counties=counties, scope_ids=[])
    assert none.empty
    assert list(none.columns) == list(whole.columns)


def test_the_scope_is_the_policys_reading_unless_one_is_given(policy):
    frame = card(toy.facilities(), policy=policy.with_readings(scope="city"), scope=None)
    assert ("street_centre_coverage", "city") in frame.index


def test_units_of_class_other_are_outside_both_rates(policy):
    units = toy.units()
    units.loc[BING, "kind"] = "other"
    frame = card(places(a=("service_centre", 15), b=("service_centre", 25)), policy=policy, units=units)
    assert line(frame, "township_centre_coverage") == (1.0, True, 0, "computed")


def test_a_unit_that_stands_there_twice_counts_once(policy):
    units = toy.units()
    facilities = places(a=("service_centre", 15))
    by_unit = measured(units, facilities, policy=policy)
    twice = pd.concat([units, units.loc[[JIA]]])
    frame = coverage.scorecard(
        twice, facilities, by_unit, policy=policy, counties=COUNTIES, scope="county", date=DATE
    )
    assert line(frame, "township_centre_coverage") == (1 / 3, False, 1, "computed")
    pd.testing.assert_frame_equal(measured(twice, facilities, policy=policy), by_unit)


def test_only_what_is_open_on_the_day_counts(policy):
    homes = places(
        a=("regional_home", 5), b=("regional_home", 15), c=("regional_home", 25), d=("regional_home", 35)
    )
    homes["status"] = ["open", "planned", "planned", "closed"]
    homes["opens_on"] = pd.to_datetime([None, "2027-06-30", "2028-06-30", "2020-01-01"])
    assert line(card(homes, policy=policy), "county_regional_home") == (2.0, True, 0, "computed")
    early = card(homes, policy=policy, date=dt.date(2027, 6, 29))
    assert line(early, "county_regional_home") == (1.0, False, 1, "computed")


def test_more_than_enough_needs_none(policy):
    homes = places(a=("regional_home", 5), b=("regional_home", 15), c=("regional_home", 25))
    assert line(card(homes, policy=policy), "county_regional_home") == (3.0, True, 0, "computed")


def test_a_facility_counts_in_the_county_of_its_row_or_else_of_its_unit(policy):
    units, counties = two_counties()
    homes = moved(places(a=("regional_home", 5), b=("regional_home", 25), c=("regional_home", 35)))
    homes["county_id"] = ["990100", None, "990100"]
    frame = card(homes, policy=policy, units=units, counties=counties)
    assert line(frame, "county_regional_home", "990100") == (2.0, True, 0, "computed")
    assert line(frame, "county_regional_home", "990200") == (1.0, False, 1, "computed")


def test_a_dementia_ward_in_a_home_counts_once_as_a_dementia_unit_in_one_row(policy):
    homes = places(h=("nursing_home", 5), r=("regional_home", 15)).assign(dementia_ward=[True, False])
    frame = card(homes, policy=policy)
    assert line(frame, "county_dementia_unit") == (1.0, True, 0, "computed")
    assert line(frame, "county_regional_home") == (1.0, False, 1, "computed")


@pytest.mark.parametrize("how", ["same point", "named host", "same address"])
def test_a_dementia_ward_in_a_home_counts_once_as_a_dementia_unit_in_two_rows(policy, how):
    rows = places(h=("regional_home", 15), w=("dementia_unit", 15)).assign(dementia_ward=[True, None])
    if how != "same point":
        rows["geometry"] = [toy.at(15), toy.at(15.2)]
        rows = rows.set_crs(toy.CRS, allow_override=True).to_crs("EPSG:4326")
    if how == "named host":
        rows["host_id"] = [None, "h"]
    if how == "same address":
        rows["address"] = ["甲镇中心路 1 号", " 甲镇中心路 1 号"]
    frame = card(rows, policy=policy)
    assert line(frame, "county_dementia_unit") == (1.0, True, 0, "computed")
    assert line(frame, "county_regional_home") == (1.0, False, 1, "computed")


def test_a_ward_elsewhere_is_a_dementia_unit_of_its_own(policy):
    rows = places(h=("nursing_home", 5), w=("dementia_unit", 15)).assign(dementia_ward=[True, None])
    assert line(card(rows, policy=policy), "county_dementia_unit")[0] == 2.0


# --- beds and flags -----------------------------------------------------------------------------------------------------


def homes_with_beds():
    """Return a township home of 60 beds (45 for nursing), a welfare home of 40 (30), and a private home of 100 (10)."""
    return places(t=("township_home", 5), w=("county_welfare_home", 15), n=("nursing_home", 25)).assign(
        beds=[60.0, 40, 100], nursing_beds=[45.0, 30, 10]
    )


def test_the_nursing_bed_share_is_exact_at_its_boundary(policy):
    # 75 of 100
    frame = card(homes_with_beds(), policy=policy)
    assert line(frame, "nursing_bed_share") == (0.75, True, 0, "computed")
    assert line(frame, "nursing_bed_share", "city") == (0.75, True, 0, "computed")
    one_less = homes_with_beds()
    one_less.loc["t", "nursing_beds"] = 44.0
    assert line(card(one_less, policy=policy), "nursing_bed_share") == (0.74, False, 1, "computed")


def test_the_base_of_the_nursing_bed_share_is_a_reading(policy):
    # all homes: 85 of 200, asked 150
    frame = card(homes_with_beds(), policy=policy.with_readings(nursing_bed_base="all_homes"))
    assert line(frame, "nursing_bed_share") == (0.425, False, 65, "computed")


@pytest.mark.parametrize("column", ["beds", "nursing_beds"])
def test_beds_that_no_list_states_make_the_share_unknown_never_zero(policy, column):
    homes = homes_with_beds()
    homes.loc["w", column] = np.nan
    frame = card(homes, policy=policy)
    assert line(frame, "nursing_bed_share") == (None, None, None, "unknown")
    reason = frame.loc[("nursing_bed_share", COUNTY), "reason"]
    assert reason == "1 家机构床位数缺失或有误（示例w），占比无法确定；其余机构护理型床位 45 张、床位 60 张"


def test_more_nursing_beds_than_beds_is_no_usable_number(policy):
    homes = homes_with_beds()
    homes.loc["t", "nursing_beds"] = 61.0
    assert line(card(homes, policy=policy), "nursing_bed_share")[3] == "unknown"


def test_a_county_without_such_homes_has_no_share_of_beds(policy):
    frame = card(places(n=("nursing_home", 25)), policy=policy)
    assert line(frame, "nursing_bed_share") == (None, None, 0, "not_applicable")


def test_in_house_medical_care_is_a_share_of_homes(policy):
    homes = places(w=("county_welfare_home", 5), r=("regional_home", 15), n=("nursing_home", 25))
    frame = card(homes.assign(has_medical=[True, False, False]), policy=policy)
    assert line(frame, "inhouse_medical") == (0.5, False, 1, "computed")
    frame = card(homes.assign(has_medical=[True, True, False]), policy=policy)
    assert line(frame, "inhouse_medical", "city") == (1.0, True, 0, "computed")
    frame = card(homes.assign(has_medical=[True, None, False]), policy=policy)
    assert line(frame, "inhouse_medical") == (None, None, None, "unknown")
    assert "示例r" in frame.loc[("inhouse_medical", COUNTY), "reason"]


# --- demonstration sites, upgrades, floor area --------------------------------------------------------------------------


def test_demonstration_sites_are_those_marked_and_unknown_without_a_mark(policy):
    sites = places(a=("station", 5), b=("station", 15), c=("village_station", 25))
    assert line(card(sites, policy=policy), "urban_demo_sites", "city") == (None, None, None, "unknown")
    marked = card(sites.assign(demonstration=[True, False, "是"]), policy=policy)
    assert line(marked, "urban_demo_sites", "city") == (1.0, False, 29, "computed")
    assert line(marked, "rural_demo_sites", "city") == (1.0, False, 39, "computed")
    empty = card(sites.assign(demonstration=None), policy=policy)
    assert line(empty, "urban_demo_sites", "city")[3] == "unknown"


def test_a_target_that_names_counties_has_a_line_for_each_of_them_and_no_other(policy):
    units, _ = two_counties()
    counties = {"990100": "新邵县", "990200": "另县"}
    homes = moved(places(r=("regional_home", 15))).assign(premises="upgrade")
    frame = card(homes, policy=policy, units=units, counties=counties)
    assert list(frame.loc["regional_home_upgrades"].index) == ["990100"]
    assert line(frame, "regional_home_upgrades", "990100") == (1.0, True, 0, "computed")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"premises": "new"}, (0.0, False, 1, "computed")),
        ({"upgrade_of": "t"}, (1.0, True, 0, "computed")),
        ({}, (None, None, None, "unknown")),
    ],
)
def test_an_upgrade_is_done_when_an_open_home_says_it_came_from_one(policy, columns, expected):
    homes = places(r=("regional_home", 15)).assign(**columns)
    frame = card(homes, policy=policy, counties={COUNTY: "新邵县"})
    assert line(frame, "regional_home_upgrades") == expected


def test_a_named_county_without_any_open_home_has_no_upgrade(policy):
    frame = card(places(t=("township_home", 15)), policy=policy, counties={COUNTY: "新邵县"})
    assert line(frame, "regional_home_upgrades") == (0.0, False, 1, "computed")


def test_counties_may_be_named_by_code(policy):
    raw = policy.model_dump()
    upgrades = next(t for t in raw["targets"] if t["id"] == "regional_home_upgrades")
    upgrades["counties"] = [COUNTY]
    frame = card(places(t=("township_home", 15)), policy=policy_from(raw))
    assert line(frame, "regional_home_upgrades") == (0.0, False, 1, "computed")


def test_where_no_named_county_is_part_of_the_study_one_line_says_so(policy):
    frame = card(toy.facilities(), policy=policy)
    assert line(frame, "regional_home_upgrades", "city") == (None, None, 0, "not_applicable")


def test_floor_area_is_held_against_the_households_of_each_community(policy):
    # asked: 2 000 households × 20/100 = 400 m²; 500 households 100 m² but 300 at least; the village is no community
    demand = toy.demand().assign(households=[2000.0, 500, 900, 1, 1, 1, 1, 1])
    demand["name"] = ["东社区", "西社区", "丙村", *demand["name"][3:]]
    stations = places(a=("station", 2), b=("station", 2), c=("station", 8)).assign(
        floor_area_m2=[250.0, 150, 299], community_id=["A", "A", "B"]
    )
    frame = card(stations, policy=policy, demand=demand)
    assert line(frame, "old_estate_floor_area", "city") == (0.5, False, 1, "computed")
    stations.loc["c", "floor_area_m2"] = 300.0
    frame = card(stations, policy=policy, demand=demand)
    assert line(frame, "old_estate_floor_area", "city") == (1.0, True, 0, "computed")
    stations.loc["c", "floor_area_m2"] = np.nan
    frame = card(stations, policy=policy, demand=demand)
    assert line(frame, "old_estate_floor_area", "city") == (None, None, None, "unknown")
    assert line(card(stations, policy=policy), "old_estate_floor_area", "city")[3] == "unknown"


# --- reported numbers ---------------------------------------------------------------------------------------------------


def test_a_number_for_the_city_is_held_against_the_target(policy):
    frame = card(
        toy.facilities(),
        policy=policy,
        reported={"tcm_health_management": 0.74, "product_expo_centre": 0, "ability_assessment_65": True},
    )
    assert line(frame, "tcm_health_management", "city") == (0.74, True, None, "reported")
    assert line(frame, "product_expo_centre", "city") == (0.0, False, 1, "reported")
    assert line(frame, "ability_assessment_65", "city") == (1.0, True, None, "reported")
    assert line(frame, "safety_standards", "city") == (None, None, None, "unknown")


def test_numbers_by_county_have_a_line_each_and_judge_the_city_only_when_they_agree(policy):
    units, counties = two_counties()

    def lines(reported):
        frame = card(
            toy.facilities(),
            policy=policy,
            units=units,
            counties=counties,
            reported={"monthly_visits": reported},
        )
        return [line(frame, "monthly_visits", s) for s in frame.loc["monthly_visits"].index]

    assert lines({"990200": 0.93}) == [(None, None, None, "unknown"), (0.93, False, None, "reported")]
    assert lines({"990100": 1.0, "另县": 0.93})[0] == (None, None, None, "unknown")
    assert lines({"990100": 0.9, "990200": 0.93})[0] == (None, False, None, "reported")
    assert lines({"990100": 1, "990200": 1})[0] == (1.0, True, None, "reported")
    assert lines({"city": 0.95, "990100": 0.9, "990200": 1})[0] == (0.95, False, None, "reported")


def test_what_the_lists_can_tell_is_computed_whatever_is_reported_and_reported_where_they_cannot(policy):
    reported = {"county_regional_home": {COUNTY: 9}, "urban_demo_sites": 31}
    frame = card(places(r=("regional_home", 5)), policy=policy, reported=reported)
    assert line(frame, "county_regional_home") == (1.0, False, 1, "computed")
    assert line(frame, "urban_demo_sites", "city") == (31.0, True, 0, "reported")


def test_reported_numbers_that_cannot_be_are_refused_all_at_once(policy):
    with pytest.raises(ConfigError) as caught:
        card(
            toy.facilities(),
            policy=policy,
            reported={
                "visits": 1,
                "monthly_visits": {COUNTY: 93, "000000": 0.9},
                "safety_standards": float("nan"),
                "rural_disabled_support": "most",
            },
        )
    said = str(caught.value)
    assert "visits: no such target; there are: county_dementia_unit" in said
    assert (
        f"monthly_visits.{COUNTY}: 93 is no share; it must lie between 0 and 1; write 0.93 for 93 %" in said
    )
    assert "monthly_visits.000000: no such county; there are: 990100" in said
    assert "safety_standards.city: nan is no number of 0 or more" in said
    assert "rural_disabled_support.city: 'most' is no number" in said


# --- doubt, order, refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit_id", [None, "990100999"])
def test_a_centre_that_names_no_unit_there_is_is_said_beside_the_rate(policy, unit_id):
    facilities = places(S1=("service_centre", 5), x=("service_centre", 15))
    facilities.loc["x", "unit_id"] = unit_id
    frame = card(facilities, policy=policy)
    row = frame.loc[("township_centre_coverage", COUNTY)]
    assert (row["value"], row["reason"]) == (0.0, "另有 1 处此类设施未注明所在街道（乡镇），未能计入")


@pytest.mark.parametrize("county_id", [None, "990900"])
def test_a_home_that_names_no_county_there_is_is_said_beside_every_county(policy, county_id):
    homes = places(a=("regional_home", 5), b=("regional_home", 15))
    homes.loc["b", ["unit_id", "county_id"]] = [None, county_id]
    frame = card(homes, policy=policy)
    assert line(frame, "county_regional_home") == (1.0, False, 1, "computed")
    reason = frame.loc[("county_regional_home", COUNTY), "reason"]
    assert reason == "另有 1 处此类设施未注明所在县（市、区），未能计入"
    assert frame.loc[("county_dementia_unit", COUNTY), "reason"] == ""


def test_access_with_a_centre_that_was_not_located_is_a_range(policy):
    # L is somewhere in 丙乡; by access 甲镇 and 乙镇 are covered from S1, 丙乡 only if L is in reach
    facilities = places(S1=("service_centre", 5), L=("service_centre", 35))
    facilities.loc["L", "geometry"] = None
    frame = card(facilities, policy=policy, rule="access")
    assert line(frame, "township_centre_coverage") == (2 / 3, True, 0, "computed")
    reason = frame.loc[("township_centre_coverage", COUNTY), "reason"]
    assert reason == "有设施未能定位：计入 2 个，如全部可达则最多 3 个"


def test_reasons_and_scopes_are_said_in_the_language_asked_for(policy):
    frame = card(toy.facilities(), policy=policy, language="en")
    row = frame.loc[("monthly_visits", "city")]
    assert row["reason"] == "must be reported by the office in charge; no number was given"
    assert row["scope"] == "Shaoyang"


def test_another_citys_policy_is_counted_the_same_way():
    words = {"zh": "站", "en": "clinic"}
    access = {"mode": "walk", "cutoff_min": {"street": 5, "township": 5, "other": 5}}
    clinic = {"name": words, "symbol": "plus", "colour": "#000000", **access}
    shop = {"name": words, "symbol": "star", "colour": "#FFFFFF", **access}
    about = {"name": words, "section": "1", "quote": "…", "rule": "share_at_least", "scope": "county_or_city"}
    other = policy_from(
        {
            "id": "harbour",
            "name": words,
            "area": words,
            "document": "Order 7",
            "issued": "2030-01-02",
            "readings": {"scope": "city"},
            "kinds": {"clinic": clinic, "shop": shop},
            "targets": [
                {
                    **about,
                    "id": "clinics",
                    "value": 0.5,
                    "measure": {"of": "unit_coverage", "unit_kind": "township", "facility_kind": "clinic"},
                },
                {
                    **about,
                    "id": "shops",
                    "value": 0.9,
                    "measure": {"of": "unit_coverage", "unit_kind": "street", "facility_kind": "shop"},
                },
            ],
        }
    )
    facilities = places(a=("clinic", 15), b=("clinic", 25), c=("shop", 35))
    units = toy.units()
    times = TravelTimes.from_matrix(pd.DataFrame(1.0, index=list(toy.VILLAGES), columns=["a", "b", "c"]))
    by_kind = {
        kind: coverage.coverage_by_unit(units, facilities, toy.demand(), times, policy=other, kind=kind)
        for kind in ("clinic", "shop")
    }
    frame = coverage.scorecard(units, facilities, by_kind, policy=other, counties=COUNTIES)
    assert line(frame, "clinics", "city") == (2 / 3, True, 0, "computed")
    assert line(frame, "shops", "city") == (0.0, False, 1, "computed")
    assert list(frame["citation"]) == ["Order 7 1", "Order 7 1"]
    with pytest.raises(InputError, match=r"count several kinds \(clinic, shop\); give a mapping"):
        coverage.scorecard(units, facilities, by_kind["clinic"], policy=other, counties=COUNTIES)
    with pytest.raises(UnknownIdError, match=r"lacks the coverage of a kind.*shop"):
        coverage.scorecard(units, facilities, {"clinic": by_kind["clinic"]}, policy=other, counties=COUNTIES)


def test_coverage_that_lacks_a_unit_is_refused_by_name(policy):
    units, facilities = toy.units(), toy.facilities()
    by_unit = measured(units, facilities, policy=policy).drop(index=BING)
    with pytest.raises(UnknownIdError, match=BING):
        coverage.scorecard(units, facilities, by_unit, policy=policy, counties=COUNTIES)
    with pytest.raises(InputError, match="scope 'village': must be county or city"):
        card(facilities, policy=policy, scope="village")


@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_permuting_rows_changes_no_line(policy, seed):
    random = np.random.default_rng(seed)
    facilities = homes_with_beds().assign(has_medical=[True, None, False])
    facilities.loc["t", "beds"] = np.nan
    facilities.loc["w", "nursing_beds"] = np.nan
    units = toy.units()
    first = card(facilities, policy=policy)
    again = card(
        facilities.iloc[random.permutation(3)], policy=policy, units=units.iloc[random.permutation(4)]
    )
    pd.testing.assert_frame_equal(first, again)


@FEW
@given(where=st.lists(st.sampled_from([5, 15, 25, 35]), max_size=6))
def test_counts_by_county_add_up_to_the_city(policy, where):
    units, counties = two_counties()
    facilities = moved(places(**{f"s{i}": ("service_centre", km) for i, km in enumerate(where)}))
    if not where:
        facilities = toy.facilities().iloc[:0]
    by_county = card(facilities, policy=policy, units=units, counties=counties, scope="county")
    city = card(facilities, policy=policy, units=units, counties=counties, scope="city")
    counted = 1 * by_county.loc[("township_centre_coverage", "990100"), "value"]
    counted += 2 * by_county.loc[("township_centre_coverage", "990200"), "value"]
    assert math.isclose(counted, 3 * city.loc[("township_centre_coverage", "city"), "value"])
    assert counted == len({toy.unit_at(km) for km in where} - {STREET})


def test_a_list_without_any_facility_gives_every_line(policy):
    nobody = toy.facilities().iloc[:0]
    frame = card(nobody, policy=policy)
    assert line(frame, "county_regional_home") == (0.0, False, 2, "computed")
    assert line(frame, "county_dementia_unit") == (0.0, False, 1, "computed")
    assert line(frame, "street_centre_coverage") == (0.0, False, 1, "computed")


def test_the_place_of_a_facility_is_told_to_the_metre():
    rows = places(h=("nursing_home", 5), w=("dementia_unit", 5)).assign(dementia_ward=[True, None])
    point = rows.geometry["h"]
    rows["geometry"] = rows.geometry.where(rows.index != "h", Point(point.x + 0.0005, point.y))
    policy = load_policy("shaoyang_2025")
    counted = coverage.counting(rows, policy.target("county_dementia_unit").measure)
    assert counted.tolist() == [True, True]
