"""Count elders once where units are covered by more than one kind of centre: plan, recount, curve, years, reasons, closures."""

from __future__ import annotations

from itertools import chain, combinations, product

import numpy as np
import pytest

from sy_coverage import siting
from tests.siting.policy_toys import CUTOFF, Road, planned, policy_of
from tests.siting.test_policy_choices import seeds

UNITS = {
    "u1": ("street", "A", 0.0, 10.0),
    "u2": ("street", "A", 10.0, 22.0),
    "u3": ("township", "A", 22.0, 36.0),
    "u4": ("township", "A", 36.0, 50.0),
}


def policy():
    """Return a policy in which streets are covered by dementia units and townships by centres, within the same minutes."""
    own = policy_of(homes=1)
    targets = []
    for target in own.targets:
        if target.id == "street_centre_coverage":
            measure = target.measure.model_copy(update={"facility_kind": "dementia_unit"})
            target = target.model_copy(update={"measure": measure})  # noqa: PLW2901
        targets.append(target)
    return own.model_copy(update={"targets": tuple(targets)}).with_access(
        cutoff_min=CUTOFF, kind="dementia_unit"
    )


def road_of(seed: int) -> Road:
    rng = np.random.default_rng(seed)
    villages = {
        f"v{i}": (round(float(x), 1), int(e))
        for i, (x, e) in enumerate(zip(rng.uniform(0, 49.9, 7), rng.integers(1, 300, 7), strict=True))
    }
    candidates = {
        f"c{i}": ("service_centre", round(float(rng.uniform(20, 49.9)), 1), float(rng.integers(18, 21)))
        for i in range(4)
    }
    candidates |= {
        f"d{i}": ("dementia_unit", round(float(rng.uniform(0, 25)), 1), float(rng.integers(8, 10)))
        for i in range(4)
    }
    return Road(UNITS, villages, {}, candidates | {"r": ("regional_home", 25.0, 30.0)}, homes=1)


def elders_of(road: Road, sites) -> float:
    """Return how many people live within the cutoff of any centre, each once."""
    total = 0
    for km, elders in road.villages.values():
        cutoff = CUTOFF[UNITS[road.unit_at(km)][0]]
        near = [s for s in sites if road.candidates[s][0] != "regional_home"]
        total += elders * any(abs(road.candidates[s][1] - km) <= cutoff + 1e-9 for s in near)
    return float(total)


def meets(road: Road, sites) -> bool:
    """Return whether both streets have a dementia unit, both townships (65 %) a centre, and the county its home."""
    there = {(road.candidates[s][0], road.unit_at(road.candidates[s][1])) for s in sites}
    return {
        ("dementia_unit", "u1"),
        ("dementia_unit", "u2"),
        ("service_centre", "u3"),
        ("service_centre", "u4"),
    } <= there and "r" in sites


def every(road: Road) -> dict[tuple[str, ...], tuple[float, float]]:
    ids = sorted(road.candidates)
    sets = chain.from_iterable(combinations(ids, n) for n in range(len(ids) + 1))
    return {s: (sum(road.candidates[i][2] for i in s), -elders_of(road, s)) for s in sets if meets(road, s)}


def ask(road: Road, **rules) -> siting.SitingPlan:
    return planned(**road.frames(), policy=policy(), times=road.times(), **rules)


@pytest.mark.parametrize("seed", seeds(12, 400))
def test_a_person_near_two_kinds_of_centre_is_one_person(seed):
    road = road_of(seed)
    plans, plan = every(road), ask(road)
    if not plans:
        assert plan.status == "infeasible"
        return
    best = min(plans.values())
    assert (plan.figures.cost, -plan.figures.elders_covered) == pytest.approx(best)
    assert siting.verify(plan).objective == plan.objective
    assert plan.figures.elders_covered <= sum(e for _, e in road.villages.values())
    curve = siting.trade_off(plan, points=30)
    front = {
        v for v in plans.values() if not any(o != v and o[0] <= v[0] and o[1] <= v[1] for o in plans.values())
    }
    assert set(zip(curve["cost"], -curve["elders_covered"], strict=True)) == front
    left = siting.closures(plan)
    for site, row in left.iterrows():
        assert row["elders_left"] == elders_of(road, [s for s in plan.sites if s != site])
    why = plan.why()
    for site in plan.sites:
        alone = why[(why.index == site) & (why["reason_id"] == "elders_only_here")]["value"].sum()
        if road.candidates[site][0] != "regional_home":
            without = elders_of(road, [s for s in plan.sites if s != site])
            assert alone == plan.figures.elders_covered - without


@pytest.mark.parametrize("seed", seeds(6, 200))
def test_years_count_a_person_once_too(seed):
    road = road_of(500 + seed)
    plan = ask(road, phases={2026: {"sites": 3}, 2027: {"sites": 4}})
    found = []
    for sites in every(road):
        for years in product((2026, 2027), repeat=len(sites)):
            early = [s for s, y in zip(sites, years, strict=True) if y == 2026]
            if len(early) <= 3 and len(sites) - len(early) <= 4:
                found.append(elders_of(road, early) + elders_of(road, sites))
    if not found:
        assert plan.status == "infeasible"
        return
    assert plan.objective == max(found)
    assert siting.verify(plan).objective == plan.objective
