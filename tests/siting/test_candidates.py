"""Generated candidates on the toy county by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from sy_coverage import policy
from sy_coverage.errors import InputError, UnknownIdError
from sy_coverage.siting import generate_candidates, policy_plan
from tests import toy
from tests.siting.test_policy_plan import times_of, toy_times

POLICY = policy.load_policy("shaoyang_2025")


def generated(**changes):
    frames = {
        "units": toy.units(),
        "facilities": toy.facilities(),
        "candidates": toy.candidates(),
        "demand": toy.demand(),
    }
    frames |= {k: changes.pop(k) for k in list(changes) if k in frames}
    return generate_candidates(*frames.values(), policy=POLICY, **changes)


def made(frame):
    return frame[frame.index.str.startswith("G-")]


# 城东街道 has S1. One site a unit: 甲镇 C (km 12, 100) and D (km 18, 300) have their middle at 16.5: D. 乙镇 E (22) and F (28)
# weigh the same, the middle 25 is 3 km from both: the first by id, E. 丙乡 G (32, 200), H (38, 100): middle 34, G.
def test_every_unit_without_a_centre_gets_a_site_amid_its_elders():
    sites = made(generated(per_unit=1))
    assert sites["name"].to_dict() == {
        "G-990100100-1": "D村",
        "G-990100101-1": "E村",
        "G-990100200-1": "G村",
    }
    assert (sites["located_by"] == "generated").all()
    assert (sites["origin"] == "generated").all()
    assert (sites["premises"] == "unknown").all()  # nobody has promised an office there
    assert (sites["priced_as"] == "village_office").all()
    assert sites.geometry.iloc[0].distance(toy.demand().loc["D", "geometry"]) < 1e-9


def test_elders_in_reach_of_a_centre_count_only_where_there_are_no_others():
    # S1 reaches all but H within 30 minutes: in 丙乡 the site goes to H; the other units have no one else, so stay
    sites = made(generated(per_unit=1, times=times_of(["S1"])))
    assert sites.loc["G-990100200-1", "name"] == "H村"
    assert sites.loc["G-990100100-1", "name"] == "D村"


def test_two_clusters_go_to_two_villages_the_heavier_first():
    assert made(generated(per_unit=2)).loc[["G-990100100-1", "G-990100100-2"], "name"].tolist() == [
        "D村",
        "C村",
    ]


def test_a_unit_with_fewer_villages_than_asked_gets_one_each():
    assert len(made(generated(per_unit=9))) == 6


def test_the_listed_candidates_stay_as_they_are():
    frame = generated(per_unit=1)
    listed = toy.candidates()
    assert frame.loc[listed.index, "cost"].tolist() == listed["cost"].tolist()
    assert frame.loc["r15", "upgrade_of"] == "T1"
    assert frame.index.is_monotonic_increasing


def test_homes_are_generated_only_where_listed_ones_do_not_suffice():
    assert not made(generated(per_unit=1))["kind"].eq("regional_home").any()
    few = made(generated(per_unit=1, candidates=toy.candidates().drop(index=["r04", "r36", "d05", "d15"])))
    assert few["kind"].value_counts()[["regional_home", "dementia_unit"]].tolist() == [1, 1]


def test_a_county_that_must_rebuild_gets_its_standing_home_as_a_candidate():
    target = POLICY.target("regional_home_upgrades").model_copy(update={"counties": ("试验县",)})
    named = POLICY.model_copy(
        update={"targets": tuple(target if t.id == target.id else t for t in POLICY.targets)}
    )
    listed = toy.candidates()
    listed.loc["r15", ["upgrade_of", "premises"]] = ["", "new"]
    frame = generate_candidates(
        toy.units(),
        toy.facilities(),
        listed,
        toy.demand(),
        policy=named,
        per_unit=1,
        costs={
            "service_centre": {"village_office": 80.0},
            "regional_home": {"village_office": 1.0, "upgrade": 250.0},
        },
    )
    row = frame.loc["G-regional_home-T1"]
    assert (row["upgrade_of"], row["premises"], row["cost"]) == ("T1", "upgrade", 250.0)


def test_rows_in_another_order_give_the_same_sites():
    one = generated(per_unit=2)
    other = generated(
        per_unit=2,
        demand=toy.demand().iloc[::-1],
        units=toy.units().iloc[::-1],
        candidates=toy.candidates().iloc[::-1],
    )
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))


def test_generated_sites_make_an_impossible_plan_possible():
    few = toy.candidates().drop(index=["c15", "c19", "c25"])
    times = toy_times()
    assert (
        policy_plan(toy.units(), toy.facilities(), few, toy.demand(), policy=POLICY, times=times).status
        == "infeasible"
    )
    more = generated(candidates=few, per_unit=1)
    km = {"G-990100100-1": 18, "G-990100101-1": 22, "G-990100200-1": 32, "S1": 5, "c35": 35}
    from sy_coverage.roads import TravelTimes

    table = {s: {v: float(abs(k - x)) for v, (k, _) in toy.VILLAGES.items()} for s, x in km.items()}
    times["service_centre"] = TravelTimes.from_matrix(pd.DataFrame(table))
    plan = policy_plan(toy.units(), toy.facilities(), more, toy.demand(), policy=POLICY, times=times)
    assert plan.status == "optimal"
    assert plan.objective == 2 * 80 + 60 + 450  # generated sites at 80 beat c35 at 90


def test_ids_that_are_taken_are_refused():
    taken = toy.candidates().rename(index={"c15": "G-990100100-1"})
    with pytest.raises(UnknownIdError, match="G-990100100-1"):
        generated(candidates=taken, per_unit=1)


@pytest.mark.parametrize(
    "wrong", [{"per_unit": -1}, {"premises": "castle"}, {"costs": {"service_centre": {}}}]
)
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(InputError):
        generated(**({"per_unit": 1} | wrong))


def test_none_asked_none_made():
    assert made(generated(per_unit=0)).empty
