"""Reasons, sentences, closures, the curve and the price of scope, on the toy county by hand."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings

from sy_coverage.errors import CertificateError, InputError
from sy_coverage.siting import closures, compare_plans, scope_price, sentences, trade_off, verify_policy
from tests import toy
from tests.siting.policy_toys import Road
from tests.siting.test_policy_plan import between, roads, solved, toy_plan


@pytest.fixture(scope="module")
def plan():
    return toy_plan()


def said_of(plan, site):
    return plan.why().loc[[site]].set_index("reason_id")


# c35: without it 丙乡 has no centre, one township of two; H (100 elders, 33 min from S1, street… township cutoff 30) comes
# within the cutoff; cost 90 for 100 elders = 9,000 yuan each. F 7 min, G 3, H 3 instead of 23, 27, 33 from S1:
# (150·16 + 200·24 + 100·30) / 450 = 22.67 minutes. Without it c25 + c15 cost 10 more.
def test_a_centre_is_explained_by_what_it_alone_does(plan):
    found = said_of(plan, "c35")
    assert found.loc["covers_alone", "subject"] == "990100200"
    assert (found.loc["target_fails_without", "value"], found.loc["target_fails_without", "other"]) == (
        1.0,
        2.0,
    )
    assert found.loc["elders_gained", "value"] == 100.0
    assert "elders_only_here" not in found.index  # c15 is 23 minutes from H, within the 30 of a township
    assert found.loc["minutes_saved", "value"] == pytest.approx((150 * 16 + 200 * 24 + 100 * 30) / 450)
    assert found.loc["cost_per_elder", "value"] == pytest.approx(9000.0)
    assert found.loc["in_every_optimum_cost", "value"] == 10.0
    assert (found.loc["alternative_dearer", "subject"], found.loc["alternative_dearer", "value"]) == (
        "c25",
        10.0,
    )


def test_a_centre_that_another_could_replace_at_no_loss_says_so(plan):
    # c25 instead of c15: the same cost, the same elders, only more minutes
    assert "exchangeable" in said_of(plan, "c15").index


def test_a_site_without_which_nothing_works_says_so():
    plan = toy_plan(between_homes=between(), spread_min=22)
    assert "cannot_do_without" in said_of(plan, "r04").index


def test_where_no_elder_comes_within_the_time_the_sentence_says_what_the_site_does_instead(plan):
    gained = plan.why().reset_index().query("reason_id == 'elders_gained'").drop_duplicates("site_id").head(1)
    by_case = {
        ("990100200",): "使丙乡有了自己的中心；时限内可达的老年人数不变。",
        (): "缩短老年人的路程；时限内可达的老年人数不变。",
    }
    for places, expected in by_case.items():
        row = gained.assign(value=0.0, other=12.5, places=[places])
        assert sentences(row, "zh", names={"990100200": "丙乡"})["sentence"].item() == expected
    nothing = gained.assign(value=0.0, other=0.0, places=[()])
    assert sentences(nothing, "zh")["sentence"].item() == "时限内可达的老年人数不变。"
    assert sentences(gained.assign(value=100.0), "zh")["sentence"].item() == "新增 100 名老年人在时限内可达。"


# A centre stands at km 5 of a township, its only village with it; a second one at the same place is required.
def test_the_cost_for_each_elder_is_not_said_where_none_is_gained():
    road = Road(
        units={"u": ("township", "c", 0, 10)},
        villages={"v": (5.0, 100)},
        facilities={"S": ("service_centre", 5.0), "D": ("dementia_unit", 5.0)},
        candidates={"n": ("service_centre", 5.0, 80.0)},
        extra={"required": {"n": True}},
        homes=0,
    )
    why = solved(road).why().loc[["n"]].set_index("reason_id")
    assert why.loc["elders_gained", "value"] == 0.0
    assert why.loc["elders_gained", "places"] == ()
    assert "cost_per_elder" not in why.index


# No centre stands. n at km 5 is 35 minutes from v (100 elders) and 2 from w (50): nobody knows what either saves.
def test_whom_nothing_reaches_today_saves_no_minutes_that_could_be_said():
    road = Road(
        units={"u": ("township", "c", 0, 50)},
        villages={"v": (40.0, 100), "w": (7.0, 50)},
        facilities={"D": ("dementia_unit", 5.0)},
        candidates={"n": ("service_centre", 5.0, 80.0)},
        extra={"required": {"n": True}},
        homes=0,
    )
    why = solved(road).why().loc[["n"]].set_index("reason_id")
    assert "minutes_saved" not in why.index
    first = why.loc["reached_first"]
    assert (first["value"], first["other"]) == (150.0, pytest.approx((100 * 35 + 50 * 2) / 150))
    assert sentences(why.loc[["reached_first"]].reset_index(), "zh")["sentence"].item() == (
        "另有 150 名老年人现状路程超出测算范围或无路可达，到该处平均 24.0 分钟。"
    )


def test_a_rebuilt_home_names_what_it_is_built_from(plan):
    assert said_of(plan, "r15").loc["rebuilds", "subject"] == "T1"


def test_the_unit_left_out_says_why(plan):
    found = plan.findings.set_index("subject").loc["990100101"]
    assert found["reason_id"] == "left_out_not_needed"
    dear = toy.candidates()
    dear.loc["c25", "cost"] = 500.0
    found = toy_plan(candidates=dear).findings.set_index("subject").loc["990100101"]
    assert (found["reason_id"], found["value"], found["other"]) == ("left_out_dearer", 500.0, 100.0)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_reason_becomes_a_sentence_without_holes(plan, language):
    names = {"990100": "试验县", "990100200": "丙乡"}
    plans = [
        plan,
        toy_plan(budget=300),
        toy_plan(between_homes=between(), spread_min=33),
        toy_plan(candidates=toy.candidates().drop(index=["c15", "c19", "c25", "d05", "d15"])),
        toy_plan(rule="access", share=1.0, candidates=toy.candidates().drop(index=["c35", "c25"])),
    ]
    for one in plans:
        for frame in (one.why(), one.findings):
            said = sentences(frame, language, names=names)["sentence"]
            assert len(said) == len(frame)
            assert not said.str.contains(r"nan|None|\{|\}").any(), said[
                said.str.contains("nan|None")
            ].tolist()


def test_a_sentence_names_places_not_ids(plan):
    said = sentences(said_of(plan, "c35").reset_index(), "zh", names={"990100200": "丙乡"})
    assert "丙乡只由该处覆盖。" in set(said["sentence"])


# Closing c35: H (33 min from S1, 23 from c15 ≤ 30) stays in reach, but 丙乡 has no centre. Closing S1: A and B are 13 and
# 7 minutes from c15, street cutoff 15: in reach still; the street has no centre.
def test_closures_say_what_is_left(plan):
    left = closures(plan)
    assert list(left.index) == ["S1", "c15", "c35"]
    assert left.loc["S1", "units_lost"] == ("990100001",)
    assert left.loc["S1", "targets_lost"] == ("street_centre_coverage",)
    assert left.loc["c35", "elders_lost"] == 0.0
    assert left.loc["c35", "targets_lost"] == ("township_centre_coverage",)


def test_a_closure_that_costs_elders_counts_them():
    # by access only S1 stands: closing it leaves nobody in reach of 1,500
    left = closures(toy_plan(rule="access"))
    assert left.loc["S1", "elders_lost"] == 1500.0
    assert left.loc["S1", "elders_left"] == 0.0


def test_the_curve_without_targets_begins_at_nothing(plan):
    curve = trade_off(plan, keep_targets=False)
    assert curve["cost"].tolist() == [0.0, 90.0]
    assert curve["elders_covered"].tolist() == [1500.0, 1600.0]
    assert curve["cost_per_elder_more"].iloc[1] == pytest.approx(9000.0)


@settings(max_examples=8)
@given(roads())
def test_the_curve_is_the_frontier_of_every_subset(road):
    if any(road.extra["required"].values()):
        return
    some = solved(road)
    some = some if some.sites else some.figures.attainable
    if some is None or some.reasons is None:
        return
    values = {
        (v[1], -v[2])
        for n in range(2 ** len(road.candidates))
        if (v := road.value(tuple(c for i, c in enumerate(sorted(road.candidates)) if n >> i & 1)))
        is not None
    }
    frontier = sorted(a for a in values if not any(b != a and b[0] <= a[0] and b[1] >= a[1] for b in values))
    curve = trade_off(some, keep_targets=False, points=100)
    assert [(round(c, 6), e) for c, e in zip(curve["cost"], curve["elders_covered"], strict=True)] == [
        (round(c, 6), e) for c, e in frontier
    ]


def test_the_county_rule_costs_what_the_difference_says():
    # Two counties of one township each: by county both need a centre; over the city ⌈0.65·2⌉ = 2 do too. With a third
    # township in c2: by county 1 + 2; over the city ⌈0.65·3⌉ = 2, so the dearest (50) is saved.
    road = Road(
        {"u1": ("township", "c1", 0, 10), "u2": ("township", "c2", 10, 20), "u3": ("township", "c2", 20, 30)},
        {"v1": (5, 10), "v2": (15, 10), "v3": (25, 10)},
        {"S1": ("township_home", 1)},
        {
            "a": ("service_centre", 5, 50.0),
            "b": ("service_centre", 15, 20.0),
            "c": ("service_centre", 25, 30.0),
            **{f"d{i}": ("dementia_unit", 5 + 10 * i, 1.0) for i in range(2)},
            **{f"r{i}": ("regional_home", 5 + 10 * i, 1.0) for i in range(2)},
        },
        homes=1,
    )
    prices = scope_price(solved(road))
    assert prices.loc["county", "cost"] - prices.loc["city", "cost"] == 50.0


def test_two_plans_are_set_side_by_side(plan):
    other = toy_plan(between_homes=between(), spread_min=22)
    frame = compare_plans(plan, other)
    assert frame.loc["r15", ["in_one", "in_other"]].tolist() == [True, False]
    totals = frame.attrs["totals"]
    assert totals["cost"].tolist() == [700.0, 950.0]
    assert totals["shared"].tolist() == [4, 4]


def test_a_plan_is_counted_again_without_the_solver(plan):
    again = verify_policy(plan)
    assert again.objective == 700.0
    assert again.rules["holds"].all()


@pytest.mark.parametrize("sites", [("c15", "c35", "d15", "r15"), ("c15", "c19", "c35", "d15", "r15", "r36")])
def test_a_plan_that_was_tampered_with_does_not_verify(plan, sites):
    with pytest.raises(CertificateError):
        verify_policy(replace(plan, sites=sites))


def test_a_plan_whose_claims_were_tampered_with_does_not_verify(plan):
    certificate, said = plan.certificate, plan.figures
    targets = said.targets.assign(reached=lambda t: t["reached"] + 1)
    claims = {
        "rule not named: coverage_targets": {
            "certificate": replace(certificate, rules=certificate.rules[1:])
        },
        "bound": {"bound": plan.bound - 1},
        "gap": {"gap": 0.5},
        "not assigned": {"assignment": plan.assignment.iloc[::-1].set_axis(plan.assignment.index)},
        "targets_met": {"figures": replace(said, targets_met=False)},
        "figures: targets": {"figures": replace(said, targets=targets)},
    }
    for said, changed in claims.items():
        with pytest.raises(CertificateError, match=said):
            verify_policy(replace(plan, **changed))


def test_a_plan_survives_pickling(plan):
    again = pickle.loads(pickle.dumps(plan))  # noqa: S301  our own bytes
    pd.testing.assert_frame_equal(again.why(), plan.why())


def test_an_infeasible_plan_has_no_curve():
    nothing = toy_plan(between_homes=between(), spread_min=33)
    with pytest.raises(InputError, match="attainable"):
        trade_off(nothing)
