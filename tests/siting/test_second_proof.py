"""Add a second proof up by hand, hold it against every set of sites, and see a false plan refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sy_coverage import siting
from sy_coverage.errors import CertificateError, InputError
from sy_coverage.siting.planning.explain.sites import case_of
from sy_coverage.siting.planning.model.program import Model
from tests.siting import frozen_sample
from tests.siting.policy_toys import planned, policy_of
from tests.siting.test_policy_choices import asked, choosy_road, every_plan, seeds


def added_up(plan: siting.SitingPlan, proof: siting.ExactProof) -> Fraction:
    """Return the least that the leaves leave, each added up rule by rule in fractions, in steps of cost."""
    case = case_of(plan)
    model = Model(case, cheapest=False)
    matrix, lower, upper = model.program._matrix()
    dense, cost, least = matrix.toarray(), model.cost(), None
    for leaf in proof.leaves:
        low, high = model.program.lower.copy(), model.program.upper.copy()
        low[leaf["open"]], high[leaf["closed"]] = 1.0, 0.0
        total = Fraction(0)
        left = [Fraction(float(c)) for c in cost]
        for row, text in leaf["prices"].items():
            price = Fraction(text)
            limit = lower[row] if price > 0 else upper[row]
            assert np.isfinite(limit)
            total += price * Fraction(float(limit))
            left = [rest - price * Fraction(float(a)) for rest, a in zip(left, dense[row], strict=True)]
        total += sum(
            rest * Fraction(float(a if rest > 0 else b)) for rest, a, b in zip(left, low, high, strict=True)
        )
        least = total if least is None else min(least, total)
    assert least is not None
    return least


def whole_tree(proof: siting.ExactProof) -> bool:
    """Whether the leaves leave no case out: of every decided column both sides, down to the leaves."""

    def closed(leaves: list[dict]) -> bool:
        if len(leaves) == 1 and not leaves[0]["open"] and not leaves[0]["closed"]:
            return True
        common = set.intersection(*({*leaf["open"], *leaf["closed"]} for leaf in leaves)) if leaves else set()
        for column in common:
            sides = [
                [
                    {
                        **leaf,
                        "open": [j for j in leaf["open"] if j != column],
                        "closed": [j for j in leaf["closed"] if j != column],
                    }
                    for leaf in leaves
                    if column in leaf[side]
                ]
                for side in ("open", "closed")
            ]
            if all(sides) and all(map(closed, sides)):
                return True
        return False

    return closed(list(proof.leaves))


@pytest.mark.parametrize("seed", seeds(8, 300))
@pytest.mark.parametrize("rule", ["presence", "access"])
def test_the_bound_is_what_anybody_adds_up_and_what_every_set_says(seed, rule):
    road = choosy_road(900 + seed)
    plans, plan = every_plan(road, rule=rule), asked(road, rule=rule)
    if not plans:
        return
    proof = siting.second_proof(plan)
    least = min(cost for cost, _ in plans.values())
    assert proof.proved
    assert (proof.cost, proof.bound) == (pytest.approx(least), pytest.approx(least))
    assert whole_tree(proof)
    step, constant = case_of(plan).cost.step, Fraction(Model(case_of(plan), cheapest=False).fixed_cost)
    # the next possible cost below the plan's is excluded
    assert (added_up(plan, proof) + constant) * step > Fraction(str(plan.figures.cost)) - step


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_that_is_not_the_cheapest_gets_no_second_proof(seed):
    plan = asked(choosy_road(900 + seed), rule="access")
    if plan.status == "infeasible":
        return
    dearer = replace(plan, figures=replace(plan.figures, cost=plan.figures.cost + 1.0))
    with pytest.raises(CertificateError, match="cheaper"):
        siting.second_proof(dearer)


def test_every_county_of_the_sample_is_proved_twice():
    for county_id, then in frozen_sample.expected().items():
        plan = siting.policy_plan(**frozen_sample.arguments(county_id))
        proof = siting.second_proof(plan)
        assert proof.proved
        assert proof.bound == then["cost"]


def test_what_has_no_least_cost_is_refused():
    road = choosy_road(1)
    for rules in ({"slack": 0.2}, {"phases": {2026: {"budget": 500.0}}}):
        plan = planned(**road.frames(), policy=policy_of(homes=1), times=road.times(), **rules)
        with pytest.raises(InputError, match="second_proof"):
            siting.second_proof(plan)
