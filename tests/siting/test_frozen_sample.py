"""Hold the twelve county plans of the sample against what they were before its travel times and candidates changed."""

from __future__ import annotations

from sy_coverage import siting
from tests.siting import frozen_sample


def test_twelve_counties_cost_11395_with_92_sites_and_reach_as_many_elders_as_they_did():
    found = {}
    for county_id, expected in frozen_sample.expected().items():
        plan = siting.policy_plan(**frozen_sample.arguments(county_id))
        assert plan.status == "optimal"
        assert plan.figures.cost == expected["cost"]
        assert plan.figures.elders_covered == expected["elders"]
        found[county_id] = plan
    assert sum(plan.objective for plan in found.values()) == 11_395
    assert sum(len(plan.sites) for plan in found.values()) == 92
    assert sum(plan.figures.elders_covered for plan in found.values()) == 1_319_531
