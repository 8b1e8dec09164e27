"""Plans in which earlier stages make sure of elders, against every subset: nobody is counted twice, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.siting.policy_toys import Road
from tests.siting.test_policy_plan import solved

KM = st.integers(0, 89)
HOMES = {
    f"{letter}{i}": (kind, float(60 * i + km), 5.0)
    for letter, kind, km in (("d", "dementia_unit", 1), ("r", "regional_home", 2))
    for i in (0, 1)
}
"""What the counties ask for besides centres: nothing to choose."""


def road_of(kinds: list[str], villages: list[tuple[int, int]], centres: list[tuple[int, float]]) -> Road:
    return Road(
        {f"u{i}": (kind, "c1" if i < 2 else "c2", 30.0 * i, 30.0 * (i + 1)) for i, kind in enumerate(kinds)},
        {f"v{i}": (float(km), elders) for i, (km, elders) in enumerate(villages)},
        {"S9": ("township_home", 1.0)},
        {f"c{i}": ("service_centre", float(km), cost) for i, (km, cost) in enumerate(centres)} | HOMES,
        homes=1,
    )


@st.composite
def crowded(draw):
    """Return wide units with several villages each and centres of unlike cost, so that access is worth a choice."""
    return road_of(
        draw(st.lists(st.sampled_from(["street", "township"]), min_size=3, max_size=3)),
        draw(st.lists(st.tuples(KM, st.integers(1, 9).map(lambda n: 10 * n)), min_size=4, max_size=8)),
        draw(st.lists(st.tuples(KM, st.sampled_from([10.0, 11.0, 12.5, 30.0])), min_size=2, max_size=6)),
    )


# Streets reach 15 minutes and want 80 % of their elders. u0: 40 at km 0 and 40 at km 25, so c0 and c1 open. u1: v1 is 15
# minutes from c1. u2: c2 reaches v3, 40 of 50 elders; v2 would need c3, which only presence in u2 asks for. Every site of
# the cheapest plan is sure once its cost is known, and the columns of its elders are there already: 130 in reach, once.
SURE = road_of(
    ["street"] * 3,
    [(0, 10), (47, 10), (73, 10), (65, 40), (25, 40), (0, 10), (0, 10), (0, 10)],
    [(0, 10.0), (32, 10.0), (50, 10.0), (81, 10.0)],
)


@pytest.mark.parametrize(("rule", "centres", "elders"), [("access", 3, 130.0), ("both", 4, 140.0)])
def test_elders_whom_an_earlier_stage_made_sure_of_are_counted_once(rule, centres, elders):
    plan = solved(SURE, rule=rule)
    assert plan.sites == (*(f"c{i}" for i in range(centres)), "d0", "d1", "r0", "r1")
    assert plan.figures.elders_covered == elders


@settings(max_examples=25)
@given(crowded(), st.sampled_from(["presence", "access", "both"]), st.sampled_from(["county", "city"]))
@example(SURE, "access", "county")
@example(SURE, "both", "county")
@example(SURE, "access", "city")
def test_every_stage_of_a_plan_by_access_is_the_best_subset_s(road, rule, scope):
    best = road.best(rule=rule, scope=scope)
    plan = solved(road, rule=rule, scope=scope)
    if best is None:
        assert plan.status == "infeasible"
        return
    sites, (cost, elders, minutes, to_homes, ranks) = best
    assert (plan.status, plan.sites) == ("optimal", sites)
    found = {s.objective_id: s.value for s in plan.certificate.stages}
    assert found["cost"] == pytest.approx(cost, abs=1e-9)
    assert (found["elders"], found["site_ranks"]) == (-elders, ranks)
    assert found["elder_minutes"] == pytest.approx(minutes)
    assert found["home_minutes"] == pytest.approx(to_homes)
