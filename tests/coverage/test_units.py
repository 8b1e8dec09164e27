"""Coverage by unit and county on the toy county, worked out by hand; and the laws it keeps on any county.

    km   0         10         20         30         40
         | 城东街道 |  甲镇    |   乙镇   |   丙乡   |      one kilometre is one minute
    road o====A===B==|==C===D==|==E===F==|==G===H==o
    km       2   8     12  18    22  28    32  38
    elders  400 200   100 300   150 150   200 100

The kind `service_centre` is within reach in 15 minutes for elders of streets, in 30 for the others.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sy_coverage import coverage
from sy_coverage.errors import CutoffError, InputError, UnknownIdError
from sy_coverage.policy import load_policy
from sy_coverage.roads.travel_times import TravelTimes
from tests import toy

STREET, JIA, YI, BING = toy.UNITS


@pytest.fixture(scope="module")
def policy():
    return load_policy("shaoyang_2025")


def times_to(**km: float) -> TravelTimes:
    """Return the minutes from every village to sites at these kilometres, by hand: one a kilometre."""
    villages = {v: k for v, (k, _) in toy.VILLAGES.items()}
    return TravelTimes.from_matrix(
        pd.DataFrame(
            {site: [abs(k - at) for k in villages.values()] for site, at in km.items()}, index=list(villages)
        )
    )


def centres(**km: float):
    return toy.places({i: ("service_centre", k) for i, k in km.items()}, "facility_id", status="open")


def measured(facilities, times, *, policy, **options):
    return coverage.coverage_by_unit(toy.units(), facilities, toy.demand(), times, policy=policy, **options)


def test_presence_and_access_of_the_toy_county_stand_side_by_side(policy):
    # S1 at km 5: A 3, B 3 | C 7, D 13 | E 17, F 23 | G 27, H 33 minutes; only H (100 elders) is beyond 30
    by_unit = measured(toy.facilities(), times_to(S1=5), policy=policy)
    assert list(by_unit.index) == [STREET, JIA, YI, BING]
    assert list(by_unit["has_centre"]) == [True, False, False, False]
    assert list(by_unit["elders"]) == [600, 400, 300, 300]
    assert list(by_unit["elders_covered"]) == [600, 400, 300, 200]
    assert list(by_unit["share_covered"]) == [1, 1, 1, 200 / 300]
    # 甲镇: (100×7 + 300×13)/400; 丙乡: (200×27 + 100×33)/300
    assert list(by_unit["nearest_mean_min"]) == pytest.approx([3, 11.5, 20, 29], abs=1e-12)
    assert list(by_unit["nearest_worst_min"]) == [3, 13, 23, 33]
    assert list(by_unit["backup_share"]) == [0, 0, 0, 0]
    assert list(by_unit["elders_unreached"]) == [0, 0, 0, 0]
    assert list(by_unit["covered"]) == [True, False, False, False]


def test_coverage_comes_with_the_units_shapes_ready_to_be_drawn(policy):
    units = toy.units()
    by_unit = measured(toy.facilities(), times_to(S1=5), policy=policy)
    assert by_unit.crs == units.crs
    assert list(by_unit.total_bounds) == list(units.total_bounds)


def test_the_three_rules_disagree_where_presence_and_access_do(policy):
    # one centre at km 31 in 丙乡. 丙乡: G 1, H 7; 乙镇: E 9, F 3; 甲镇: C 19, D 13; 城东街道: A 29, B 23 > 15
    facilities, times = centres(X=31), times_to(X=31)
    by = {
        r: list(measured(facilities, times, policy=policy, rule=r)["covered"])
        for r in ("presence", "access", "both")
    }
    assert by["presence"] == [False, False, False, True]
    assert by["access"] == [False, True, True, True]
    assert by["both"] == [False, False, False, True]


def test_the_share_that_access_asks_for_is_inclusive_and_exact(policy):
    # S1 at km 5: 200 of 300 elders of 丙乡 are within 30 minutes
    def covered(share):
        return measured(toy.facilities(), times_to(S1=5), policy=policy, rule="access", share=share).loc[
            BING, "covered"
        ]

    assert covered(0.66)
    assert not covered(0.67)
    # A 16 minutes from km 18: beyond 15; B 10: within. 7 of 100 elders is 0.07, but 0.07 × 100 is 7.000000000000001
    demand = toy.demand()
    demand["elders"] = [93.0, 7.0, 0, 0, 0, 0, 0, 0]
    facilities, times = centres(X=18), times_to(X=18)
    by_unit = coverage.coverage_by_unit(
        toy.units(), facilities, demand, times, policy=policy, rule="access", share=0.07
    )
    assert by_unit.loc[STREET, "covered"]


def test_by_access_a_unit_without_elders_leaves_nobody_out(policy):
    demand = toy.demand()
    demand.loc[["C", "D"], "elders"] = 0.0
    by_unit = coverage.coverage_by_unit(
        toy.units(), toy.facilities().iloc[:0], demand, times_to(), policy=policy, rule="access"
    )
    assert list(by_unit["covered"]) == [False, True, False, False]
    assert by_unit["share_covered"].isna().tolist() == [False, True, False, False]


def test_two_centres_in_reach_are_a_backup(policy):
    # S1 km 5, S2 km 25. within 30: C 7/13, D 13/7, E 17/3, F 23/3, G 27/7: both; H 33/13: one. Street (15): A 3/23, B 3/17: one
    by_unit = measured(centres(S1=5, S2=25), times_to(S1=5, S2=25), policy=policy)
    assert list(by_unit["backup_share"]) == [0, 1, 1, 200 / 300]


def test_figures_by_county_are_sums_of_units_and_means_over_elders(policy):
    by_county = coverage.coverage_by_county(measured(toy.facilities(), times_to(S1=5), policy=policy))
    row = by_county.loc[toy.COUNTY]
    assert (row["county"], row["units"], row["streets"], row["townships"], row["others"]) == (
        "试验县",
        4,
        1,
        3,
        0,
    )
    assert (row["covered"], row["streets_covered"], row["townships_covered"], row["with_centre"]) == (
        1,
        1,
        0,
        1,
    )
    assert (row["elders"], row["elders_covered"], row["elders_unreached"]) == (1600, 1500, 0)
    assert row["share_covered"] == 1500 / 1600
    # (600×3 + 400×11.5 + 300×20 + 300×29)/1600 = 21 100/1600
    assert row["nearest_mean_min"] == pytest.approx(13.1875, abs=1e-12)
    assert row["nearest_worst_min"] == 33


def test_the_officials_table_says_units_centres_and_rates_in_their_own_words(policy):
    units = toy.units()
    units.loc[[YI, BING], ["county_id", "county"]] = ["990200", "另县"]
    units.loc[BING, "kind"] = "other"
    by_unit = coverage.coverage_by_unit(
        units, centres(S1=5, S2=25, S3=35), toy.demand(), times_to(S1=5, S2=25, S3=35), policy=policy
    )
    table = coverage.indicator_table(by_unit, policy=policy)
    centre = "街道/乡镇综合养老服务中心"
    assert list(table.columns) == [
        "序号",
        "所在县（市、区）",
        "镇（街道）数量",
        f"{centre}数量",
        f"{centre}覆盖率",
    ]
    assert table.iloc[:, 1:].to_numpy().tolist() == [
        ["试验县", 2, 1, 0.5],
        ["另县", 1, 1, 1.0],
        ["合计", 3, 2, 2 / 3],
    ]
    assert table["序号"].tolist()[:2] == [1, 2]
    assert table["序号"].isna().tolist() == [False, False, True]
    assert coverage.indicator_table(by_unit, policy=policy, language="en").columns[1] == "County"


def test_counties_add_up_to_the_city(policy):
    units = toy.units()
    units.loc[[YI, BING], ["county_id", "county"]] = ["990200", "另县"]
    by_unit = coverage.coverage_by_unit(units, toy.facilities(), toy.demand(), times_to(S1=5), policy=policy)
    by_county = coverage.coverage_by_county(by_unit)
    assert list(by_county.index) == ["990100", "990200"]
    for column in ("elders", "elders_covered", "elders_unreached"):
        assert by_county[column].sum() == by_unit[column].sum()
    assert list(by_county["elders"]) == [1000, 600]
    assert by_county["covered"].sum() == by_unit["covered"].sum()


def test_elders_who_reach_nothing_at_all_are_counted_and_left_out_of_the_minutes(policy):
    # an island: H has no road, so no pair; 100 elders
    times = times_to(S1=5)
    cost = times.to_dense().T
    cost[7] = np.inf
    island = TravelTimes.from_matrix(cost, times.demand_ids, times.site_ids)
    by_unit = measured(toy.facilities(), island, policy=policy)
    assert list(by_unit["elders_unreached"]) == [0, 0, 0, 100]
    assert by_unit.loc[BING, "nearest_mean_min"] == 27
    assert by_unit.loc[BING, "nearest_worst_min"] == 27
    assert by_unit.loc[BING, "share_covered"] == 200 / 300


def test_a_unit_without_elders_has_no_share_and_no_minutes(policy):
    demand = toy.demand()
    demand.loc[["C", "D"], "elders"] = 0.0
    by_unit = coverage.coverage_by_unit(toy.units(), toy.facilities(), demand, times_to(S1=5), policy=policy)
    assert (
        by_unit.loc[JIA, ["share_covered", "backup_share", "nearest_mean_min", "nearest_worst_min"]]
        .isna()
        .all()
    )
    assert by_unit.loc[JIA, "elders"] == 0
    assert not by_unit.loc[JIA, "covered"]


def test_without_any_facility_nobody_is_covered_and_everybody_counted(policy):
    nobody = toy.facilities().iloc[:0]
    by_unit = measured(nobody, times_to(S1=5), policy=policy)
    assert by_unit["elders_covered"].sum() == 0
    assert by_unit["elders_unreached"].sum() == 1600
    assert not by_unit[["has_centre", "covered"]].to_numpy().any()
    assert by_unit["nearest_worst_min"].isna().all()


@pytest.mark.parametrize(
    ("cutoff", "covered"),
    [(13.0, 400), (np.nextafter(13.0, 14.0), 400), (13.0 - 2e-9, 100)],
    ids=["at the cutoff", "next float above", "two billionths of a minute below"],
)
def test_a_cutoff_is_inclusive_to_a_billionth_of_a_minute(policy, cutoff, covered):
    # D (300 elders of 甲镇) is exactly 13 minutes from S1, C (100) is 7
    by_unit = measured(toy.facilities(), times_to(S1=5), policy=policy, cutoff_min=float(cutoff))
    assert by_unit.loc[JIA, "elders_covered"] == covered


def test_the_cutoff_is_that_of_the_class_of_the_elders_unit(policy):
    # X at km 20: A 18 and B 12 in the street (15 minutes), C 8, D 2, E 2, F 8, G 12, H 18 elsewhere (30)
    within = coverage.reached(toy.demand(), toy.units(), times_to(X=20), kind=policy.kind("service_centre"))
    assert within.dtype == bool
    assert within.shape == (1, 8)
    assert within.toarray()[0].tolist() == [False] + [True] * 7
    wider = coverage.reached(
        toy.demand(),
        toy.units(),
        times_to(X=20),
        kind=policy.kind("service_centre"),
        cutoff_min={"street": 18},
    )
    assert wider.toarray().all()


def test_who_reaches_what_follows_the_travel_times_whatever_the_order_of_the_villages(policy):
    times = times_to(S1=5, X=31)
    kind = policy.kind("service_centre")
    first = coverage.reached(toy.demand(), toy.units(), times, kind=kind)
    again = coverage.reached(toy.demand().iloc[::-1], toy.units().iloc[::-1], times, kind=kind)
    assert (first != again).nnz == 0


def test_a_village_outside_every_unit_has_the_cutoff_of_class_other_and_is_in_no_unit(policy):
    demand = toy.demand()
    demand.loc["A", "unit_id"] = None  # 18 minutes from km 20: within 30, beyond 15
    within = coverage.reached(demand, toy.units(), times_to(X=20), kind=policy.kind("service_centre"))
    assert within.toarray().all()
    by_unit = coverage.coverage_by_unit(toy.units(), centres(X=20), demand, times_to(X=20), policy=policy)
    assert by_unit["elders"].sum() == 1200
    assert by_unit.attrs["elders_without_unit"] == 400


def test_a_cutoff_longer_than_the_travel_times_is_refused(policy):
    full = times_to(S1=5)
    near = full.minutes.multiply(full.within(25)).tocsr()
    short = TravelTimes(near, full.site_ids, full.demand_ids, 25.0)
    with pytest.raises(CutoffError, match="up to 25 minutes"):
        measured(toy.facilities(), short, policy=policy)


def test_only_facilities_open_on_the_day_count():
    facilities = toy.places(
        dict.fromkeys(("a", "b", "c", "d", "e", "f"), ("service_centre", 5)),
        "facility_id",
        status=["open", "planned", "planned", "planned", "closed", "open"],
        opens_on=pd.to_datetime([None, "2026-06-01", "2028-01-01", None, "2020-01-01", "2030-01-01"]),
    )
    assert list(coverage.open_on(facilities, dt.date(2027, 12, 31)).index) == ["a", "b"]
    assert list(coverage.open_on(facilities, "2026-05-31").index) == ["a"]
    assert list(coverage.open_on(facilities, "2026-06-01").index) == ["a", "b"]
    assert list(coverage.open_on(facilities, "2030-01-01").index) == ["a", "b", "c", "f"]
    assert list(coverage.open_on(facilities).index) == ["a", "f"]
    assert list(coverage.open_on(facilities.drop(columns="opens_on"), "2030-01-01").index) == ["a", "f"]


def test_a_home_being_built_or_closed_counts_only_when_the_studys_date_says_so(policy):
    facilities = toy.facilities()
    facilities["opens_on"] = pd.NaT
    facilities.loc["S1", ["status", "opens_on"]] = ["planned", pd.Timestamp("2026-06-30")]

    def with_centre(date):
        return measured(facilities, times_to(S1=5), policy=policy, date=date)["has_centre"].sum()

    assert with_centre("2026-06-29") == 0
    assert with_centre("2026-06-30") == 1
    facilities.loc["S1", "status"] = "closed"
    assert with_centre("2027-12-31") == 0


def test_a_centre_without_a_point_counts_for_presence_and_gives_access_as_a_range(policy):
    facilities = centres(S1=5, L=35)
    facilities.loc["L", "geometry"] = None
    by_unit = measured(facilities, times_to(S1=5), policy=policy)
    assert by_unit.loc[BING, "has_centre"]
    assert list(by_unit["elders_covered"]) == [600, 400, 300, 200]
    assert list(by_unit["elders_covered_at_most"]) == [600, 400, 300, 300]
    by_access = measured(facilities, times_to(S1=5), policy=policy, rule="access")
    assert not by_access.loc[BING, "covered"]
    assert by_access.loc[BING, "covered_at_most"]


def test_a_centre_that_names_only_its_county_may_be_in_any_unit_of_it(policy):
    facilities = centres(L=35)
    facilities["geometry"] = None
    facilities["unit_id"] = None
    by_unit = measured(facilities, times_to(), policy=policy)
    assert by_unit["elders_covered"].sum() == 0
    assert by_unit["elders_covered_at_most"].sum() == 1600
    assert not by_unit["has_centre"].any()


def test_a_centre_that_lists_only_some_of_its_functions_counts_and_is_flagged_partial(policy):
    facilities = centres(S1=5, S2=15, S3=25, S4=26, S5=35)
    facilities["functions"] = ["全托、日托、上门服务、家庭床位运营", "日托，上门服务", "日托", None, ""]
    by_unit = measured(facilities, times_to(S1=5, S2=15, S3=25, S4=26, S5=35), policy=policy)
    assert list(by_unit["has_centre"]) == [True] * 4
    # 乙镇 has a partial one and one of which no list says: not flagged
    assert list(by_unit["centre_partial"]) == [False, True, False, False]
    lacking = coverage.missing_functions(facilities, policy.kind("service_centre"))
    assert lacking["S1"] == ()
    assert lacking["S2"] == ("全托", "家庭床位")
    assert lacking["S4"] is None


def test_a_unit_that_stands_there_twice_counts_once(policy):
    twice = pd.concat([toy.units(), toy.units().iloc[[1]]])
    by_unit = coverage.coverage_by_unit(twice, toy.facilities(), toy.demand(), times_to(S1=5), policy=policy)
    assert list(by_unit.index) == [STREET, JIA, YI, BING]
    assert by_unit["elders"].sum() == 1600


def test_any_kind_may_be_asked_for_its_own_coverage(policy):
    # walking 20 minutes a kilometre; meal point at km 2.5: A 10 minutes (street: 15), B 110
    meal = toy.places({"m": ("meal_point", 2.5)}, "facility_id", status="open")
    cost = pd.DataFrame(
        {"m": [abs(k - 2.5) * 20 for k, _ in toy.VILLAGES.values()]}, index=list(toy.VILLAGES)
    )
    by_unit = measured(meal, TravelTimes.from_matrix(cost), policy=policy, kind="meal_point")
    assert list(by_unit["elders_covered"]) == [400, 0, 0, 0]
    assert by_unit.attrs["kind"] == "meal_point"


def test_elders_are_those_of_the_reading(policy):
    demand = toy.demand().assign(elders_80=[40.0, 20, 10, 30, 15, 15, 20, 10])
    older = policy.with_readings(elders="elders_80")
    by_unit = coverage.coverage_by_unit(toy.units(), toy.facilities(), demand, times_to(S1=5), policy=older)
    assert list(by_unit["elders"]) == [60, 40, 30, 30]
    with pytest.raises(InputError, match="column 'elders_65' is missing"):
        measured(toy.facilities(), times_to(S1=5), policy=policy.with_readings(elders="elders_65"))


@pytest.mark.parametrize("wrong", [float("nan"), -1.0, float("inf")])
def test_elders_that_are_no_number_of_people_are_refused_by_name(policy, wrong):
    demand = toy.demand()
    demand.loc["C", "elders"] = wrong
    with pytest.raises(InputError, match=r"column 'elders' must be 0 or more in rows C"):
        coverage.coverage_by_unit(toy.units(), toy.facilities(), demand, times_to(S1=5), policy=policy)


def test_what_does_not_belong_together_is_refused_by_name(policy):
    with pytest.raises(UnknownIdError, match=r"travel times lack open facilities.*S1"):
        measured(toy.facilities(), times_to(other=5), policy=policy)
    with pytest.raises(UnknownIdError, match="no kind 'shop'"):
        measured(toy.facilities(), times_to(S1=5), policy=policy, kind="shop")
    with pytest.raises(InputError, match="rule 'nearness'"):
        measured(toy.facilities(), times_to(S1=5), policy=policy, rule="nearness")
    with pytest.raises(InputError, match=r"write 0\.8 for 80 %"):
        measured(toy.facilities(), times_to(S1=5), policy=policy, share=80)
    with pytest.raises(InputError, match="no such class of unit: hamlet"):
        measured(toy.facilities(), times_to(S1=5), policy=policy, cutoff_min={"hamlet": 3})
    demand = toy.demand()
    demand.loc["A", "unit_id"] = "000000000"
    with pytest.raises(UnknownIdError, match=r"units of the demand points.*000000000"):
        coverage.coverage_by_unit(toy.units(), toy.facilities(), demand, times_to(S1=5), policy=policy)


def test_no_argument_is_changed(policy):
    units, facilities, demand = toy.units(), toy.facilities(), toy.demand()
    before = [frame.copy() for frame in (units, facilities, demand)]
    coverage.coverage_by_unit(units, facilities, demand, times_to(S1=5), policy=policy)
    for frame, was in zip((units, facilities, demand), before, strict=True):
        pd.testing.assert_frame_equal(frame, was)


# --- laws -------------------------------------------------------------------------------------------------------------

FEW = settings(max_examples=max(20, settings.default.max_examples // 3))
KM = st.floats(0, 40, allow_nan=False).map(lambda k: round(k, 3))
SITES = st.lists(KM, min_size=1, max_size=6).map(lambda kms: {f"s{i}": km for i, km in enumerate(kms)})
FIGURES = ["elders_covered", "backup_share", "has_centre", "covered"]


@FEW
@given(sites=SITES, another=KM, rule=st.sampled_from(["presence", "access", "both"]))
def test_one_more_facility_never_lowers_coverage(policy, sites, another, rule):
    less = measured(centres(**sites), times_to(**sites), policy=policy, rule=rule)
    both = sites | {"t": another}
    more = measured(centres(**both), times_to(**both), policy=policy, rule=rule)
    assert (more[FIGURES].astype(float) >= less[FIGURES].astype(float)).all(axis=None)
    assert (more["nearest_mean_min"] <= less["nearest_mean_min"] + 1e-9).all()


@FEW
@given(sites=SITES, short=st.floats(0, 40), longer=st.floats(0, 40))
def test_a_longer_cutoff_never_lowers_coverage(policy, sites, short, longer):
    short, longer = sorted((short, longer))
    less = measured(centres(**sites), times_to(**sites), policy=policy, rule="access", cutoff_min=short)
    more = measured(centres(**sites), times_to(**sites), policy=policy, rule="access", cutoff_min=longer)
    assert (more[FIGURES].astype(float) >= less[FIGURES].astype(float)).all(axis=None)


@FEW
@given(sites=SITES, seed=st.integers(0, 2**32 - 1))
def test_permuting_rows_changes_no_figure(policy, sites, seed):
    random = np.random.default_rng(seed)

    def shuffled(frame):
        return frame.iloc[random.permutation(len(frame))]

    # sums of such numbers depend on their order, and all villages are in one unit
    demand = toy.demand().assign(elders=[0.1, 0.2, 0.3, 1e15, 0.7, 1.1, 1e-3, 12345.678], unit_id=JIA)
    units, facilities, times = toy.units(), centres(**sites), times_to(**sites)
    first = coverage.coverage_by_unit(units, facilities, demand, times, policy=policy)
    mixed = times.select(
        sites=random.permutation(times.site_ids), demand=random.permutation(times.demand_ids)
    )
    again = coverage.coverage_by_unit(
        shuffled(units), shuffled(facilities), shuffled(demand), mixed, policy=policy
    )
    pd.testing.assert_frame_equal(first, again.loc[first.index], check_exact=True)


@FEW
@given(
    sites=SITES,
    elders=st.lists(st.integers(0, 5000), min_size=8, max_size=8),
    cutoff=st.floats(0, 40),
)
def test_elders_covered_are_a_plain_sum_of_people_never_of_points(policy, sites, elders, cutoff):
    demand = toy.demand().assign(elders=np.array(elders, dtype=float))
    times = times_to(**sites)
    by_unit = coverage.coverage_by_unit(
        toy.units(), centres(**sites), demand, times, policy=policy, cutoff_min=cutoff
    )
    expected = dict.fromkeys(toy.UNITS, 0)
    backup = dict.fromkeys(toy.UNITS, 0)
    for (km, _), people in zip(toy.VILLAGES.values(), elders, strict=True):
        near = sum(abs(km - at) <= cutoff for at in sites.values())
        expected[toy.unit_at(km)] += people * (near >= 1)
        backup[toy.unit_at(km)] += people * (near >= 2)
    assert by_unit["elders_covered"].to_dict() == expected
    shares = {u: b / t for (u, b), t in zip(backup.items(), by_unit["elders"], strict=True) if t}
    assert by_unit["backup_share"].dropna().to_dict() == shares
