"""The policy plan against the toy county by hand, and against every subset of small random problems."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sy_coverage import policy
from sy_coverage.errors import CertificateError, InputError, UnknownIdError
from sy_coverage.roads import TravelTimes
from sy_coverage.siting import SolveOptions
from sy_coverage.siting.solve import highs
from tests import toy
from tests.siting.policy_toys import Road, planned, policy_of

SITES = {
    "S1": 5,
    "c15": 15,
    "c19": 19,
    "c25": 25,
    "c35": 35,
    "d05": 5,
    "d15": 15,
    "r04": 4,
    "r15": 15,
    "r36": 36,
}
HOMES = ["r04", "r15", "r36"]


def times_of(ids: list[str], to: dict[str, float] | None = None) -> TravelTimes:
    there = to or {v: km for v, (km, _) in toy.VILLAGES.items()}
    table = {s: {v: float(abs(km - SITES[s])) for v, km in there.items()} for s in ids}
    return TravelTimes.from_matrix(pd.DataFrame(table))


def toy_times() -> dict[str, TravelTimes]:
    return {
        "service_centre": times_of(["S1", "c15", "c19", "c25", "c35"]),
        "dementia_unit": times_of(["d05", "d15"]),
        "regional_home": times_of(HOMES),
    }


def toy_plan(**changes):
    frames = {
        "units": toy.units(),
        "facilities": toy.facilities(),
        "candidates": toy.candidates(),
        "demand": toy.demand(),
    }
    frames |= {k: changes.pop(k) for k in list(changes) if k in frames}
    asked = {"policy": policy.load_policy("shaoyang_2025"), "times": toy_times()} | changes
    return planned(*frames.values(), **asked)


def between() -> TravelTimes:
    return times_of(HOMES, {h: SITES[h] for h in HOMES})


# 3 townships: ⌈0.65·3⌉ = 2 need a centre; 城东街道 has S1. Cheapest in 甲镇: c15 100, 乙镇: c25 100, 丙乡: c35 90.
# Two of them: 90 + 100, either c15 or c25. Both reach all 1,600 elders (only H, 33 min from S1, was out of reach).
# Minutes with S1 + c15 + c35: A 3·400 B 3·200 C 3·100 D 3·300 E 7·150 F 7·150 G 3·200 H 3·100 = 6,000.
# Minutes with S1 + c25 + c35: C 7·100 (from S1 or …: 7) D 7·300 E 3·150 F 3·150, the others as before = 6,400: c15.
# Dementia: d15 60 < d05 80. Homes: r15 150 + r36 300. Cost 190 + 60 + 450 = 700.
def test_the_toy_county_gets_the_plan_worked_out_by_hand():
    plan = toy_plan()
    assert plan.sites == ("c15", "c35", "d15", "r15", "r36")
    assert plan.status == "optimal"
    assert plan.objective == plan.bound == 700.0
    assert plan.gap == 0.0
    stages = {s.objective_id: s.value for s in plan.certificate.stages}
    assert stages["cost"] == 700.0
    assert stages["elders"] == 1600.0
    assert stages["elder_minutes"] == 6000.0
    assert plan.certificate.proved
    assert plan.figures.targets_met
    assert plan.assignment["E"] == "c15"
    assert plan.assignment["A"] == "S1"


def test_homes_closer_than_the_spread_do_not_both_open():
    # r15 and r36 are 21 km apart, r04 and r15 11, r04 and r36 32: with 22 minutes only r04 + r36, 700 instead of 450
    plan = toy_plan(between_homes=between(), spread_min=22)
    assert {"r04", "r36"} < set(plan.sites)
    assert plan.objective == 950.0


def test_the_spread_is_met_at_exactly_its_minutes():
    assert toy_plan(between_homes=between(), spread_min=21).objective == 700.0


def test_an_open_home_keeps_new_ones_at_a_distance():
    # an open home at km 30 counts as one and is 6 minutes from r36: with 10 minutes r15 (15 away) is the other
    homes = toy.places({"R30": ("regional_home", 30)}, "facility_id", status="open")
    facilities = pd.concat([toy.facilities(), homes])
    sites = {**{h: SITES[h] for h in HOMES}, "R30": 30}
    pairs = TravelTimes.from_matrix(
        pd.DataFrame({a: {b: float(abs(x - y)) for b, y in sites.items()} for a, x in sites.items()})
    )
    times = toy_times()
    table = {h: {v: float(abs(km - x)) for v, (km, _) in toy.VILLAGES.items()} for h, x in sites.items()}
    times["regional_home"] = TravelTimes.from_matrix(pd.DataFrame(table))
    cheap = toy.candidates()
    cheap.loc["r36", "cost"] = 10.0
    free = toy_plan(facilities=facilities, times=times, candidates=cheap)
    assert "r36" in free.sites
    plan = toy_plan(facilities=facilities, times=times, candidates=cheap, between_homes=pairs, spread_min=10)
    assert {"r36", "r15"} & set(plan.sites) == {"r15"}


def test_a_home_far_from_medical_care_is_barred_or_flagged():
    # the hospital is at km 6: r36 is 30 minutes away, r15 9, r04 2
    medical = times_of(HOMES, {"M1": 6})
    barred = toy_plan(to_medical=medical, medical_min=20)
    assert {"r04", "r15"} < set(barred.sites)
    flagged = toy_plan(to_medical=medical, medical_min=20, medical="flag")
    assert {"r15", "r36"} < set(flagged.sites)
    assert "r36" in set(flagged.findings.query("reason_id == 'far_from_medical'")["subject"])


def test_medical_minutes_may_have_the_homes_on_either_side():
    turned = TravelTimes.from_matrix(pd.DataFrame({"M1": {h: float(abs(6 - SITES[h])) for h in HOMES}}))
    assert (
        toy_plan(to_medical=turned, medical_min=20).sites
        == toy_plan(to_medical=times_of(HOMES, {"M1": 6}), medical_min=20).sites
    )


def test_a_required_candidate_opens_and_counts():
    candidates = toy.candidates()
    candidates.loc["c19", "required"] = True
    plan = toy_plan(candidates=candidates)
    assert plan.sites == ("c19", "c35", "d15", "r15", "r36")


def test_a_dementia_unit_opens_only_with_its_host():
    # d15 60 in r04 (400) instead of d05 80: r04 would replace r36 (300) at 100 more, so d05 is cheaper by 80
    candidates = toy.candidates()
    candidates.loc["d15", "host_id"] = "r04"
    assert "d05" in toy_plan(candidates=candidates).sites
    candidates.loc["d15", "host_id"] = "T1"  # open today: free
    assert "d15" in toy_plan(candidates=candidates).sites


def test_a_home_with_a_ward_counts_as_a_dementia_unit_once():
    facilities = toy.facilities()
    facilities["dementia_ward"] = [None, True, None]
    plan = toy_plan(facilities=facilities)
    assert not {"d05", "d15"} & set(plan.sites)
    assert plan.objective == 640.0


def test_a_named_county_must_rebuild_a_home():
    # r15 is the only rebuilt home; made dearer than r04 it opens all the same once the county is named
    named = policy.load_policy("shaoyang_2025")
    target = named.target("regional_home_upgrades").model_copy(update={"counties": (toy.COUNTY,)})
    named = named.model_copy(
        update={"targets": tuple(target if t.id == target.id else t for t in named.targets)}
    )
    candidates = toy.candidates()
    candidates.loc["r15", "cost"] = 1000.0
    assert "r15" not in toy_plan(candidates=candidates).sites
    assert "r15" in toy_plan(candidates=candidates, policy=named).sites


def test_a_facility_that_opens_later_counts_only_from_that_day():
    facilities = toy.facilities()
    later = toy.places({"S2": ("service_centre", 15)}, "facility_id", status="planned")
    later["opens_on"] = pd.Timestamp("2027-06-01")
    facilities = pd.concat([facilities, later])
    times = toy_times()
    times["service_centre"] = TravelTimes.from_matrix(
        pd.DataFrame(
            {
                s: {v: float(abs(km - x)) for v, (km, _) in toy.VILLAGES.items()}
                for s, x in {**{k: v for k, v in SITES.items() if k[0] in "Sc"}, "S2": 15}.items()
            }
        )
    )
    import datetime as dt

    before = toy_plan(facilities=facilities, times=times, date=dt.date(2027, 5, 31))
    after = toy_plan(facilities=facilities, times=times, date=dt.date(2027, 6, 1))
    assert before.objective == 700.0
    assert after.objective == 600.0


def test_a_budget_that_is_enough_changes_nothing():
    assert toy_plan(budget=700).sites == toy_plan().sites


def test_a_budget_that_is_too_small_covers_the_most_and_says_what_all_would_cost():
    # 300 buys c15 or c25 or c19, c35 and a dementia unit, no home (150 + 60 + 90 = 300 buys three things too, but not four)
    plan = toy_plan(budget=300)
    assert plan.status == "optimal"
    assert plan.objective == 4.0  # one street, two townships, one dementia unit
    assert plan.figures.cost <= 300
    found = plan.findings.set_index("reason_id").loc["budget_too_small"]
    assert (found["value"], found["other"]) == (300.0, 700.0)


def test_access_asks_for_elders_not_for_walls():
    # by access S1 covers 城东街道 (3 min), 甲镇 (7, 13 min) and 乙镇 (17, 23 min ≤ 30): no centre is needed
    plan = toy_plan(rule="access")
    assert plan.sites == ("d15", "r15", "r36")
    assert toy_plan(rule="both").sites == toy_plan().sites


def test_two_homes_too_close_are_named_in_planning_words():
    plan = toy_plan(between_homes=between(), spread_min=33)
    assert plan.status == "infeasible"
    assert plan.sites == ()
    assert plan.objective is None
    found = plan.findings.set_index("reason_id").loc["no_two_homes_apart"]
    assert found["subject"] == toy.COUNTY
    assert found["places"] == ("r04", "r15", "r36")
    closer = plan.findings.set_index("reason_id").loc["smallest_spread"]
    assert (closer["value"], closer["other"]) == (32.0, 33.0)  # r04 and r36
    assert toy_plan(between_homes=between(), spread_min=closer["value"]).status == "optimal"
    meanwhile = plan.figures.attainable
    assert meanwhile.status == "optimal"
    assert len(set(meanwhile.sites) & set(HOMES)) == 1
    assert set(meanwhile.sites) > {"c15", "c35", "d15"}


def test_units_without_candidates_are_named():
    plan = toy_plan(candidates=toy.candidates().drop(index=["c15", "c19", "c25"]))
    found = plan.findings.set_index("reason_id").loc["too_few_units_with_candidate"]
    assert (found["value"], found["other"]) == (1.0, 2.0)
    assert found["places"] == ("990100100", "990100101")
    assert "c35" in plan.figures.attainable.sites


# By access with every elder asked for, and only S1 (km 5) and c15: H is 23 minutes from c15, G 17; all within 30. Without c15
# and c19 as well as c25 and c35, H stays at 33 minutes from S1 and 丙乡 is out; 甲镇 and 乙镇 suffice. With streets at A 3, B 3.
# So move the cutoff: with 20 minutes for townships 乙镇 reaches E (17) but not F (23): half of its elders; 丙乡 none.
def test_a_unit_out_of_reach_says_which_travel_time_would_do():
    short = policy.load_policy("shaoyang_2025").with_access(cutoff_min={"township": 20})
    few = toy.candidates().drop(index=["c15", "c19", "c25", "c35"])
    plan = toy_plan(candidates=few, policy=short, rule="access")
    assert plan.status == "infeasible"
    found = plan.findings.set_index(["reason_id", "subject"])
    assert found.loc[("no_candidate_in_reach", "990100101"), "value"] == 0.5
    assert found.loc[("smallest_cutoff", "990100101"), "value"] == 23.0
    assert found.loc[("smallest_cutoff", "990100200"), "value"] == 33.0
    longer = short.with_access(cutoff_min={"township": 23})
    assert toy_plan(candidates=few, policy=longer, rule="access").status == "optimal"


def test_a_county_without_dementia_candidates_says_so():
    plan = toy_plan(candidates=toy.candidates().drop(index=["d05", "d15"]))
    row = plan.findings.set_index("reason_id").loc["too_few_candidates"]
    assert (row["target_id"], row["value"], row["other"]) == ("county_dementia_unit", 0.0, 1.0)


def test_rows_in_another_order_change_nothing():
    one = toy_plan()
    other = toy_plan(
        units=toy.units().iloc[::-1],
        facilities=toy.facilities().iloc[::-1],
        candidates=toy.candidates().iloc[::-1],
        demand=toy.demand().iloc[::-1],
    )
    assert one.sites == other.sites
    assert one.certificate == other.certificate
    pd.testing.assert_frame_equal(one.why(), other.why())
    pd.testing.assert_series_equal(one.assignment, other.assignment)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scope": "street"}, "scope='street'"),
        ({"rule": "nearby"}, "rule='nearby'"),
        ({"share": 1.5}, "share=1.5"),
        ({"budget": float("nan")}, "budget=nan"),
        ({"medical_min": 20}, "medical"),
        ({"spread_min": 20}, "between_homes"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(changes, words):
    with pytest.raises(InputError, match=words):
        toy_plan(**changes)


def test_times_that_lack_a_site_are_refused():
    times = toy_times() | {"service_centre": times_of(["S1", "c15"])}
    with pytest.raises(UnknownIdError, match="c19"):
        toy_plan(times=times)


# --- a solver that is not to be trusted ---------------------------------------------------------------------------


def tampered(monkeypatch, change):
    honest = highs.solve

    def solve(model, **options):
        answer = honest(model, **options)
        return change(answer, model) if len(answer.x) else answer

    monkeypatch.setattr(highs, "solve", solve)


def with_x(answer, x):
    from dataclasses import replace

    return replace(answer, x=x)


# access: the centres are chosen by the solver, not by reduction alone
def strict(**changes):
    candidates = toy.candidates()
    return toy_plan(rule="both", candidates=candidates, **changes)


def test_a_solver_that_drops_a_site_is_caught(monkeypatch):
    def drop(answer, model):
        x = answer.x.copy()
        x[x > 0.5] = 0.0
        return with_x(answer, x)

    tampered(monkeypatch, drop)
    with pytest.raises(CertificateError):
        strict()


def test_a_solver_that_flips_a_bit_is_caught(monkeypatch):
    def flip(answer, model):
        x = answer.x.copy()
        at = int((model.integer & (model.cost != 0)).argmax())
        x[at] = 1.0 - x[at]
        return with_x(answer, x)

    tampered(monkeypatch, flip)
    with pytest.raises(CertificateError):
        strict()


def test_a_solver_that_calls_a_dear_plan_optimal_is_caught(monkeypatch):
    from dataclasses import replace

    def dear(model, **options):
        # the worst plan instead of the best, with a bound that agrees with it
        worse = highs.Model(model.sense)
        worse.add_columns(-model.cost, lower=model.lower, upper=model.upper, integer=model.integer)
        worse.add_rows(model.matrix, lower=model.row_lower, upper=model.row_upper)
        answer = honest(worse, **options)
        value = float(model.cost @ answer.x)
        return replace(answer, objective=value, bound=value)

    honest = highs.solve
    monkeypatch.setattr(highs, "solve", dear)
    with pytest.raises(CertificateError):
        strict()


def test_a_time_limit_never_says_optimal():
    plan = toy_plan(options=SolveOptions(time_limit_s=1e-9), rule="both")
    assert plan.status in {"no_answer", "feasible"}
    assert plan.status == "feasible" or (plan.sites == () and plan.objective is None)


# --- against every subset -----------------------------------------------------------------------------------------

KM = st.integers(0, 59)


@st.composite
def roads(draw, *, most=4):
    kinds = draw(
        st.lists(st.sampled_from(["street", "township", "township", "other"]), min_size=4, max_size=4)
    )
    split = draw(st.sampled_from([4, 4, 2]))
    units = {
        f"u{i}": (kind, "c1" if i < split else "c2", 15.0 * i, 15.0 * (i + 1)) for i, kind in enumerate(kinds)
    }
    villages = {
        f"v{i}": (float(draw(KM)), draw(st.integers(0, 9)) * 10) for i in range(draw(st.integers(2, 7)))
    }
    costs = st.sampled_from([0.0, 10.0, 10.0, 12.5, 20.0, 33.3])
    candidates = {}
    for kind, letter, count in (
        ("service_centre", "c", most),
        ("dementia_unit", "d", 2),
        ("regional_home", "r", 3),
    ):
        for i in range(draw(st.integers(1, count))):
            candidates[f"{letter}{i}"] = (kind, float(draw(KM)), draw(costs))
    standing = st.sampled_from(["service_centre", "dementia_unit", "regional_home", "township_home"])
    facilities = {f"S{i}": (draw(standing), float(draw(KM))) for i in range(draw(st.integers(0, 3)))}
    facilities["S9"] = ("township_home", 1.0)
    extra = {"required": {c: draw(st.integers(0, 9)) == 0 for c in candidates}}
    if "d0" in candidates and draw(st.booleans()):
        extra["host_id"] = {"d0": draw(st.sampled_from([c for c in candidates if c[0] != "d"]))}
    return Road(units, villages, facilities, candidates, extra, homes=draw(st.sampled_from([1, 1, 2])))


def solved(road, **options):
    frames = road.frames()
    if options.get("spread_min") is not None:
        options["between_homes"] = road.between_homes()
    return planned(*frames.values(), policy=policy_of(homes=road.homes), times=road.times(), **options)


def clash_of_required(road, spread):
    """Whether the study itself requires what the spread forbids."""
    return spread is not None and any(road.extra["required"].get(c) for c in road.candidates if c[0] == "r")


@settings(max_examples=40)
@given(
    roads(),
    st.sampled_from(["presence", "presence", "access", "both"]),
    st.sampled_from(["county", "city"]),
    st.sampled_from([None, 10.0, 25.0]),
)
def test_no_subset_beats_the_plan(road, rule, scope, spread):
    if clash_of_required(road, spread):
        return
    best = road.best(rule=rule, scope=scope, spread=spread)
    plan = solved(road, rule=rule, scope=scope, spread_min=spread)
    if best is None:
        assert plan.status == "infeasible"
        assert plan.figures.attainable is None or plan.figures.attainable.sites is not None
        return
    _, (cost, elders, minutes, to_homes, _) = best
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(cost, abs=1e-9)
    found = {s.objective_id: s.value for s in plan.certificate.stages}
    assert found["elders"] == -elders
    assert found["elder_minutes"] == pytest.approx(minutes)
    assert found["home_minutes"] == pytest.approx(to_homes)
    assert sum(sorted(road.candidates).index(s) + 1 for s in plan.sites) == best[1][4]


@settings(max_examples=15)
@given(roads(), st.sampled_from([15.0, 30.0, 60.0]))
def test_no_subset_within_a_budget_comes_nearer_to_the_targets(road, budget):
    if any(road.extra["required"].values()):
        return
    whole = road.best()
    plan = solved(road, budget=budget)
    if whole is None:
        assert plan.status == "infeasible"
        return
    if whole[1][0] <= budget:
        assert plan.objective == pytest.approx(whole[1][0])
        return
    best = road.best_within(budget=budget)
    assert best is not None
    found = {s.objective_id: s.value for s in plan.certificate.stages}
    wanted = plan.figures.targets["needed"].sum() - best[1][0]
    assert found["towards_targets"] == wanted
    assert found["elders"] == -best[1][1]
    assert found["elder_minutes"] == pytest.approx(best[1][2])


@settings(max_examples=8)
@given(roads(most=3))
def test_the_best_plan_meanwhile_lacks_least(road):
    if any(road.extra["required"].values()) or road.best() is not None:
        return
    plan = solved(road)
    best = road._best(lambda v: v)
    meanwhile = plan.figures.attainable
    lacks = (meanwhile.figures.targets["needed"] - meanwhile.figures.targets["reached"]).clip(lower=0).sum()
    assert (lacks, meanwhile.figures.cost) == (best[1][0], pytest.approx(best[1][1]))


@settings(max_examples=8)
@given(roads(), KM)
def test_an_open_centre_more_never_raises_the_cost(road, km):
    before = solved(road)
    more = Road(
        road.units,
        road.villages,
        road.facilities | {"S8": ("service_centre", float(km))},
        road.candidates,
        road.extra,
        road.homes,
    )
    after = solved(more)
    if before.status == "optimal":
        assert after.status == "optimal"
        assert after.objective <= before.objective + 1e-9


@settings(max_examples=8)
@given(roads(most=3))
def test_a_candidate_given_twice_changes_neither_cost_nor_elders(road):
    first = next(c for c in sorted(road.candidates))
    double = Road(
        road.units,
        road.villages,
        road.facilities,
        road.candidates | {"z": road.candidates[first]},
        road.extra,
        road.homes,
    )
    before, after = solved(road), solved(double)
    # a second home or dementia unit may lift a county that lacked one; a second centre never changes presence
    if first[0] == "c" and before.status == "optimal":
        assert after.objective == before.objective
        assert after.figures.elders_covered == before.figures.elders_covered
