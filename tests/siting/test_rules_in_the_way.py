"""Say which rule keeps every plan from being, with the best plan without it; refuse rules that ask nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sy_coverage import siting
from sy_coverage.errors import InputError
from sy_coverage.roads import TravelTimes
from tests.siting.policy_toys import Road, planned, policy_of

UNITS = {"u1": ("street", "A", 0.0, 20.0), "u2": ("township", "A", 20.0, 50.0)}
ROAD = Road(
    UNITS,
    {"v1": (2.0, 100), "v2": (30.0, 200), "v3": (48.0, 50)},
    {"f": ("service_centre", 19.0)},
    {
        "c": ("service_centre", 28.0, 10.0),
        "d": ("dementia_unit", 5.0, 4.0),
        "r": ("regional_home", 6.0, 20.0),
    },
    extra={"running_cost": {"c": 1.0, "d": 2.0, "r": 3.0}},
    homes=1,
)
# the street has f; the township needs c; dementia unit and home have one candidate each: c, d, r for 34, run for 6 a year


def ask(road: Road = ROAD, **rules) -> siting.SitingPlan:
    return planned(**road.frames(), policy=policy_of(homes=1), times=road.times(), **rules)


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"worst_min": 15.0}, "villages_too_far"),  # v1 is 17 minutes from f, v3 20 from c: nothing is nearer
        (
            {"running_budget": 5.5},
            None,
        ),  # what must be missed is a target then: the plan that misses it keeps the money
        ({"cost_limit": 33.0}, None),
    ],
)
def test_the_rule_that_no_plan_keeps_is_named_with_the_best_plan_meanwhile(rules, reason):
    plan = ask(**rules)
    assert plan.status == "infeasible"
    assert plan.best is not None
    assert siting.verify(plan.best).objective == plan.best.objective
    said = set(plan.findings["reason_id"])
    if reason is not None:
        row = plan.findings[plan.findings["reason_id"] == reason].iloc[0]
        assert row["value"] == 15.0
        assert row["places"] == ("v1", "v3")
        assert plan.best.figures.targets_met  # without the rule nothing stands in the way
    else:
        assert not {r for r in said if r.startswith("rule_in_the_way")}
        assert not plan.best.figures.targets_met


def test_what_must_open_and_is_too_dear_to_run_is_named():
    must = Road(
        UNITS, ROAD.villages, ROAD.facilities, ROAD.candidates, ROAD.extra | {"required": {"r": True}}, 1
    )
    plan = ask(must, running_budget=2.5)
    assert plan.status == "infeasible"
    assert "rule_in_the_way_running_budget" in set(plan.findings["reason_id"])
    assert plan.best.sites == ("c", "d", "r")
    with pytest.raises(InputError, match="barred by spread"):
        ask(must, forbid=("r",))


def test_sizes_of_one_place_cannot_all_be_required():
    both = Road(
        UNITS,
        ROAD.villages,
        ROAD.facilities,
        ROAD.candidates | {"r2": ("regional_home", 6.5, 30.0)},
        ROAD.extra | {"group_id": {"r": "place", "r2": "place"}},
        1,
    )
    assert ask(both).sites == ("c", "d", "r")
    assert ask(both, require=("r2",)).sites == ("c", "d", "r2")
    assert ask(both, require=("r", "r2")).status == "infeasible"


def test_a_facility_moves_to_one_place_only():
    moved = Road(
        UNITS,
        ROAD.villages,
        ROAD.facilities,
        ROAD.candidates | {"m1": ("service_centre", 3.0, 0.0), "m2": ("service_centre", 10.0, 0.0)},
        ROAD.extra,
        1,
    )
    plan = ask(moved, move={"m1": "f", "m2": "f"})
    # v1 is within 15 minutes of either; m1 is nearer to it, and takes it at no cost
    assert plan.sites == ("c", "d", "m1", "r")
    assert plan.figures.closed == ("f",)
    assert siting.verify(plan).objective == 34.0


def test_the_longest_way_must_be_among_the_known_ones():
    times = {}
    for kind, table in ROAD.times().items():
        minutes = table.to_dense()
        near = sparse.csr_array(np.where(minutes <= 30.0, minutes, 0.0))  # nobody lives at a site
        times[kind] = TravelTimes(near, table.site_ids, table.demand_ids, 30.0, "drive")
    with pytest.raises(InputError, match="30"):
        planned(**ROAD.frames(), policy=policy_of(homes=1), times=times, worst_min=45.0)


@pytest.mark.parametrize(
    ("rules", "words"), [({"carry": True}, "phases"), ({"beds_share": 0.5}, "beds_per_elder")]
)
def test_a_rule_that_asks_nothing_by_itself_is_refused(rules, words):
    with pytest.raises(InputError, match=words):
        siting.PlanRules(**rules)
