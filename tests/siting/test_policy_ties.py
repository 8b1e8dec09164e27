"""A plan is no less proved when only the choice among equal plans ran out of time, and it says so."""

from importlib import import_module

import numpy as np
import pytest

import sy_coverage as sy
from tests import toy


@pytest.fixture
def study(tmp_path):
    return sy.read_study(toy.write_study(tmp_path))


def test_a_plan_that_breaks_every_tie_has_no_note_of_it(study):
    plan = study.propose(toy.COUNTY)
    assert plan.certificate.stages[-1].objective_id == "site_ranks"
    assert "ties_not_settled" not in plan.certificate.notes


def test_a_plan_whose_ties_ran_out_of_time_is_as_good_and_says_so(study, monkeypatch):
    stages = import_module("sy_coverage.siting._stages")
    whole = stages.Program.optimise

    def without_time_for_ties(self, cost, sense, *, whole_=whole, watch, whole):
        if watch.options.time_limit_s <= 10:  # only the last stage has so little
            return stages.Reached("no_answer", np.empty(0), None, None, "")
        return whole_(self, cost, sense, whole=whole, watch=watch)

    best = study.propose(toy.COUNTY)
    monkeypatch.setattr(stages.Program, "optimise", without_time_for_ties)
    plan = sy.read_study(study.folder / "study.toml").propose(toy.COUNTY)
    assert plan.status == "optimal"
    assert plan.objective == plan.bound == best.objective
    assert plan.details["elders_covered"] == best.details["elders_covered"]
    assert plan.details["elder_minutes"] == pytest.approx(best.details["elder_minutes"], rel=1e-9)
    assert "ties_not_settled" in plan.certificate.notes
