"""Work the classic siting problems out by hand on one straight road.

Minutes along the road; sites a…e stand at 0, 10, 20, 30, 40; demand 1…5 at 2, 8, 15, 31, 39 with weights 4, 2, 1, 3, 5.

          a(0)   b(10)  c(20)  d(30)  e(40)
    1(2)    2      8     18     28     38      weight 4
    2(8)    8      2     12     22     32      weight 2
    3(15)  15      5      5     15     25      weight 1
    4(31)  31     21     11      1      9      weight 3
    5(39)  39     29     19      9      1      weight 5
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sy_coverage import siting
from sy_coverage.roads.travel_times import TravelTimes

SITES = {"a": 0, "b": 10, "c": 20, "d": 30, "e": 40}
DEMAND = {"1": 2, "2": 8, "3": 15, "4": 31, "5": 39}
WEIGHTS = pd.Series([4.0, 2.0, 1.0, 3.0, 5.0], index=list(DEMAND))


def minutes() -> pd.DataFrame:
    table = np.abs(np.subtract.outer(list(DEMAND.values()), list(SITES.values()))).astype(float)
    return pd.DataFrame(table, index=list(DEMAND), columns=list(SITES))


TIMES = TravelTimes.from_matrix(minutes())


def proved(plan, sites, objective):
    assert (plan.status, plan.sites, plan.objective) == ("optimal", sites, objective)
    assert (plan.bound, plan.gap) == (objective, 0.0)


def test_fewest_sites_that_cover_all_within_nine_minutes_are_two():
    # 1 needs a or b, 3 needs b or c, 4 and 5 need d or e: b and (d or e); d reaches 5 at 9 minutes, inclusive
    plan = siting.lscp(TIMES, 9)
    assert plan.status == "optimal"
    assert plan.objective == 2
    assert plan.sites[0] == "b"
    assert plan.assignment[["1", "2", "3"]].tolist() == ["b", "b", "b"]


def test_a_cutoff_is_inclusive_and_the_next_float_below_is_not():
    only_d = {"forbidden": ("e",)}
    assert siting.lscp(TIMES, 9.0, **only_d).status == "optimal"
    plan = siting.lscp(TIMES, 9.0 - 2e-9, **only_d)
    assert plan.status == "infeasible"
    assert plan.findings["subject"].tolist() == ["5"]


def test_points_that_no_site_covers_are_named_and_there_are_no_sites():
    plan = siting.lscp(TIMES, 4)
    # within 4 minutes: 1 has a, 2 has b, 4 has d, 5 has e; 3 is 5 minutes from both of its neighbours
    assert (plan.status, plan.sites, plan.objective, plan.bound) == ("infeasible", (), None, None)
    assert plan.findings[["reason_id", "subject"]].to_numpy().tolist() == [["uncoverable_demand", "3"]]
    assert plan.assignment.isna().all()


def test_with_costs_the_cheapest_cover_is_not_the_smallest():
    # b and e cover all for 11; a, c, d cost 1 each and cover all within 9 as well: 3
    proved(
        siting.lscp(TIMES, 9, costs={"a": 1, "b": 10, "c": 1, "d": 1, "e": 1}),
        ("a", "c", "d"),
        3.0,
    )


def test_of_the_smallest_covers_the_one_that_backs_up_most_is_chosen():
    # within 12 minutes: a {1,2} b {1,2,3} c {2,3,4} d {4,5} e {4,5}. Two sites that cover all: (b,d), (b,e)
    # and no other, since 1 needs a or b, 5 needs d or e, 3 needs b or c. Both cover nothing twice.
    plan = siting.lscp_backup(TIMES, 12)
    assert (plan.status, plan.objective, len(plan.sites)) == ("optimal", 0.0, 2)
    # three sites when c is required: b, c, d (or e) covers 2, 3 and 4 twice: weight 2 + 1 + 3
    weighted = siting.lscp_backup(TIMES, 12, WEIGHTS, required=("c",))
    assert (weighted.status, weighted.objective) == ("optimal", 6.0)
    assert [s.objective_id for s in weighted.certificate.stages] == ["lscp", "lscp_backup"]
    assert weighted.certificate.stages[0].value == 3


def test_two_sites_cover_most_weight():
    # within 8: a {1,2}, b {1,2,3}, c {3}, d {4}, e {5}: b and e make 7 + 5
    proved(siting.mclp(TIMES, 8, WEIGHTS, p=2), ("b", "e"), 12.0)


def test_a_budget_buys_what_covers_most():
    # with 5: b (4) alone covers 7, b and c too dear; a (2) and e (3) cover 6 + 5 = 11
    costs = {"a": 2, "b": 4, "c": 1, "d": 1, "e": 3}
    proved(siting.mclp(TIMES, 8, WEIGHTS, budget=5, costs=costs), ("a", "e"), 11.0)


def test_sites_beyond_those_that_help_are_filled_up_with_the_first_ids():
    plan = siting.mclp(TIMES, 40, WEIGHTS, p=3)
    assert plan.objective == 15.0
    assert len(plan.sites) == 3


def test_all_sites_may_be_asked_for():
    proved(siting.mclp(TIMES, 8, WEIGHTS, p=5), tuple(SITES), 15.0)


def test_a_share_counts_demand_that_nobody_can_cover():
    # within 4 minutes point 3 is out of reach, 14 of 15 can be covered: 0.9 asks for 13.5, that is all four others
    plan = siting.partial_cover(TIMES, 4, WEIGHTS, 0.9)
    proved(plan, ("a", "b", "d", "e"), 4.0)
    assert plan.findings["subject"].tolist() == ["3"]
    short = siting.partial_cover(TIMES, 4, WEIGHTS, 0.95)
    assert short.status == "infeasible"
    assert short.findings.iloc[0].to_dict() == {
        "reason_id": "share_out_of_reach",
        "subject": "",
        "value": 14 / 15,
    }


def test_sixty_five_percent_of_twenty_is_thirteen_and_not_fourteen():
    # 0.65 × 20 is 13.000000000000002 in floating point; 13 of 20 single points suffice
    times = TravelTimes.from_matrix(np.where(np.eye(20) == 1, 0.0, 99.0))
    assert siting.partial_cover(times, 5, np.ones(20), 0.65).objective == 13


def test_nothing_is_needed_for_no_share():
    proved(siting.partial_cover(TIMES, 8, WEIGHTS, 0.0), (), 0.0)


def test_least_total_travel_of_two():
    # b: 8·4+2·2+5·1 = 41 and e: 9·3+1·5 = 32 → 73; b and d: 41 + 3 + 45 = 89; a and e: 8+16+15+32 = 71
    proved(siting.p_median(TIMES, WEIGHTS, p=2), ("a", "e"), 71.0)


def test_least_worst_travel_of_two():
    # b and d or e: worst is 1 at 8 minutes … 5 at 9 (d), or 4 at 9 (e): 9
    plan = siting.p_center(TIMES, p=2)
    assert (plan.status, plan.objective, plan.bound) == ("optimal", 9.0, 9.0)


def test_two_sites_farthest_apart_stand_at_the_ends():
    at = np.array(list(SITES.values()), dtype=float)
    apart = pd.DataFrame(np.abs(np.subtract.outer(at, at)), index=list(SITES), columns=list(SITES))
    proved(siting.p_dispersion(apart, p=2), ("a", "e"), 40.0)
    proved(siting.p_dispersion(apart, p=3), ("a", "c", "e"), 20.0)
    proved(siting.p_dispersion(apart, p=3, required=("b",)), ("a", "b", "e"), 10.0)


def test_demand_that_cannot_travel_is_named():
    table = minutes()
    table.loc["4"] = np.inf
    times = TravelTimes.from_matrix(table)
    for plan in (siting.p_median(times, WEIGHTS, p=2), siting.p_center(times, p=2)):
        assert plan.status == "infeasible"
        assert plan.sites == ()
        assert plan.findings[["reason_id", "subject"]].to_numpy().tolist() == [["unreachable_demand", "4"]]


def test_too_few_sites_to_reach_everyone_says_how_many_it_takes():
    table = minutes().where(minutes() <= 9, np.inf)
    for plan in (
        siting.p_median(TravelTimes.from_matrix(table), WEIGHTS, p=1),
        siting.p_center(TravelTimes.from_matrix(table), p=1),
    ):
        assert plan.status == "infeasible"
        assert plan.findings.iloc[0].to_dict() == {
            "reason_id": "sites_to_reach_all",
            "subject": "",
            "value": 2.0,
        }


def test_each_point_may_ask_for_its_own_number_of_sites():
    # within 12: 4 has c, d, e; asking for three takes all of them, and 1 takes a or b
    plan = siting.lscp(TIMES, 12, k=pd.Series([1, 1, 1, 3, 1], index=list(DEMAND)))
    assert plan.objective == 4
    assert {"c", "d", "e"} <= set(plan.sites)


def test_gradual_coverage_counts_the_nearest_site_alone():
    # full to 5, none from 10: a: 1 at 2 → 4·1, 2 at 8 → 2·0.4; e: 5 → 5, 4 at 9 → 3·0.2; together 10.4
    # b: 1 at 8 → 1.6, 2 → 2, 3 at 5 → 1; d: 4 → 3, 5 at 9 → 1
    plan = siting.mclp(TIMES, 10, WEIGHTS, p=2, decay=siting.LinearDecay(full=5))
    assert plan.sites == ("a", "e")
    assert plan.objective == pytest.approx(10.4)


def test_beds_limit_what_a_site_serves_and_demand_is_shared_out():
    # everyone reaches everything within 40; room for 8 a site: 15 elders need two sites
    plan = siting.lscp(TIMES, 40, weights=WEIGHTS, capacities=np.full(5, 8))
    assert (plan.status, plan.objective) == ("optimal", 2.0)
    served = plan.figures.service.merge(WEIGHTS.rename("elders"), left_on="demand_id", right_index=True)
    load = (served["share"] * served["elders"]).groupby(served["site_id"]).sum()
    assert load.sum() == pytest.approx(15.0)
    assert (load <= 8 + 1e-9).all()
    # one site for each point: 4, 2, 1, 3, 5 go into 8 + 7 as (5, 3) and (4, 2, 1)
    alone = siting.lscp(TIMES, 40, weights=WEIGHTS, capacities=np.full(5, 8), split=False)
    assert (alone.objective, set(alone.figures.service["share"])) == (2.0, {1.0})


def test_beds_that_are_too_few_are_counted():
    plan = siting.p_median(TIMES, WEIGHTS, p=2, capacities=np.full(5, 6))
    assert plan.findings.iloc[0].to_dict() == {"reason_id": "capacity_short", "subject": "", "value": 3.0}
    single = siting.lscp(TIMES, 40, weights=WEIGHTS, capacities=np.full(5, 4), split=False)
    assert single.findings[["reason_id", "subject"]].to_numpy().tolist() == [["no_site_large_enough", "5"]]


def test_why_says_what_is_lost_without_each_site():
    why = siting.mclp(TIMES, 8, WEIGHTS, p=2, required=("b",)).why()
    told = why.reset_index().set_index(["site_id", "reason_id"])["value"]
    assert told["b", "required"] == 1
    assert told["b", "serves_weight"] == 7
    assert told["e", "alone_serves_weight"] == 5
    assert told["e", "objective_without"] == 7


def test_the_certificate_says_what_was_checked():
    certificate = siting.mclp(TIMES, 8, WEIGHTS, p=2, options=siting.SolveOptions(time_limit_s=7)).certificate
    assert certificate.proved
    assert certificate.rules == ("required_sites", "forbidden_sites", "number_of_sites")
    assert certificate.heuristic_value == 12.0
    assert ("time_limit_s", "7") in certificate.options
    # prices and exchanges met, so no solver was needed
    assert certificate.solver == "sy_coverage"


def test_weights_in_an_array_go_by_position_and_in_a_series_by_label():
    turned = WEIGHTS.iloc[::-1]
    by_label = siting.mclp(TIMES, 8, turned, p=1)
    assert by_label.objective == 7.0
    # 5, 3, 1, 2, 4 by position: a and b now cover points of 5 + 3 and of 5 + 3 + 1
    assert siting.mclp(TIMES, 8, turned.to_numpy(), p=1).objective == 9.0


def test_no_demand_needs_no_sites():
    times = TravelTimes.from_matrix(np.empty((0, 3)))
    proved(siting.lscp(times, 5), (), 0.0)
    assert siting.mclp(times, 5, np.empty(0), p=2).objective == 0.0
    assert siting.p_median(times, np.empty(0), p=2).objective == 0.0
    assert siting.p_center(times, p=2).objective == 0.0


def test_one_point_and_one_site():
    times = TravelTimes.from_matrix([[3.0]])
    proved(siting.p_median(times, [2.0], p=1), ("0",), 6.0)
    proved(siting.p_center(times, p=1), ("0",), 3.0)
    proved(siting.mclp(times, 3, [2.0], p=1), ("0",), 2.0)
    proved(siting.lscp(times, 3), ("0",), 1.0)


def test_sites_that_nobody_travels_between_are_apart_without_end_and_proved_so():
    apart = pd.DataFrame([[0.0, np.inf], [np.inf, 0.0]], index=["a", "b"], columns=["a", "b"])
    plan = siting.p_dispersion(apart, p=2)
    assert (plan.sites, plan.status, plan.objective, plan.bound, plan.gap) == (
        ("a", "b"),
        "optimal",
        np.inf,
        np.inf,
        0.0,
    )


def test_a_share_that_no_allowed_site_is_left_to_serve_is_impossible_not_an_error():
    times = TravelTimes.from_matrix(pd.DataFrame({"a": [0.0, 0.0]}, index=["v", "w"]))
    for room in ({}, {"capacities": [5.0]}, {"capacities": [5.0], "split": False}):
        plan = siting.partial_cover(times, 5, [1.0, 2.0], 0.3, forbidden=("a",), **room)
        assert (plan.status, plan.sites) == ("infeasible", ())
        assert len(plan.findings)
