"""Every candidate is told what became of it, with the rule and the number, or what taking it would cost."""

from __future__ import annotations

import pytest

import sy_coverage as sy
from sy_coverage import siting
from tests import toy


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return sy.read_study(toy.write_study(tmp_path_factory.mktemp("toy")))


# The plan of the toy county by presence: two of three townships get a centre: c35 90 and c15 100 (equal to c25 100), d15 60,
# r15 150 (rebuilds T1) and r36 300.
def test_chosen_not_needed_and_what_taking_one_costs_at_most(study):
    plan = study.plans[toy.COUNTY]
    found = siting.outcomes(plan)
    assert set(found.index) == set(toy.candidates().index)
    assert set(found.index[found["outcome"] == "chosen"]) == set(plan.sites)
    extra = found["extra_cost"]
    other = "c25" if "c15" in plan.sites else "c15"
    assert extra[other] == 0.0  # 100 for 100
    assert extra["c19"] == 20.0  # 120 for the other's 100
    assert extra["d05"] == 20.0  # 80 for d15's 60
    assert found.loc[list(plan.sites), "extra_cost"].isna().all()


def test_what_taking_a_site_costs_is_what_a_plan_that_must_take_it_costs(study):
    plan = study.plans[toy.COUNTY]
    found = siting.outcomes(plan)
    for site_id in found.index[found["reason"] == "not_needed"]:
        forced = study.but(siting={"require": [site_id]}).plans[toy.COUNTY]
        assert found.loc[site_id, "extra_cost"] >= forced.objective - plan.objective - 1e-9
        assert found.loc[site_id, "extra_cost"] == pytest.approx(forced.objective - plan.objective)


def test_row_97_a_barred_site_says_by_which_rule_and_number(study):
    near = study.but(siting={"medical_min": 10})
    # M1 stands at km 6: r36, 30 km off, is 30 minutes and more away; r04 is 2
    found = siting.outcomes(near.plans[toy.COUNTY].best)
    row = found.loc["r36"]
    assert (row["outcome"], row["limit"]) == ("barred", 10)
    assert row["reason"] in {"far_from_care", "no_care"}
    forbidden = siting.outcomes(study.but(siting={"forbid": ["c35"]}).plans[toy.COUNTY])
    assert forbidden.loc["c35", ["outcome", "reason"]].tolist() == ["barred", "forbidden"]


def test_what_a_plan_costs_without_some_sites(study):
    plan = study.plans[toy.COUNTY]
    assert siting.cost_without(plan, {"c19"}) == plan.objective
    # without c35 both c15 and c25 are needed: 10 more
    assert siting.cost_without(plan, {"c35"}) == plan.objective + 10
    assert siting.cost_without(plan, {"c15", "c19", "c25", "c35"}) is None
