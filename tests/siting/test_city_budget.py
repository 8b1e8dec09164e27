"""A budget that ties counties together: once the centres are decided, homes are asked by themselves, and nothing is lost by it."""

from __future__ import annotations

import numpy as np
import pytest

from sy_coverage import siting
from sy_coverage.siting.solve import stages
from tests.siting.policy_toys import Road, planned, policy_of
from tests.siting.test_policy_choices import seeds

UNITS = {
    "u1": ("street", "A", 0.0, 12.0),
    "u2": ("township", "A", 12.0, 25.0),
    "u3": ("township", "B", 25.0, 38.0),
    "u4": ("township", "B", 38.0, 50.0),
}


def road_of(seed: int) -> Road:
    rng = np.random.default_rng(seed)
    place = lambda low, high: round(float(rng.uniform(low, high)), 1)  # noqa: E731
    villages = {f"v{i}": (place(0, 49.9), int(rng.integers(1, 200))) for i in range(7)}
    candidates = {f"c{i}": ("service_centre", place(0, 49.9), float(rng.integers(4, 8))) for i in range(4)}
    candidates |= {
        f"d{i}": ("dementia_unit", place(25 * (i % 2), 25 * (i % 2) + 24.9), 3.0) for i in range(2)
    }
    candidates |= {
        f"r{i}": ("regional_home", place(25 * (i % 2), 25 * (i % 2) + 24.9), 6.0) for i in range(4)
    }
    return Road(UNITS, villages, {}, candidates, homes=1)


@pytest.mark.parametrize("seed", seeds(10, 300))
def test_a_plan_of_two_counties_under_one_budget_is_the_best_in_every_stage(seed, monkeypatch):
    monkeypatch.setattr(
        stages, "LARGE", 0
    )  # else only the programs of whole cities are large enough to be asked
    alone = []
    keep = stages.Program.keep_if_alone
    monkeypatch.setattr(
        stages.Program, "keep_if_alone", lambda *given: alone.append(keep(*given)) or alone[-1]
    )
    road, budget = road_of(seed), [8.0, 14.0, 20.0][seed % 3]
    plan = planned(
        **road.frames(), policy=policy_of(homes=1), times=road.times(), scope="city", budget=budget
    )
    sites, value = road.best_within(scope="city", budget=budget)
    best = plan.best
    assert best.status == "optimal"
    found = {s.objective_id: s.value for s in best.certificate.stages}
    if "cost" in found:  # all targets can be paid for
        assert value[0] == 0
        return
    assert len(alone) == 1
    needed = best.figures.targets["needed"].sum()
    assert needed - found["towards_targets"] == value[0]
    assert (-found["elders"], found["elder_minutes"]) == pytest.approx(value[1:3])
    assert found["home_minutes"] == pytest.approx(value[3])
    assert siting.verify(best).objective == best.objective
    assert found["site_ranks"] == value[4]
    assert best.sites == sites
