"""Hold plans of very large and very exact numbers to the last step: every stage run, nothing mistaken for equal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sy_coverage import siting
from sy_coverage.errors import CertificateError, InputError
from tests.siting import frozen_sample
from tests.siting.policy_toys import Road, planned, policy_of

STAGES = ["cost", "elders", "elder_minutes", "home_minutes", "site_ranks"]
UNITS = {f"u{i}": ("township", "A", 6.0 * i, 6.0 * i + 6) for i in range(6)}


def dear_road(rng: np.random.Generator) -> Road:
    """Return six townships with two sites each, costs of six decimals and about a hundred million steps."""
    villages = {f"v{i}": (6.0 * i + 3, 10 + i) for i in range(6)}
    sites = {
        f"c{i}{n}": ("service_centre", 6.0 * i + 2 + n, float(np.round(rng.uniform(80, 90), 6)))
        for i in range(6)
        for n in range(2)
    }
    sites |= {"d": ("dementia_unit", 5.0, 0.000001), "r": ("regional_home", 5.0, 100.123456)}
    return Road(UNITS, villages, {}, sites, homes=1)


@pytest.mark.parametrize("seed", range(8))
def test_costs_of_six_decimals_are_told_apart_and_every_stage_is_run(seed):
    road = dear_road(np.random.default_rng(seed))
    plan = planned(**road.frames(), policy=policy_of(homes=1), times=road.times())
    least = [
        sorted(min(road.candidates[f"c{i}{n}"][2] for n in range(2)) for i in range(6)),
    ][0][:4]  # ⌈0.65 · 6⌉ townships
    assert plan.figures.cost == pytest.approx(sum(least) + 100.123457, abs=1e-9)
    assert [s.objective_id for s in plan.certificate.stages] == STAGES
    assert plan.status == "optimal"
    assert siting.verify(plan).objective == plan.objective


def test_the_whole_city_with_costs_of_six_decimals_runs_every_stage():
    asked = frozen_sample.arguments("430524")
    chance = np.random.default_rng(1)
    costs = asked["candidates"]["cost"] + chance.integers(0, 999_999, len(asked["candidates"])) / 1e6
    plan = siting.policy_plan(**asked | {"candidates": asked["candidates"].assign(cost=costs.round(6))})
    assert [s.objective_id for s in plan.certificate.stages][:4] == STAGES[:4]
    assert plan.status == "optimal"
    assert siting.verify(plan).objective == plan.objective


def test_a_plan_that_is_off_by_one_step_of_a_large_number_does_not_hold():
    road = dear_road(np.random.default_rng(0))
    frames = road.frames()
    frames["demand"]["elders"] *= 1e12
    plan = planned(**frames, policy=policy_of(homes=1), times=road.times())
    more = replace(plan.figures, elders_covered=plan.figures.elders_covered + 1)
    with pytest.raises(CertificateError, match="elders_covered"):
        siting.verify(replace(plan, figures=more))


def test_an_earlier_stage_that_ran_out_of_time_does_not_silence_the_later_ones(monkeypatch):
    from sy_coverage.siting.solve.stages import Program

    road = dear_road(np.random.default_rng(3))
    whole = Program.optimise
    calls = []

    def unproved(self, cost, sense, **more):
        answer = whole(self, cost, sense, **more)
        calls.append(answer)
        return replace(answer, status="feasible", bound=answer.bound - 1) if len(calls) == 1 else answer

    monkeypatch.setattr(Program, "optimise", unproved)
    plan = planned(**road.frames(), policy=policy_of(homes=1), times=road.times())
    assert plan.status == "feasible"
    assert [s.objective_id for s in plan.certificate.stages] == STAGES
    assert [s.proved for s in plan.certificate.stages] == [False, True, True, True, True]


# --- a certificate lists the rules that were applied --------------------------------------------------------------------


def test_a_certificate_names_only_rules_there_was_something_to_look_at_for():
    road = dear_road(np.random.default_rng(0))
    plan = planned(**road.frames(), policy=policy_of(homes=1), times=road.times())
    assert plan.certificate.rules == ("coverage_targets", "counts")
    asked = planned(
        **road.frames(), policy=policy_of(homes=1), times=road.times(), budget=1000.0, forbid=["c00"]
    )
    assert asked.certificate.rules == ("coverage_targets", "counts", "forbidden", "budget")


@pytest.mark.parametrize("rule", [{"medical_min": 20.0}, {"spread_min": 20.0}])
def test_rules_about_homes_are_refused_where_the_policy_names_none(rule):
    road = dear_road(np.random.default_rng(0))
    policy = policy_of(homes=1).model_copy(update={"homes": ()})
    with pytest.raises(InputError, match="names none"):
        planned(**road.frames(), policy=policy, times=road.times(), **rule)
