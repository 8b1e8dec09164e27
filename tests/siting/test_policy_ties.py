"""A plan is no less proved when only the choice among equal plans ran out of time, and it says so."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sy_coverage as sy
from tests import toy
from tests.siting.policy_toys import Road
from tests.siting.test_policy_plan import roads, solved


@pytest.fixture
def study(tmp_path):
    return sy.read_study(toy.write_study(tmp_path))


def test_a_plan_that_breaks_every_tie_has_no_note_of_it(study):
    plan = study.propose(toy.COUNTY)
    assert plan.certificate.stages[-1].objective_id == "site_ranks"
    assert "ties_not_settled" not in plan.certificate.notes


def test_a_plan_whose_ties_ran_out_of_time_is_as_good_and_says_so(study, monkeypatch):
    stages = import_module("sy_coverage.siting.solve.stages")
    whole = stages.Program.optimise

    def without_time_for_ties(self, cost, sense, *, whole_=whole, watch, **more):
        if watch.options.time_limit_s <= 10:  # only the last stage has so little
            return stages.Reached("no_answer", np.empty(0), None, None, "")
        return whole_(self, cost, sense, watch=watch, **more)

    best = study.propose(toy.COUNTY)
    monkeypatch.setattr(stages.Program, "optimise", without_time_for_ties)
    plan = sy.read_study(study.folder / "study.toml").propose(toy.COUNTY)
    assert plan.status == "optimal"
    assert plan.objective == plan.bound == best.objective
    assert plan.figures.elders_covered == best.figures.elders_covered
    assert plan.figures.elder_minutes == pytest.approx(best.figures.elder_minutes, rel=1e-9)
    assert "ties_not_settled" in plan.certificate.notes


def equal_sites(road, rule, scope, large):
    """Hold the plan against every subset, ranks of ids included, where parts of `large` numbers are asked for another answer."""
    best = road.best(rule=rule, scope=scope)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("sy_coverage.siting.solve.stages"), "LARGE", large)
        plan = solved(road, rule=rule, scope=scope)
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert plan.certificate.stages[-1].value == best[1][-1]
    assert "ties_not_settled" not in plan.certificate.notes
    # of equal plans with equal sums of ranks any may come
    assert plan.sites == best[0] or road.value(plan.sites, rule=rule, scope=scope)[1:] == pytest.approx(
        best[1], rel=1e-9
    )


@settings(max_examples=25)
@given(roads(), st.sampled_from(["presence", "access", "both"]), st.sampled_from(["county", "city"]))
def test_a_part_that_has_no_other_answer_is_settled_as_every_subset_says(road, rule, scope):
    equal_sites(road, rule, scope, 0)


def test_a_large_part_with_an_equal_answer_is_settled_by_its_ids(monkeypatch):
    # two centres at one place and one cost: nothing but their ids tells them apart
    road = Road(
        units={"u": ("township", "c", 0, 10)},
        villages={"v": (2.0, 100), "w": (8.0, 50)},
        facilities={"D": ("dementia_unit", 5.0)},
        candidates={"b": ("service_centre", 5.0, 80.0), "a": ("service_centre", 5.0, 80.0)},
        homes=0,
    )
    asked = []
    stages = import_module("sy_coverage.siting.solve.stages")
    honest = stages.Program._settled_already

    def listening(self, *given):
        asked.append(honest(self, *given))
        return asked[-1]

    monkeypatch.setattr(stages, "LARGE", 0)
    monkeypatch.setattr(stages.Program, "_settled_already", listening)
    assert solved(road).sites == ("a",)
    assert asked == [False]
    nearer = replace(road, candidates={**road.candidates, "b": ("service_centre", 2.0, 80.0)})
    assert solved(nearer).sites == ("b",)  # 8·50 minutes less 100·3
    assert asked == [False, True]
