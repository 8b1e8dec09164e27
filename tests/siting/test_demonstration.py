"""Demonstration sites on the toy road, by hand and against every choice."""

from __future__ import annotations

import itertools

import geopandas as gpd
import pandas as pd
import pytest

from sy_coverage import policy
from sy_coverage.errors import InputError
from sy_coverage.roads import TravelTimes
from sy_coverage.siting import Criteria, demonstration_sites, sentences
from tests import toy

CUTOFF = {"street": 15.0, "township": 15.0, "other": 15.0}
KM = {"s1": 5.0, "s2": 15.0, "s3": 25.0, "s4": 35.0}


def policy_of(number):
    """Return the policy asking for so many urban demonstration sites, each reaching 5 minutes."""
    full = policy.load_policy("shaoyang_2025")
    kinds = dict(full.kinds)
    kinds["station"] = kinds["station"].model_copy(
        update={"cutoff_min": dict.fromkeys(CUTOFF, 5.0), "functions": ("日托", "助餐")}
    )
    targets = [
        t.model_copy(update={"value": float(number)}) if t.id == "urban_demo_sites" else t
        for t in full.targets
    ]
    return full.model_copy(update={"kinds": kinds, "targets": tuple(targets)})


def stations(**columns):
    return gpd.GeoDataFrame(
        {"name": list(KM), "kind": "station", **columns},
        geometry=[toy.at(k) for k in KM.values()],
        index=pd.Index(list(KM), name="facility_id", dtype=object),
        crs=toy.CRS,
    ).to_crs("EPSG:4326")


def minutes():
    table = {s: {v: abs(km - at) for v, (at, _) in toy.VILLAGES.items()} for s, km in KM.items()}
    return TravelTimes.from_matrix(pd.DataFrame(table))


def chosen(number, frame=None, **given):
    frame = stations() if frame is None else frame
    return demonstration_sites(
        frame,
        toy.units(),
        toy.demand(),
        minutes(),
        policy=policy_of(number),
        target_id="urban_demo_sites",
        **given,
    )


# within 5 km: s1 A 400 + B 200; s2 C 100 + D 300; s3 E 150 + F 150; s4 G 200 + H 100
def test_the_sites_with_most_elders_near_are_chosen():
    plan = chosen(2)
    assert (plan.sites, plan.objective, plan.status) == (("s1", "s2"), 1000.0, "optimal")
    assert plan.findings.empty


def test_what_is_marked_already_stays():
    plan = chosen(2, stations(demonstration=[None, None, None, True]))
    assert (plan.sites, plan.objective) == (("s1", "s4"), 900.0)


def test_a_site_that_fails_a_criterion_is_named_with_its_number():
    frame = stations(
        floor_area_m2=[250.0, 400.0, None, 300.0], functions=["日托、助餐", "日托", None, "助餐、日托"]
    )
    plan = chosen(2, frame, criteria=Criteria(floor_area_m2=300.0))
    assert plan.sites == ("s2", "s4")
    said = sentences(plan.findings, "zh")["sentence"].tolist()
    assert said == ["s1建筑面积 250 平方米，低于 300 平方米。", "s3未注明建筑面积（条件为 300 平方米以上）。"]
    whole = chosen(2, frame, criteria=Criteria(all_functions=True))
    assert whole.sites == ("s1", "s4")
    assert sentences(whole.findings, "en")["sentence"].tolist() == [
        "s2 lacks functions: 助餐.",
        "The functions of s3 are not known.",
    ]


def test_too_few_that_meet_the_criteria_are_all_chosen_and_counted():
    frame = stations(has_medical=[True, None, False, True])
    plan = chosen(3, frame, criteria=Criteria(has_medical=True))
    assert plan.sites == ("s1", "s4")
    last = plan.findings.iloc[-1]
    assert (last["reason_id"], last["value"], last["other"]) == ("demonstration_too_few", 2.0, 3.0)
    with pytest.raises(InputError, match="meets the criteria"):
        chosen(2, stations(), criteria=Criteria(has_medical=True))


def test_a_target_that_counts_no_marked_facilities_is_refused():
    with pytest.raises(InputError, match="urban_demo_sites, rural_demo_sites"):
        demonstration_sites(
            stations(),
            toy.units(),
            toy.demand(),
            minutes(),
            policy=policy_of(1),
            target_id="county_regional_home",
        )


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("marked", [(), ("s3",), ("s3", "s4")])
def test_no_other_choice_reaches_more_elders_and_row_order_changes_nothing(number, marked):
    frame = stations(demonstration=[s in marked for s in KM])
    plan = chosen(number, frame)
    reach = {s: {v for v, (at, _) in toy.VILLAGES.items() if abs(at - km) <= 5} for s, km in KM.items()}
    worth = [
        sum(toy.VILLAGES[v][1] for v in set().union(*(reach[s] for s in choice)))
        for choice in itertools.combinations(KM, max(number, len(marked)))
        if set(marked) <= set(choice)
    ]
    assert plan.objective == max(worth)
    assert chosen(number, frame.iloc[::-1]).sites == plan.sites
